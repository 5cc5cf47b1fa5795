/**
 * One connection of a static route, from its hello to its last byte: the first backend that answers gets the client's bytes from the first
 * one on, and nothing of them is looked at.
 */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Instant } from '../core/model.ts'
import type { Connection } from './connection.ts'
import type { World } from './exchange.ts'
import type { CloseCode, DialCode, EndCode } from './reasons.ts'
import type { Cuttable, Relays } from './relays.ts'
import { type Spliced, splice } from './splice.ts'
import { DialFailure, dial, targetOf } from './upstream.ts'

export interface RelayNeeds {
  readonly world: World
  readonly relays: Relays
  readonly ownPort: number
  /** Says to a backend what comes before the client's first byte. @throws DialFailure, or the signal's reason */
  readonly prepare?: (backend: Socket, at: string, signal: AbortSignal) => Promise<void>
}

interface Destination {
  /** Of the route. */
  readonly name: string
  /** `HOST:PORT`, tried in this order. */
  readonly backends: readonly string[]
}

/** `client`: the connection itself, or what came out of its TLS. */
export function relay(needs: RelayNeeds, destination: Destination, connection: Connection, client: Duplex): void {
  const one = new Relay(needs, destination, connection, client)
  const leave = needs.relays.add(connection.address, one)
  if (typeof leave === 'string') connection.refuse(leave, destination.name)
  else void one.run(leave)
}

class Relay implements Cuttable {
  readonly #needs: RelayNeeds
  readonly #destination: Destination
  readonly #connection: Connection
  readonly #client: Duplex
  readonly #calledOff = new AbortController()
  readonly #begunAt: Instant
  #backend: string | undefined
  #spliced: Spliced | undefined
  #isOver = false
  #leave: () => void = () => undefined

  constructor(needs: RelayNeeds, destination: Destination, connection: Connection, client: Duplex) {
    this.#needs = needs
    this.#destination = destination
    this.#connection = connection
    this.#client = client
    this.#begunAt = needs.world.now()
  }

  /** Never rejects. */
  async run(leave: () => void): Promise<void> {
    this.#leave = leave
    this.#hold()
    const gone = () => this.#abandon('client_reset')
    this.#client.once('close', gone)
    try {
      const upstream = await this.#reach()
      this.#client.off('close', gone)
      this.#pass(upstream)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Two directions that end each for itself, among the relays instead of those that are undecided. */
  #hold(): void {
    const connection = this.#connection
    connection.withoutDeadline()
    connection.leavePlace()
    // Never idle: a proxy that stops cuts it in its own time (proxy/relays.ts).
    connection.inFlight++
    this.#client.allowHalfOpen = true
    this.#client.on('error', () => this.#client.destroy())
  }

  async #reach(): Promise<Socket> {
    const { dialMs } = this.#needs.world.limits
    const late = new DialFailure('upstream_too_slow', 'No backend has answered in time.')
    const timer = setTimeout(() => this.#calledOff.abort(late), dialMs)
    try {
      return await this.#dialFirst()
    } finally {
      clearTimeout(timer)
    }
  }

  async #dialFirst(): Promise<Socket> {
    const { world, ownPort, prepare } = this.#needs
    const { signal } = this.#calledOff
    let failure: unknown
    for (const backend of this.#destination.backends) {
      this.#backend = backend
      try {
        const upstream = await dial({ limits: world.limits, ownPort }, targetOf(backend), signal)
        await prepare?.(upstream, backend, signal)
        return upstream
      } catch (error) {
        signal.throwIfAborted()
        if (!(error instanceof DialFailure)) throw error
        failure = error
        this.#tell('warn', 'backend not reached', error.code)
      }
    }
    throw failure
  }

  #pass(upstream: Socket): void {
    const { sessionIdleMs, halfCloseIdleMs } = this.#needs.world.limits
    this.#spliced = splice(
      { stream: this.#client, reset: () => this.#connection.reset() },
      { stream: upstream, reset: () => upstream.resetAndDestroy() },
      {
        idleMs: sessionIdleMs,
        halfCloseIdleMs,
        toClient: () => undefined,
        ended: (code, up, down) => this.#finish(code, up, down),
        idle: (code) => this.cut(code),
      },
    )
  }

  cut(code: EndCode): void {
    if (this.#spliced) this.#spliced.cut(code)
    else this.#abandon(code)
  }

  /** Before a backend was reached. */
  #abandon(code: EndCode | DialCode): void {
    this.#finish(code)
    this.#calledOff.abort(new Error(code))
    this.#connection.reset()
  }

  #fail(error: unknown): void {
    if (error instanceof DialFailure) return void this.#abandon(error.code)
    // Called off, or else a mistake of ours.
    if (this.#isOver) return
    const { log } = this.#needs.world
    log({ level: 'error', message: 'the proxy has failed', detail: (error as Error).stack ?? String(error) })
    this.#abandon('failed')
  }

  #finish(code: EndCode | DialCode, up = 0, down = 0): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#leave()
    this.#tell('info', 'route ended', code, { up, down, ms: this.#needs.world.now() - this.#begunAt })
  }

  #tell(level: 'info' | 'warn', message: string, code: CloseCode | DialCode | EndCode, more = {}): void {
    const { name: route } = this.#destination
    const { address } = this.#connection
    this.#needs.world.log({ level, message, route, backend: this.#backend, code, address, ...more })
  }
}
