/** One request and its answer: its id, its deadlines, its line in the log, and the one way in which it ends. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { base64url } from '../core/lib/bytes.ts'
import type { Duration, Instant } from '../core/model.ts'
import type { Ports } from '../core/ports.ts'
import type { Connection } from './connection.ts'
import type { Limits } from './limits.ts'
import type { Log } from './log.ts'
import { type CloseCode, type RefusalCode, refusals } from './reasons.ts'
import type { Resolve } from './upstream.ts'

/** What the proxy needs of the process that it runs in. */
export type World = Pick<Ports, 'now' | 'random'> & {
  readonly log: Log
  readonly limits: Limits
  /** Left out: the system's. */
  readonly resolve?: Resolve
}

type Headers = Readonly<Record<string, string>>

export class Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly connection: Connection
  /** The edge's own when it answers: one id for its log, its audit and this log. */
  requestId: string
  readonly #world: World
  readonly #startedAt: Instant
  readonly #timers = new Map<string, NodeJS.Timeout>()
  #code: string | undefined
  #detail: string | undefined

  constructor(request: IncomingMessage, response: ServerResponse, connection: Connection, world: World) {
    this.request = request
    this.response = response
    this.connection = connection
    this.requestId = base64url(world.random(12))
    this.#world = world
    this.#startedAt = world.now()
    response.once('close', () => this.#end())
    this.within('exchange', this.limits.exchangeMs, () => this.breakOff('exchange_too_long'))
    // Without a listener it would be nobody's, and end the process.
    for (const stream of [request, response]) stream.on('error', () => undefined)
  }

  get limits(): Limits {
    return this.#world.limits
  }

  /** The path alone: a query may hold secrets. */
  get path(): string {
    return (this.request.url ?? '').split('?', 1)[0] as string
  }

  /** A deadline of that name, in place of the one before. */
  within(name: string, ms: Duration, otherwise: () => void): NodeJS.Timeout {
    this.clear(name)
    const timer = setTimeout(otherwise, ms)
    this.#timers.set(name, timer)
    return timer
  }

  clear(name: string): void {
    clearTimeout(this.#timers.get(name))
  }

  answer(status: number, body: object, headers: Headers = {}): void {
    const text = JSON.stringify(body)
    this.within('stall', this.limits.stallMs, () => this.breakOff('client_stalled'))
    this.response.writeHead(status, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(text),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'X-Request-Id': this.requestId,
      ...headers,
    })
    this.response.end(text)
  }

  /** For its line: why it is answered as it is. */
  note(code: string, detail?: string | undefined): void {
    this.#code = code
    this.#detail = detail
  }

  /** What is left of the request's body is read and dropped, so that its sender gets to read this. */
  refuse(code: RefusalCode, { detail, headers = {} }: { detail?: string | undefined; headers?: Headers } = {}): void {
    const [status, error, message] = refusals[code]
    this.note(code, detail)
    this.answer(status, { error, message, request_id: this.requestId }, headers)
  }

  /** The client sees a reset, never an answer that looks complete. */
  breakOff(code: CloseCode): void {
    this.#code = code
    this.connection.reset()
  }

  #end(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    const { request, response, connection } = this
    const code = this.#code ?? (response.writableFinished ? undefined : 'client_gone')
    const status = response.headersSent ? response.statusCode : undefined
    this.#world.log({
      level: (status ?? 0) >= 500 ? 'error' : 'info',
      message: 'proxy request',
      request_id: this.requestId,
      method: request.method,
      path: this.path,
      status,
      code,
      detail: this.#detail,
      address: connection.address,
      ms: this.#world.now() - this.#startedAt,
    })
  }
}
