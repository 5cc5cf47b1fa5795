/**
 * Reads a client's hello without ending TLS, and puts every byte back: whoever takes the connection reads it from its first one on. The
 * bytes are bounded by what the hello's reader takes, the time by the deadline that the connection was accepted with.
 */
import { Growing } from '../core/lib/growing.ts'
import { type Hello, type HelloLimits, type HelloReader, helloReader, type ParsedHello } from '../core/route/hello.ts'
import { sniff, type Wire } from '../core/route/sniff.ts'
import type { Connection } from './connection.ts'
import type { CloseCode } from './reasons.ts'

/** Known well enough to be named. What is neither these nor TLS the hello's reader refuses. */
const foreign: { readonly [wire in Wire]?: CloseCode } = {
  connect: 'plain_connect',
  http: 'plain_http',
  ssh: 'plain_ssh',
  'proxy-v1': 'proxy_header',
  'proxy-v2': 'proxy_header',
  'postgres-ssl': 'plain_postgres',
  'postgres-gssenc': 'plain_postgres',
  'postgres-cancel': 'plain_postgres',
  'postgres-startup': 'plain_postgres',
}

/** `take` gets a socket that is paused. What is no hello is closed, with its reason and without an answer. */
export function peek(connection: Connection, take: (hello: Hello) => void, limits?: HelloLimits): void {
  const { raw } = connection
  const first = new FirstBytes(limits)
  const stop = () => void raw.off('data', read).off('end', gone).off('error', reset).pause()
  const read = (piece: Buffer) => {
    const read = first.push(piece)
    if (read.kind === 'more') return
    stop()
    if (read.kind === 'invalid') return connection.refuse(read.why)
    raw.unshift(first.bytes)
    take(read.value)
  }
  const gone = () => connection.refuse('client_gone')
  const reset = () => void connection.isOver('client_gone')
  raw.on('data', read).once('end', gone).once('error', reset)
}

type Read = ParsedHello | { readonly kind: 'invalid'; readonly why: CloseCode }

export class FirstBytes {
  readonly #hello: HelloReader
  #isSniffed = false
  /** Nearly all hellos come in one piece, which is then not copied. */
  #only: Uint8Array | undefined
  #all: Growing | undefined

  constructor(limits?: HelloLimits) {
    this.#hello = helloReader(limits)
  }

  /** Whatever came, also behind the hello. */
  get bytes(): Uint8Array {
    return this.#all?.bytes ?? this.#only ?? new Uint8Array()
  }

  push(piece: Uint8Array): Read {
    this.#keep(piece)
    if (this.#isSniffed) return this.#hello.push(piece)
    const sniffed = sniff(this.bytes)
    if (sniffed.kind === 'more') return sniffed
    const why = sniffed.kind === 'match' ? foreign[sniffed.wire] : undefined
    if (why !== undefined) return { kind: 'invalid', why }
    this.#isSniffed = true
    return this.#hello.push(this.bytes)
  }

  #keep(piece: Uint8Array): void {
    if (!this.#only) {
      this.#only = piece
      return
    }
    if (!this.#all) {
      this.#all = new Growing()
      this.#all.append(this.#only)
    }
    this.#all.append(piece)
  }
}
