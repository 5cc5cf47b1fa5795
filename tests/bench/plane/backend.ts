/** The backend behind every contender, a process of its own: tells its parent its port, and plays the part that a client names. */
import { createServer, Socket } from 'node:net'
import { serveParent, tell } from './parent.ts'
import { lastType, type Part, piece, pieceLength, readOpening, receipt, welcome } from './wire.ts'

/** One for all: what is read is used up before the next read. */
const reading = Buffer.allocUnsafeSlow(pieceLength)

class Served {
  readonly #socket: Socket
  #opening: Buffer | undefined = Buffer.alloc(0)
  #part: Part = 'echo'
  #received = 0
  #isLast = false
  #isSending = false

  constructor(accepted: Socket) {
    this.#socket = readingInto(accepted, (bytes) => this.#take(bytes))
    this.#socket.on('error', () => this.#socket.destroy())
    this.#socket.on('drain', () => this.#isSending && this.#send())
  }

  #take(bytes: Buffer): void {
    if (this.#opening) this.#open(Buffer.concat([this.#opening, bytes]))
    else if (this.#part === 'echo') this.#socket.write(Buffer.from(bytes))
    else if (this.#part === 'sink') this.#count(bytes)
    else if (!this.#isSending) this.#send()
  }

  #open(bytes: Buffer): void {
    const opened = readOpening(bytes)
    this.#opening = bytes
    if (opened.kind === 'more') return
    const rest = bytes.subarray(opened.used)
    if (opened.kind === 'ssl') this.#socket.write('N')
    if (opened.kind !== 'part') return void this.#open(rest)
    this.#opening = undefined
    this.#part = opened.part
    this.#socket.write(welcome)
    if (rest.length > 0) this.#take(rest)
  }

  #count(bytes: Buffer): void {
    const first = (pieceLength - (this.#received % pieceLength)) % pieceLength
    for (let at = first; at < bytes.length; at += pieceLength) this.#isLast ||= bytes[at] === lastType
    this.#received += bytes.length
    if (!this.#isLast || this.#received % pieceLength !== 0) return
    this.#isLast = false
    this.#socket.write(receipt(this.#received))
  }

  #send(): void {
    this.#isSending = true
    while (this.#socket.write(piece));
  }
}

/**
 * Node offers `onread`, one buffer for all reads, only to sockets that dial; without it the backend takes half as much a second as
 * the best peer passes on. So its handle is put into another socket, which Node has no public way for.
 */
function readingInto(accepted: Socket, take: (bytes: Buffer) => void): Socket {
  const inner = accepted as unknown as { _handle: { reading: boolean } | null }
  const handle = inner._handle
  inner._handle = null
  accepted.removeAllListeners()
  if (handle) handle.reading = false
  const callback = (count: number) => {
    take(reading.subarray(0, count))
    return true
  }
  const options: object = { handle, onread: { buffer: () => reading, callback } }
  return new Socket(options).resume()
}

const server = createServer({ pauseOnConnect: true, noDelay: true }, (accepted) => void new Served(accepted))
serveParent()
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => tell((server.address() as { port: number }).port))
