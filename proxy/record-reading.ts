/**
 * How TLS that ends here is read where its bytes are only passed on. Node gives each record by itself, 16 KB at most, in memory of its
 * own. These records are laid one behind the other into a buffer that is used again, and what has come in one turn is passed on at once.
 */
import { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { common, few, fullRecord, giveBack, takeBuffer } from './read-buffers.ts'
import type { Take } from './reading.ts'

/** Where Node keeps what `onread` of net.connect gives. It has no public way to read so from a socket that it has made by itself. */
interface Inner {
  _handle: { useUserBuffer?: (buffer: Buffer) => void } | null
  [kept: symbol]: unknown
}

const symbolsOf = (socket: object) =>
  Object.fromEntries(Object.getOwnPropertySymbols(socket).map((symbol) => [symbol.description ?? '', symbol]))
const { kBuffer, kBufferCb, kBufferGen } = symbolsOf(new Socket())

/** Gives what comes from now on to `take`, behind what the stream holds. Does nothing where Node keeps its parts in another place than it did. */
export function readRecords(socket: TLSSocket, take: Take): void {
  const inner = socket as unknown as Inner
  if (!kBuffer || !kBufferCb || !kBufferGen || inner[kBuffer] !== null || !inner._handle?.useUserBuffer) return
  const reading = new RecordReading(socket, take)
  inner[kBuffer] = common
  inner[kBufferCb] = (count: number, into: Buffer) => reading.read(into.subarray(0, count))
  inner[kBufferGen] = () => reading.next()
  inner._handle.useUserBuffer(common)
}

class RecordReading {
  readonly #socket: TLSSocket
  readonly #take: Take
  #own: Buffer | undefined
  /** Of the own buffer: how far it was passed on, and how far it is filled. */
  #passed = 0
  #filled = 0
  /** What was passed on last is still being written. */
  #isLent = false
  #isPlanned = false

  constructor(socket: TLSSocket, take: Take) {
    this.#socket = socket
    this.#take = take
    socket.on('resume', () => this.#resumed()).once('close', () => this.#leave())
    const push = socket.push.bind(socket)
    // The end comes as null, and behind what is still gathered.
    socket.push = (piece, encoding) => {
      if (piece === null) this.#passLast()
      return push(piece, encoding)
    }
  }

  /** What the stream still holds comes first. */
  get #isDirect(): boolean {
    const { readableFlowing, readableLength } = this.#socket
    return readableFlowing === true && readableLength === 0
  }

  /** Answers whether more may come. */
  read(bytes: Buffer): boolean {
    // Where the buffer was left since it was named for this read, nobody else has it.
    if (bytes.buffer !== this.#own?.buffer) return this.#single(bytes)
    this.#filled += bytes.length
    if (this.#own.length - this.#filled < fullRecord) this.#makeRoom()
    else this.#plan()
    // Who has to wait is told by `pause`.
    return true
  }

  #single(bytes: Buffer): boolean {
    if (!this.#isDirect) return this.#socket.push(Buffer.from(bytes))
    if (bytes.length >= fullRecord) this.#own = takeBuffer()
    return this.#take(Buffer.from(bytes), false)
  }

  /** Where the next record goes. */
  next(): Buffer {
    return this.#own?.subarray(this.#filled) ?? common
  }

  #makeRoom(): void {
    this.#pass()
    if (!this.#own) return
    if (this.#isLent) {
      // Node has decrypted some more when it is told to stop: what it read last, 64 KB.
      this.#keep()
      giveBack(this.#own)
      this.#own = takeBuffer()
    }
    this.#passed = this.#filled = 0
  }

  /** Behind all records that are there already. */
  #plan(): void {
    if (this.#isPlanned) return
    this.#isPlanned = true
    setImmediate(() => {
      this.#isPlanned = false
      this.#pass()
    })
  }

  #pass(): void {
    if (!this.#own || this.#isLent || this.#passed === this.#filled) return
    if (!this.#isDirect) {
      this.#keep()
      return
    }
    const gathered = this.#own.subarray(this.#passed, this.#filled)
    this.#passed = this.#filled
    const isLent = gathered.length >= few
    if (!isLent) this.#leave()
    if (this.#take(isLent ? gathered : Buffer.from(gathered), isLent)) return
    this.#isLent = isLent
    this.#socket.pause()
  }

  #passLast(): void {
    this.#pass()
    this.#keep()
  }

  /** In the stream, which gives it before all that comes later. */
  #keep(): void {
    if (!this.#own || this.#passed === this.#filled) return
    const rest = Buffer.from(this.#own.subarray(this.#passed, this.#filled))
    this.#passed = this.#filled
    this.#socket.push(rest)
  }

  #resumed(): void {
    this.#isLent = false
    this.#pass()
  }

  #leave(): void {
    if (this.#own) giveBack(this.#own)
    this.#own = undefined
    this.#passed = this.#filled = 0
  }
}
