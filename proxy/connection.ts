/** One accepted connection: where it comes from, the deadline that it stands under, and how it ends. */
import type { Socket } from 'node:net'
import type { Duration } from '../core/model.ts'
import type { Endpoint } from '../core/route/proxy-header.ts'
import type { Log } from './log.ts'
import type { CloseCode } from './reasons.ts'
import type { Place } from './slots.ts'

export class Connection {
  readonly raw: Socket
  /** Where the socket comes from: the client, or a balancer in front. */
  readonly peer: string
  /** The client, and the address that it has dialled: the socket's, or those that a trusted balancer has told. */
  #source: Endpoint
  #destination: Endpoint
  /** Requests without a complete answer. */
  inFlight = 0
  readonly #log: Log
  #deadline: NodeJS.Timeout | undefined
  #place: Place | undefined
  #isEnding = false
  #isRefused = false

  constructor(raw: Socket, address: string, log: Log) {
    this.raw = raw
    this.peer = address
    this.#source = { address, port: raw.remotePort ?? 0 }
    this.#destination = { address: raw.localAddress ?? '', port: raw.localPort ?? 0 }
    this.#log = log
    raw.once('close', () => {
      clearTimeout(this.#deadline)
      this.leavePlace()
    })
  }

  /** The client's: what limits, locks, roles and logs go by. */
  get address(): string {
    return this.#source.address
  }

  get source(): Endpoint {
    return this.#source
  }

  get destination(): Endpoint {
    return this.#destination
  }

  /** A balancer that is believed has told it. */
  comesFrom(source: Endpoint, destination: Endpoint): void {
    this.#source = source
    this.#destination = destination
    this.#place?.movesTo(source.address)
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
    if (this.#isRefused) return false
    this.#isRefused = true
    const { address, peer } = this
    const by = peer !== address && { peer }
    this.#log({ level: 'info', message: 'connection refused', code, detail, address, ...by })
    return true
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
