/** Standard input and output joined to a session: what a program that starts this one says, and what it hears. */
import type { Duplex, Readable, Writable } from 'node:stream'
import { concat } from '../core/lib/bytes.ts'
import { Problem } from './problem.ts'

export interface Standard {
  readonly input: Readable
  readonly output: Writable
  /** The other side is told that no more comes. */
  endOutput(): void
}

export interface Opening {
  /** Nobody waits any more. */
  readonly gone: AbortSignal
  /** It says no more. */
  readonly ended: AbortSignal
}

/** What is beyond waits in the kernel. */
const most = 65_536

/** @throws Problem, whatever `open` throws */
export async function joinStandard(standard: Standard, open: (opening: Opening) => Promise<Duplex>): Promise<void> {
  const held = hold(standard.input)
  try {
    const stream = await open(held)
    const bytes = held.release()
    if (bytes.length > 0) stream.write(bytes)
    await splice(standard, stream)
  } finally {
    // As long as somebody may say something this process would not end.
    standard.input.destroy()
  }
}

/** Reads, because an end is heard only by who reads. */
function hold(input: Readable): Opening & { release(): Uint8Array } {
  const [gone, ended] = [new AbortController(), new AbortController()]
  let bytes = new Uint8Array()
  const read = (part: Uint8Array) => {
    bytes = concat(bytes, part)
    if (bytes.length >= most) input.pause()
  }
  const end = () => {
    ended.abort()
    if (bytes.length === 0) gone.abort()
  }
  input.on('data', read).once('end', end)
  const release = () => {
    input.off('data', read).off('end', end).pause()
    return bytes
  }
  return { gone: gone.signal, ended: ended.signal, release }
}

/** An end of one side is an end of that side alone; a session that breaks off is a failure. */
function splice({ input, output, endOutput }: Standard, stream: Duplex): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const brokeOff = () => new Problem('unreachable', 'the session broke off', 'try again; a lock or its end cuts it too')
  let isEnded = false
  stream.on('error', () => undefined)
  stream.once('end', () => {
    isEnded = true
    endOutput()
  })
  stream.once('close', () => (isEnded && !stream.errored ? resolve() : reject(brokeOff())))
  stream.pipe(output, { end: false })
  if (input.readableEnded) stream.end()
  else input.pipe(stream)
  return promise
}
