/**
 * HTTP/2 on connections whose TLS ended here (RFC 9113). Each stream is written anew as one HTTP/1.1 request, and goes where such requests
 * go (proxy/http.ts): one place checks names, framing, sizes and time, and one place filters what passes. CONNECT goes its own way
 * (proxy/http2-connect.ts).
 */
import { type ClientRequest, type IncomingMessage, request as startRequest } from 'node:http'
import {
  constants,
  type OutgoingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { duplexPair } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Connection } from './connection.ts'
import { exporterOf } from './exporter.ts'
import type { HttpEnd } from './http.ts'
import { type ConnectNeeds, ConnectStreams } from './http2-connect.ts'
import { http1Fields } from './http2-fields.ts'
import type { Limits } from './limits.ts'

interface Needs extends ConnectNeeds {
  readonly http: HttpEnd
}

export interface Http2End {
  take(connection: Connection, socket: TLSSocket): void
}

/** Streams that a client resets (CVE-2023-44487), at once and then a second. A browser resets those of a page that is left. */
const [mostResets, resetsASecond] = [100, 10]
/** RFC 9113 section 8.2.2. Node refuses to send them. */
const ofHttp1 = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'])
const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_PROTOCOL_ERROR } = constants

export const makeHttp2End = (needs: Needs): Http2End => ({
  take: (connection, socket) => {
    const { limits } = needs.world
    connection.within(limits.headMs, 'head_too_slow')
    const connects = new ConnectStreams(needs, connection, exporterOf(socket))
    new Streams(performServerHandshake(socket, optionsOf(limits)), connection, connects, needs)
  },
})

/** nghttp2 itself refuses streams beyond those, and bounds what costs us more than the client: settings, continuations (CVE-2024-27983), resets. */
const optionsOf = ({ headBytes, pipelined }: Limits) => ({
  /** MB, of streams and what they buffer; further streams are refused. */
  maxSessionMemory: 2,
  maxSessionInvalidFrames: 10,
  maxSessionRejectedStreams: mostResets,
  streamResetBurst: mostResets,
  streamResetRate: resetsASecond,
  settings: { enablePush: false, maxConcurrentStreams: pipelined, maxHeaderListSize: headBytes },
})

/** All of one connection. */
class Streams {
  readonly #connection: Connection
  readonly #connects: ConnectStreams
  readonly #needs: Needs

  constructor(session: ServerHttp2Session, connection: Connection, connects: ConnectStreams, needs: Needs) {
    this.#connection = connection
    this.#connects = connects
    this.#needs = needs
    session.on('stream', (stream, headers, _flags, rawHeaders: readonly string[]) => {
      stream.on('error', () => undefined)
      if (headers[':method'] === 'CONNECT') this.#connects.take(stream, rawHeaders)
      else this.#take(stream, rawHeaders)
    })
    session.on('error', (error: Error & { code?: string }) => connection.refuse('request_malformed', error.code))
    session.on('close', () => connection.raw.destroy())
  }

  #take(stream: ServerHttp2Stream, rawHeaders: readonly string[]): void {
    const head = http1Fields(rawHeaders, stream.endAfterHeaders)
    if (!head) return void stream.close(NGHTTP2_PROTOCOL_ERROR)
    const [ours, theirs] = duplexPair()
    // A client that is gone must not leave its request behind.
    stream.once('close', () => theirs.destroy())
    const { headBytes, headMs } = this.#needs.world.limits
    this.#connection.within(headMs, 'head_too_slow')
    this.#needs.http.take(this.#connection, theirs)
    const { method, path, fields } = head
    const options = {
      createConnection: () => ours,
      method,
      path,
      headers: fields,
      maxHeaderSize: 4 * headBytes,
    } as const
    pass(stream, startRequest(options))
  }
}

function pass(stream: ServerHttp2Stream, request: ClientRequest): void {
  stream.once('close', () => request.destroy())
  request.on('error', () => stream.destroyed || stream.close(NGHTTP2_INTERNAL_ERROR))
  request.on('continue', () => stream.destroyed || stream.additionalHeaders({ ':status': 100 }))
  request.on('response', (answer) => answerWith(stream, request, answer))
  stream.pipe(request)
}

function answerWith(stream: ServerHttp2Stream, request: ClientRequest, answer: IncomingMessage): void {
  if (stream.destroyed) return void answer.destroy()
  answer.on('error', () => stream.close(NGHTTP2_INTERNAL_ERROR))
  // Refused before its body was sent: the client need not send the rest (RFC 9113 section 8.1).
  stream.once('finish', () => stream.readableEnded || stream.close(NGHTTP2_NO_ERROR))
  stream.respond({ ...answerFields(answer.rawHeaders), ':status': answer.statusCode ?? 502 })
  stream.unpipe(request)
  stream.resume()
  answer.pipe(stream)
}

function answerFields(fields: readonly string[]): OutgoingHttpHeaders {
  const read: Record<string, string[]> = {}
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = (fields[at] as string).toLowerCase()
    if (!ofHttp1.has(name)) read[name] = [...(read[name] ?? []), fields[at + 1] as string]
  }
  return Object.fromEntries(
    Object.entries(read).map(([name, values]) => [name, values.length === 1 ? values[0] : values]),
  )
}
