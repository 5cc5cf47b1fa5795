/** Reads one request head after the other from a connection, and answers each before the next: nothing is pipelined here. */
import type { TLSSocket } from 'node:tls'
import { type ConnectHead, ConnectReader } from '../core/route/connect.ts'
import { type RequestHead, RequestHeadReader } from '../core/route/request-head.ts'

export type Head =
  | { readonly kind: 'connect'; readonly head: ConnectHead }
  | { readonly kind: 'request'; readonly head: RequestHead }

interface Handlers {
  readonly head: (head: Head) => void
  readonly malformed: (why: string) => void
  /** Bytes behind a head that has no answer yet. */
  readonly early: () => void
  /** The client has ended its side: it asks no more. */
  readonly gone: () => void
}

const firstOfConnect = 0x43

export class Heads {
  readonly #socket: TLSSocket
  readonly #handlers: Handlers
  #reader: ConnectReader | RequestHeadReader | undefined
  #isAnswered = true
  readonly #take = (piece: Buffer) => this.#push(piece)
  readonly #gone = () => this.#handlers.gone()

  constructor(socket: TLSSocket, handlers: Handlers) {
    this.#socket = socket
    this.#handlers = handlers
    socket.on('data', this.#take).once('end', this.#gone).once('close', this.#gone)
  }

  /** The next head may come. */
  next(): void {
    this.#isAnswered = true
  }

  /** The socket is somebody else's, or nobody reads it any more. */
  release(): void {
    this.#socket.off('data', this.#take).off('end', this.#gone).off('close', this.#gone).pause()
  }

  #push(piece: Buffer): void {
    if (!this.#isAnswered) return void this.#handlers.early()
    this.#reader ??= piece[0] === firstOfConnect ? new ConnectReader() : new RequestHeadReader()
    const isConnect = this.#reader instanceof ConnectReader
    const before = this.#read
    const parsed = this.#reader.push(piece)
    this.#read += piece.length
    if (parsed.kind === 'more') return
    this.#reader = undefined
    this.#read = 0
    this.#isAnswered = false
    if (parsed.kind === 'invalid') return void this.#handlers.malformed(parsed.why)
    if (parsed.used < before + piece.length) return void this.#handlers.early()
    this.#handlers.head(
      isConnect
        ? { kind: 'connect', head: parsed.value as ConnectHead }
        : { kind: 'request', head: parsed.value as RequestHead },
    )
  }

  /** Bytes of the head so far. */
  #read = 0
}

/** The only form of answers here. `Connection: close`: nothing further is read (RFC 9110 section 9.3.6 leaves it open). */
export function answerBytes(
  status: number,
  body: object,
  closes: boolean,
  headers: Record<string, string> = {},
): string {
  const text = JSON.stringify(body)
  const fields = {
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(text)),
    'Cache-Control': 'no-store',
    ...(closes && { Connection: 'close' }),
    ...headers,
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`)
  return [`HTTP/1.1 ${status} ${reasonOf(status)}`, ...lines, '', text].join('\r\n')
}

const reasonOf = (status: number): string => (status === 200 ? 'OK' : 'Refused')
