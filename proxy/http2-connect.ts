/** CONNECT over HTTP/2 (RFC 9113 section 8.5): each stream is a tunnel of its own, and opens as one under `sallyport` does. */
import { constants, type ServerHttp2Stream } from 'node:http2'
import { type ConnectFields, parseConnectFields } from '../core/route/connect-fields.ts'
import type { Bearers } from './bearers.ts'
import type { Connection } from './connection.ts'
import { Http2Tunnel } from './http2-tunnel.ts'
import { Lane } from './lane.ts'
import { Opening, type OpeningNeeds } from './opening.ts'
import { challenge, type TunnelAnswer, TunnelAnswers } from './tunnel-answers.ts'
import { shownToForwardProxy } from './word-grant.ts'

export interface ConnectNeeds extends OpeningNeeds {
  readonly bearers: Bearers
}

/** Over HTTP/1.1 each refusal costs a handshake. */
const mostRefused = 10
const { NGHTTP2_CONNECT_ERROR, NGHTTP2_NO_ERROR } = constants

/** Those of one connection. */
export class ConnectStreams {
  readonly #needs: ConnectNeeds
  readonly #connection: Connection
  readonly #exporter: string | undefined
  #refused = 0

  constructor(needs: ConnectNeeds, connection: Connection, exporter: string | undefined) {
    this.#needs = needs
    this.#connection = connection
    this.#exporter = exporter
  }

  /** `fields`: names and values in turn. Somebody hears the stream's errors. */
  take(stream: ServerHttp2Stream, fields: readonly string[]): void {
    const { limits, log } = this.#needs.world
    const lane = new Lane({
      connection: this.#connection,
      log,
      stream: stream.id ?? 0,
      reset: () => stream.close(NGHTTP2_CONNECT_ERROR),
    })
    this.#enter(stream, lane)
    const answers = new TunnelAnswers({
      world: this.#needs.world,
      of: lane,
      send: (answer) => this.#refuse(stream, lane, answer),
    })
    const parsed = parseConnectFields(fields)
    if (parsed.kind === 'invalid') return void answers.refuse('head_malformed', parsed.why)
    lane.within(limits.grantMs + limits.dialMs, 'grant_too_slow')
    void this.#open(stream, lane, answers, parsed.value)
  }

  /** While a tunnel is open the deadline of the connection rests. */
  #enter(stream: ServerHttp2Stream, lane: Lane): void {
    const { limits } = this.#needs.world
    const connection = this.#connection
    connection.inFlight++
    connection.withoutDeadline()
    stream.once('close', () => {
      lane.withoutDeadline()
      connection.inFlight--
      if (connection.inFlight === 0) connection.within(limits.idleMs + limits.headMs, 'head_too_slow')
      connection.endIfDone()
    })
  }

  async #open(stream: ServerHttp2Stream, lane: Lane, answers: TunnelAnswers, head: ConnectFields): Promise<void> {
    const opening = new Opening(this.#needs, lane, new Http2Tunnel(stream))
    const gone = () => opening.abandon()
    stream.once('aborted', gone).once('close', gone)
    try {
      const showing = shownToForwardProxy(this.#needs, head, lane, this.#exporter)
      if (!showing) return answers.refuse('proxy_credential_missing', undefined, challenge)
      await opening.open(showing, () => {
        lane.withoutDeadline()
        if (!stream.destroyed) stream.respond({ ':status': 200 })
      })
      await opening.run()
    } catch (error) {
      if (!stream.destroyed && !stream.headersSent) answers.refuseFor(error)
    }
  }

  #refuse(stream: ServerHttp2Stream, lane: Lane, { status, body, headers }: TunnelAnswer): void {
    const { limits } = this.#needs.world
    lane.within(limits.idleMs, 'client_stalled')
    const fields = { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers }
    stream.respond({ ':status': status, ...fields })
    // It need not end its side: nothing further is read (RFC 9113 section 8.1).
    stream.once('finish', () => stream.close(NGHTTP2_NO_ERROR))
    stream.end(JSON.stringify(body))
    if (++this.#refused > mostRefused) this.#connection.refuse('too_many_refused')
  }
}
