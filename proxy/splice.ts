/**
 * Passes bytes both ways until both sides have ended. An end is passed on as an end, so an answer to the last request arrives;
 * a reset as a reset, so what broke off does not look complete; and whoever reads slowly is waited for.
 */
import type { Duplex } from 'node:stream'
import type { Duration } from '../core/model.ts'
import type { Outcome, Side as Whose } from './connection.ts'
import { flow } from './flow.ts'
import type { EndCode } from './reasons.ts'

export interface Side {
  readonly stream: Duplex
  /** RST. */
  reset(): void
}

export interface Spliced {
  /** `last`: for the client, behind what it was sent. Whoever calls knows that it may stand there. */
  cut(code: EndCode, last?: Uint8Array): void
  /** Ends both sides with an end (FIN), and resets after a while who does not end then. */
  close(code: EndCode): void
  /** Whether the client has said something since this was asked before, or cannot: the other side is slow to take what it said. */
  heardClient(): boolean
}

export interface Splicing {
  readonly idleMs: Duration
  readonly halfCloseIdleMs: Duration
  /** Each piece for the client, before it is passed on. */
  readonly toClient: (piece: Uint8Array) => void
  /** Bytes of the client that the other side has got already. */
  readonly passed?: number
  /** Once. */
  readonly ended: (outcome: Outcome & { readonly code: EndCode }) => void
  /** The code: so that a session that is idle can be told. */
  readonly idle: (code: EndCode) => void
}

/** How long the client has to take its last message. */
const lastMs = 1000

export function splice(client: Side, upstream: Side, splicing: Splicing): Spliced {
  return new Splice(client, upstream, splicing)
}

class Splice implements Spliced {
  readonly #client: Side
  readonly #upstream: Side
  readonly #splicing: Splicing
  #up: number
  #down = 0
  /** Who ended first. */
  #first: Whose | undefined
  /** What `#up` was when somebody last asked. */
  #upBefore = 0
  #isOver = false
  readonly #flows: readonly (() => void)[]
  #idle: NodeJS.Timeout

  constructor(client: Side, upstream: Side, splicing: Splicing) {
    this.#client = client
    this.#upstream = upstream
    this.#splicing = splicing
    this.#up = splicing.passed ?? 0
    this.#idle = setTimeout(() => splicing.idle('session_idle'), splicing.idleMs)
    this.#join(client, upstream, 'client')
    this.#join(upstream, client, 'upstream')
    this.#flows = [
      flow(client.stream, upstream.stream, (piece) => {
        this.#up += piece.length
        this.#idle.refresh()
      }),
      flow(upstream.stream, client.stream, (piece) => {
        this.#down += piece.length
        this.#idle.refresh()
        splicing.toClient(piece)
      }),
    ]
  }

  #join(from: Side, to: Side, whose: 'client' | 'upstream'): void {
    const { stream } = from
    const broken = `${whose}_reset` as const
    stream.once('end', () => this.#halfClosed(whose))
    stream.once('error', () => this.#broken(to, broken))
    stream.once('close', () => {
      if (!stream.readableEnded || !stream.writableFinished) this.#broken(to, broken)
      else if (to.stream.closed) this.#end('ended')
    })
  }

  #halfClosed(whose: Whose): void {
    if (this.#isOver || this.#first !== undefined) return
    this.#first = whose
    clearTimeout(this.#idle)
    const { halfCloseIdleMs, idle } = this.#splicing
    this.#idle = setTimeout(() => idle('half_closed_too_long'), halfCloseIdleMs)
  }

  #broken(other: Side, code: EndCode): void {
    if (this.#isOver) return
    this.#end(code)
    other.reset()
  }

  heardClient(): boolean {
    const heard = this.#up > this.#upBefore || this.#upstream.stream.writableLength > 0
    this.#upBefore = this.#up
    return heard
  }

  cut(code: EndCode, last?: Uint8Array): void {
    if (this.#isOver) return
    this.#end(code)
    const { stream } = this.#client
    this.#stopFlows()
    this.#upstream.reset()
    if (!last || stream.writableEnded) return void this.#client.reset()
    const late = setTimeout(() => this.#client.reset(), lastMs)
    stream.once('close', () => clearTimeout(late))
    stream.end(last, () => stream.destroy())
  }

  close(code: EndCode): void {
    if (this.#isOver) return
    this.#end(code)
    this.#stopFlows()
    for (const side of [this.#client, this.#upstream]) {
      const { stream } = side
      const late = setTimeout(() => side.reset(), lastMs)
      stream.once('close', () => clearTimeout(late))
      stream.end()
    }
  }

  #stopFlows(): void {
    for (const stop of this.#flows) stop()
  }

  #end(code: EndCode): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#idle)
    this.#splicing.ended({ code, by: this.#whoseEnd(code), up: this.#up, down: this.#down })
  }

  #whoseEnd(code: EndCode): Whose {
    if (code === 'client_reset') return 'client'
    if (code === 'upstream_reset') return 'upstream'
    return code === 'ended' ? (this.#first ?? 'proxy') : 'proxy'
  }
}
