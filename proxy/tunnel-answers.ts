/** What a client is told whose tunnel does not open, and what the log has of it; on whichever wire it asked. */
import { base64url } from '../core/lib/bytes.ts'
import { Refusal } from '../core/refusal.ts'
import type { Connection } from './connection.ts'
import type { Exchange, World } from './exchange.ts'
import { type RefusalCode, refusals } from './reasons.ts'
import { DialFailure } from './upstream.ts'

export interface TunnelAnswer {
  readonly status: number
  readonly body: object
  readonly headers: Readonly<Record<string, string>>
}

interface Needs {
  readonly world: World
  /** Of a request that has an id and a line of its own, which says it then. */
  readonly exchange?: Pick<Exchange, 'requestId' | 'note'>
  /** Whose line says why it ended. `stream`: one of several on the connection. */
  readonly of: Pick<Connection, 'id' | 'address' | 'note'> & { readonly stream?: number | undefined }
  /** The last that is said. */
  send(answer: TunnelAnswer): void
}

type Headers = Readonly<Record<string, string>>

/** With no credential (RFC 9110 section 11.7.1): programs such as git ask without one first. */
export const challenge = { 'Proxy-Authenticate': 'Basic realm="sallyport"' } as const

export class TunnelAnswers {
  readonly #needs: Needs

  constructor(needs: Needs) {
    this.#needs = needs
  }

  refuse(code: RefusalCode, detail?: string, headers: Headers = {}): void {
    const [status, error, message] = refusals[code]
    this.#send(status, code, { error, message }, detail, headers)
  }

  /** 403 whatever it was: a client that may try again says so to its user, and asks for another grant. */
  refuseFor(error: unknown, headers: Headers = {}): void {
    if (error instanceof DialFailure) {
      const { status, code, message, detail } = error
      return void this.#send(
        status,
        code,
        { error: status === 403 ? 'access_denied' : 'upstream_failed', message },
        detail,
      )
    }
    if (!(error instanceof Refusal)) return void this.#fail(error)
    const { code, word, words, status, detail } = error
    const isPlain = 'WWW-Authenticate' in headers || status === 503
    this.#send(isPlain ? status : 403, code, { error: word, message: words }, JSON.stringify(detail), headers)
  }

  /** A mistake of ours. */
  #fail(error: unknown): void {
    const { log } = this.#needs.world
    log({ level: 'error', message: 'the proxy has failed', detail: (error as Error).stack ?? String(error) })
    this.#send(500, 'failed', {
      error: 'internal',
      message: 'The proxy has failed: its operator finds why in its log.',
    })
  }

  #send(status: number, code: string, body: object, detail?: string, headers: Headers = {}): void {
    const { world, of, exchange, send } = this.#needs
    const request_id = exchange?.requestId ?? base64url(world.random(12))
    const { id: connection, address, stream } = of
    of.note({ code, detail })
    const line = { request_id, status, code, detail, connection, ...(stream !== undefined && { stream }), address }
    if (exchange) exchange.note(code, detail)
    else world.log({ level: 'info', message: 'proxy request', ...line })
    send({ status, body: { ...body, request_id }, headers })
  }
}
