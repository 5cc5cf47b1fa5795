/**
 * Whether services answer: each is dialled again and again, and what connections find counts too. Who is down gets no connection until
 * it has answered several times. What is known outlives a reload of the configuration.
 */
import { splitHostPort } from '../core/access/host-port.ts'
import type { Duration } from '../core/model.ts'
import type { World } from './exchange.ts'
import { dial } from './upstream.ts'

/** How a service is looked at: a TCP connection, and nothing is said on it. */
export interface HealthCheck {
  readonly interval: Duration
  readonly timeout: Duration
  /** So many answers in a row make it up again, and so many failures down. */
  readonly rise: number
  readonly fall: number
}

export interface Backend {
  /** `HOST:PORT`. */
  readonly uri: string
  readonly isUp: boolean
  /** Connections that are open to it, of all routes that name it so. */
  open: number
  /** A connection has reached it, or not. */
  found(isThere: boolean): void
  /** Of whoever has asked for it, once. */
  release(): void
}

export interface Health {
  /** Undefined: it is not looked at, and always counts as up. */
  of(uri: string, check: HealthCheck | undefined): Backend
}

interface Needs {
  readonly world: World
  readonly ownPorts: ReadonlySet<number>
}

export function makeHealth(needs: Needs): Health {
  const all = new Map<string, Watched>()
  return {
    of: (uri, check) => {
      const key = JSON.stringify([uri, check])
      const one = all.get(key) ?? new Watched(needs, uri, check, () => void all.delete(key))
      all.set(key, one)
      one.take()
      return one
    },
  }
}

class Watched implements Backend {
  readonly uri: string
  open = 0
  #isUp = true
  /** Since the last of the other kind. */
  #inRow = 0
  #isKnown = false
  #holders = 0
  #timer: NodeJS.Timeout | undefined
  #looking: AbortController | undefined
  readonly #needs: Needs
  readonly #check: HealthCheck | undefined
  readonly #leave: () => void

  constructor(needs: Needs, uri: string, check: HealthCheck | undefined, leave: () => void) {
    this.#needs = needs
    this.uri = uri
    this.#check = check
    this.#leave = leave
  }

  get isUp(): boolean {
    return this.#isUp
  }

  take(): void {
    this.#holders += 1
    if (this.#holders === 1 && this.#check) void this.#look(this.#check)
  }

  release(): void {
    this.#holders -= 1
    if (this.#holders > 0) return
    clearTimeout(this.#timer)
    this.#looking?.abort()
    this.#leave()
  }

  /** Never rejects. */
  async #look(check: HealthCheck): Promise<void> {
    const looking = new AbortController()
    this.#looking = looking
    const isThere = await this.#answers(check, looking.signal)
    if (looking.signal.aborted) return
    // Nothing is known of it before the first look, which decides alone.
    if (!this.#isKnown && !isThere) this.#inRow = check.fall - 1
    this.#isKnown = true
    this.found(isThere)
    this.#timer = setTimeout(() => void this.#look(check), check.interval).unref()
  }

  async #answers({ timeout }: HealthCheck, signal: AbortSignal): Promise<boolean> {
    const { world, ownPorts } = this.#needs
    const limits = { ...world.limits, dialOneMs: timeout }
    try {
      const until = AbortSignal.any([signal, AbortSignal.timeout(timeout)])
      const socket = await dial({ limits, ownPorts }, splitHostPort(this.uri), until)
      socket.destroy()
      return true
    } catch {
      return false
    }
  }

  found(isThere: boolean): void {
    const check = this.#check
    if (!check) return
    if (isThere === this.#isUp) {
      this.#inRow = 0
      return
    }
    this.#inRow += 1
    if (this.#inRow < (isThere ? check.rise : check.fall)) return
    this.#isUp = isThere
    this.#inRow = 0
    const { log } = this.#needs.world
    log({ level: isThere ? 'info' : 'warn', message: isThere ? 'backend up' : 'backend down', backend: this.uri })
  }
}
