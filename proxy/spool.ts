/**
 * Events that the edge has not acknowledged, on the disk: a line of JSON each, in a file of this process under
 * `SALLYPORT_HOME/proxy/events/`. A line is written before anything else is done with its event, so it survives the process; it is on the
 * disk a moment later, many together. Files of processes before are taken over. What was acknowledged may stand in one still: the edge
 * takes each event once.
 */
import {
  closeSync,
  fdatasync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { type Json, membersOf } from '../core/intent.ts'
import { proxyFolder } from './identity.ts'
import type { Log } from './log.ts'
import { notWritable, replaceFile, requirePrivate } from './own-files.ts'

/** Of a proxy that opens no sessions. */
export const noSpool: Spool<never> = { found: [], add: () => true, keep: () => undefined, close: () => undefined }

interface Spooled {
  readonly id: string
  readonly at: number
}

export interface Spool<Event> {
  /** Of processes before, the oldest first. */
  readonly found: readonly Event[]
  /** False: the disk does not take it. */
  add(event: Event): boolean
  /** Only those are waited for still. */
  keep(waiting: readonly Event[]): void
  close(): void
}

export const spoolFolder = (home: string): string => join(proxyFolder(home), 'events')

/** What was acknowledged is taken out when the file has grown by so much more. */
const tolerated = 1024 * 1024

/** `boot` names this process. @throws SetupProblem */
export function openSpool<Event extends Spooled>(home: string, boot: string, log: Log): Spool<Event> {
  const folder = spoolFolder(home)
  const names = listed(folder)
  for (const name of names) requirePrivate(join(folder, name))
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return new FileSpool<Event>(folder, `${boot}.jsonl`, names, log)
  } catch (error) {
    throw notWritable(folder, error as Error)
  }
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.jsonl'))
  } catch {
    return []
  }
}

class FileSpool<Event extends Spooled> implements Spool<Event> {
  readonly found: readonly Event[]
  readonly #file: string
  readonly #log: Log
  /** Files of processes before, and how long each was when it was read. */
  #takenOver: readonly { readonly file: string; readonly size: number }[]
  #fd: number
  #bytes = 0
  #isSyncing = false
  #isUnsynced = false
  /** A line that was written in part would swallow the next one. */
  #isTorn = false
  /** Its number may be another file's by then. */
  #isClosed = false

  constructor(folder: string, own: string, names: readonly string[], log: Log) {
    this.#log = log
    this.#file = join(folder, own)
    const before = names.map((name) => join(folder, name)).map((file) => ({ file, bytes: readFileSync(file) }))
    this.#takenOver = before.map(({ file, bytes }) => ({ file, size: bytes.length }))
    const events = before.flatMap(({ file, bytes }) => readLines<Event>(file, bytes.toString('utf8'), log))
    this.found = events.toSorted((a, b) => a.at - b.at)
    this.#fd = openSync(this.#file, 'a', 0o600)
  }

  add(event: Event): boolean {
    if (this.#isClosed) return false
    const line = Buffer.from(`${this.#isTorn ? '\n' : ''}${JSON.stringify(event)}\n`)
    try {
      // Another process of this home took over what stood in it, and has told it.
      if (fstatSync(this.#fd).nlink === 0) this.#reopen()
      this.#isTorn = true
      if (writeSync(this.#fd, line) < line.length) throw new Error('it is full')
      this.#isTorn = false
    } catch (error) {
      this.#tell(error as Error)
      return false
    }
    this.#bytes += line.length
    this.#sync()
    return true
  }

  #reopen(): void {
    const next = openSync(this.#file, 'a', 0o600)
    closeSync(this.#fd)
    this.#fd = next
  }

  #sync(): void {
    this.#isUnsynced = true
    if (this.#isSyncing) return
    this.#isSyncing = true
    this.#isUnsynced = false
    fdatasync(this.#fd, (error) => {
      this.#isSyncing = false
      // Another file stands in its place by now.
      if (error && error.code !== 'EBADF') this.#tell(error)
      else if (this.#isUnsynced && !this.#isClosed) this.#sync()
    })
  }

  keep(waiting: readonly Event[]): void {
    if (this.#isClosed) return
    const text = waiting.map((event) => `${JSON.stringify(event)}\n`).join('')
    const length = Buffer.byteLength(text)
    try {
      if (length === 0) this.#forgetAll()
      else if (this.#bytes - length < tolerated) return
      else {
        replaceFile(this.#file, text)
        this.#reopen()
      }
      this.#bytes = length
      this.#isTorn = false
    } catch (error) {
      this.#tell(error as Error)
    }
  }

  #forgetAll(): void {
    ftruncateSync(this.#fd)
    // One that has grown belongs to a process that runs.
    for (const { file, size } of this.#takenOver)
      if (statSync(file, { throwIfNoEntry: false })?.size === size) rmSync(file, { force: true })
    this.#takenOver = []
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    if (fstatSync(this.#fd).size === 0) rmSync(this.#file, { force: true })
    closeSync(this.#fd)
  }

  #tell({ message }: Error): void {
    this.#log({ level: 'error', message: 'events cannot be kept on the disk', detail: message })
  }
}

/** The last line may have been cut by whatever ended the process; one that is none is no reason to lose the others. */
function readLines<Event extends Spooled>(file: string, text: string, log: Log): Event[] {
  return text.split('\n').flatMap((line, at) => {
    if (line === '') return []
    const event = parseLine<Event>(line)
    if (!event) log({ level: 'warn', message: 'a line of the kept events is not whole', file, line: at + 1 })
    return event ?? []
  })
}

function parseLine<Event extends Spooled>(line: string): Event | undefined {
  try {
    const json = JSON.parse(line) as Json
    const { id, at } = membersOf(json)
    return typeof id === 'string' && typeof at === 'number' ? (json as unknown as Event) : undefined
  } catch {
    return undefined
  }
}
