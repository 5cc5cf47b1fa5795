/** One accepted connection: where it comes from, the deadline that it stands under, how it ends, and the one line about it in the log. */
import type { Socket } from 'node:net'
import type { Duration } from '../core/model.ts'
import type { Log } from './log.ts'
import type { CloseCode, DialCode, EndCode } from './reasons.ts'
import type { Place } from './slots.ts'

/** What became known of it on its way, for its line. Durations count from its first moment. */
export interface Noted {
  readonly sni?: string | undefined
  /** What the client offers, in its order. */
  readonly alpn?: string | undefined
  readonly route?: string
  /** `HOST:PORT` that was dialled last. */
  readonly backend?: string | undefined
  readonly user?: string
  readonly resource?: string
  /** As the edge knows it. */
  readonly session?: string
  /** Of a refusal that was answered, or of an end. */
  readonly code?: string
  readonly detail?: string | undefined
  readonly closed_by?: Side
  readonly route_ms?: Duration
  readonly dial_ms?: Duration
}

/** Who ended it first. */
export type Side = 'client' | 'upstream' | 'proxy'

/** Of what has passed between two ends. `up` and `down`: bytes from and to the client. */
export interface Outcome {
  readonly code: CloseCode | DialCode | EndCode
  readonly by: Side
  readonly up: number
  readonly down: number
}

const goneByItself: ReadonlySet<string> = new Set<CloseCode>(['client_gone'])

export class Connection {
  readonly raw: Socket
  readonly address: string
  /** In the log, and what a service behind is told (PROXY protocol, UNIQUE_ID). */
  readonly id: string = crypto.randomUUID()
  /** Requests without a complete answer. */
  inFlight = 0
  readonly #log: Log
  readonly #begunAt = performance.now()
  #noted: Noted = {}
  #deadline: NodeJS.Timeout | undefined
  #place: Place | undefined
  #isEnding = false
  #isTold = false
  /** Somebody else says how it has ended. */
  #isAwaited = false

  constructor(raw: Socket, address: string, log: Log) {
    this.raw = raw
    this.address = address
    this.#log = log
    raw.once('error', () => this.note({ closed_by: 'client' }))
    raw.once('close', () => {
      clearTimeout(this.#deadline)
      this.leavePlace()
      if (!this.#isAwaited) this.#tell({})
    })
  }

  /** Since it was accepted. */
  get age(): Duration {
    return Math.round(performance.now() - this.#begunAt)
  }

  note(noted: Noted): void {
    this.#noted = { ...this.#noted, ...noted }
  }

  /** Its line waits for `ended`, since bytes may still pass when one of its sockets is closed. */
  awaitEnd(): void {
    this.#isAwaited = true
  }

  ended({ code, by, up, down }: Outcome): void {
    this.#tell({ code, closed_by: by, up, down })
  }

  /** Its place among those that have proven nothing yet. */
  holds(place: Place): void {
    this.#place = place
  }

  /** It has shown whose it is, and is counted elsewhere from now on. */
  leavePlace(): void {
    this.#place?.leave()
    this.#place = undefined
  }

  /** In place of the deadline before. */
  within(ms: Duration, otherwise: CloseCode): void {
    this.withoutDeadline()
    this.#deadline = setTimeout(() => this.refuse(otherwise), ms)
  }

  /** Its requests have deadlines of their own. */
  withoutDeadline(): void {
    clearTimeout(this.#deadline)
    this.#place?.moved()
  }

  /** `last`: bytes that the client should still get, such as an alert. */
  refuse(code: CloseCode, detail?: string, last?: Uint8Array): void {
    if (this.raw.destroyed || !this.isOver(code, detail)) return
    if (last) this.raw.write(last, () => this.raw.destroy())
    else this.raw.destroy()
  }

  /** Of one that ends by itself. Whether this is the first to say why. */
  isOver(code: CloseCode, detail?: string): boolean {
    if (this.#isTold) return false
    this.#tell({ code, detail, closed_by: goneByItself.has(code) ? 'client' : 'proxy' })
    return true
  }

  /** Once. Bytes are those on the wire where nobody has counted what is inside. */
  #tell(last: Partial<Outcome> & Noted): void {
    if (this.#isTold) return
    this.#isTold = true
    const { id: connection, address, age: ms } = this
    const { bytesRead: up, bytesWritten: down } = this.raw
    const defaults = { code: 'ended', closed_by: 'proxy' as const, up, down }
    const line = { ...defaults, ...this.#noted, ...last, ms }
    this.#log({ level: 'info', message: 'connection ended', connection, address, ...line })
  }

  /** RST: what was sent must not look complete. */
  reset(): void {
    this.raw.resetAndDestroy()
  }

  /** From now on it ends as soon as no request is in flight. */
  endWhenIdle(): void {
    this.#isEnding = true
    this.endIfDone()
  }

  endIfDone(): void {
    if (this.#isEnding && this.inFlight === 0) this.raw.destroy()
  }
}
