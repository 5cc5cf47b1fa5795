/**
 * One connection of a static route, from its hello to its last byte: the first backend that answers gets the client's bytes from the first
 * one on, and nothing of them is looked at.
 */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { splitHostPort } from '../core/access/host-port.ts'
import type { Choice } from './balance.ts'
import type { Connection, Outcome } from './connection.ts'
import type { World } from './exchange.ts'
import type { Backend } from './health.ts'
import type { DialCode, EndCode } from './reasons.ts'
import type { Cuttable, Relays } from './relays.ts'
import { type Spliced, splice } from './splice.ts'
import { DialFailure, dial } from './upstream.ts'

export interface RelayNeeds {
  readonly world: World
  readonly relays: Relays
  readonly ownPorts: ReadonlySet<number>
  /** Says to a backend what comes before the client's first byte. @throws DialFailure, or the signal's reason */
  readonly prepare?: (backend: Socket, at: string, signal: AbortSignal) => Promise<void>
}

export interface Destination {
  /** Of the route. */
  readonly name: string
  readonly choice: Choice
}

/** The client's side. */
export interface Client {
  /** The connection itself, or what came out of its TLS. */
  readonly stream: Duplex
  /** Put before its first bytes. */
  readonly announcement: Uint8Array | undefined
}

export function relay(needs: RelayNeeds, destination: Destination, connection: Connection, client: Client): void {
  const one = new Relay(needs, destination, connection, client)
  const leave = needs.relays.add(connection.address, one)
  if (typeof leave === 'string') connection.refuse(leave)
  else void one.run(leave)
}

interface Reached {
  readonly backend: Backend
  readonly socket: Socket
}

class Relay implements Cuttable {
  readonly #needs: RelayNeeds
  readonly #destination: Destination
  readonly #connection: Connection
  readonly #client: Client
  readonly #calledOff = new AbortController()
  #backend: Backend | undefined
  #spliced: Spliced | undefined
  #isOver = false
  #leave: () => void = () => undefined

  constructor(needs: RelayNeeds, destination: Destination, connection: Connection, client: Client) {
    this.#needs = needs
    this.#destination = destination
    this.#connection = connection
    this.#client = client
  }

  /** Never rejects. */
  async run(leave: () => void): Promise<void> {
    this.#leave = leave
    this.#hold()
    const { stream } = this.#client
    const gone = () => this.#abandon('client_reset')
    stream.once('close', gone)
    try {
      const reached = await this.#reach()
      stream.off('close', gone)
      this.#pass(reached)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Two directions that end each for itself, among the relays instead of those that are undecided. */
  #hold(): void {
    const connection = this.#connection
    const { stream } = this.#client
    connection.awaitEnd()
    connection.withoutDeadline()
    connection.leavePlace()
    // Never idle: a proxy that stops cuts it in its own time (proxy/relays.ts).
    connection.inFlight++
    stream.allowHalfOpen = true
    stream.on('error', () => stream.destroy())
  }

  async #reach(): Promise<Reached> {
    const { dialMs } = this.#needs.world.limits
    const late = new DialFailure('upstream_too_slow', 'No backend has answered in time.')
    const timer = setTimeout(() => this.#calledOff.abort(late), dialMs)
    const from = performance.now()
    try {
      return await this.#dialFirst()
    } finally {
      clearTimeout(timer)
      this.#connection.note({ dial_ms: Math.round(performance.now() - from) })
    }
  }

  async #dialFirst(): Promise<Reached> {
    const { world, ownPorts, prepare } = this.#needs
    const { signal } = this.#calledOff
    let failure: unknown = new DialFailure('no_healthy_backend', 'Every backend of this route is down.')
    for (const backend of this.#destination.choice.order()) {
      this.#connection.note({ backend: backend.uri })
      try {
        const socket = await dial({ limits: world.limits, ownPorts }, splitHostPort(backend.uri), signal)
        await prepare?.(socket, backend.uri, signal)
        backend.found(true)
        return { backend, socket }
      } catch (error) {
        if (error instanceof DialFailure || signal.reason instanceof DialFailure) backend.found(false)
        signal.throwIfAborted()
        if (!(error instanceof DialFailure)) throw error
        failure = error
        this.#tellUnreached(backend, error.code)
      }
    }
    throw failure
  }

  #pass({ backend, socket }: Reached): void {
    this.#backend = backend
    backend.open++
    const { sessionIdleMs, halfCloseIdleMs } = this.#needs.world.limits
    this.#spliced = splice(
      { stream: this.#client.stream, reset: () => this.#connection.reset() },
      { stream: socket, reset: () => socket.resetAndDestroy() },
      {
        idleMs: sessionIdleMs,
        halfCloseIdleMs,
        passed: this.#announce(socket),
        toClient: () => undefined,
        ended: (outcome) => this.#finish(outcome),
        idle: (code) => this.cut(code),
      },
    )
  }

  /** In one write with whatever the client has said: some services read once. How much of the client's that is. */
  #announce(socket: Socket): number {
    const { stream, announcement } = this.#client
    if (!announcement) return 0
    const first = (stream.read() as Buffer | null) ?? Buffer.alloc(0)
    socket.write(Buffer.concat([announcement, first]))
    return first.length
  }

  cut(code: EndCode): void {
    if (this.#spliced) this.#spliced.cut(code)
    else this.#abandon(code)
  }

  close(code: EndCode): void {
    if (this.#spliced) this.#spliced.close(code)
    else this.#abandon(code)
  }

  /** Before a backend was reached. */
  #abandon(code: EndCode | DialCode): void {
    const by = code === 'client_reset' ? 'client' : isDial(code) ? 'upstream' : 'proxy'
    this.#finish({ code, by, up: 0, down: 0 })
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

  #finish(outcome: Outcome): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#leave()
    if (this.#backend) this.#backend.open--
    this.#connection.ended(outcome)
  }

  #tellUnreached({ uri: backend }: Backend, code: DialCode): void {
    const { id: connection, address } = this.#connection
    const route = this.#destination.name
    const { log } = this.#needs.world
    log({ level: 'warn', message: 'backend not reached', route, backend, code, connection, address })
  }
}

const isDial = (code: EndCode | DialCode): boolean => code.startsWith('upstream_') || code === 'no_healthy_backend'
