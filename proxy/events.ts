/**
 * Tells the edge what happened to sessions, each event until the edge has acknowledged it. Their ids are random and kept, so an
 * event whose acknowledgement was lost is told again and written once.
 */
import { principalInWords } from '../core/access/session-words.ts'
import type { proxyEvent } from '../core/api/proxy-operations.ts'
import type { Of } from '../core/api/shape.ts'
import type { Json } from '../core/intent.ts'
import type { Grant } from '../core/issue/grant.ts'
import { base64url } from '../core/lib/bytes.ts'
import { type Duration, seconds } from '../core/model.ts'
import { Refusal } from '../core/refusal.ts'
import type { EdgeCaller } from './edge-call.ts'
import type { World } from './exchange.ts'

type ProxyEvent = Of<typeof proxyEvent>

export interface Told {
  readonly kind: Exclude<ProxyEvent['kind'], 'proxy.start'>
  /** As it is known at the edge from its beginning to its end. */
  readonly session: string
  readonly grant: Grant
  readonly address: string
  readonly code?: string
  readonly detail?: Json
}

export interface Events {
  tell(told: Told): void
  /** This process begins: of whatever another one had open nothing is. */
  started(boot: string): void
  /** What began must be told: where it no longer can be, nothing begins. @throws Refusal unavailable */
  requireRoom(): void
  /** Told all, or the time is over. */
  stop(within: Duration): Promise<void>
  readonly waiting: number
}

const nothingElse = {
  ...{ session: undefined, boot: undefined, user: undefined, resource: undefined, resource_kind: undefined },
  ...{ principal: undefined, impersonated: undefined, code: undefined, detail: undefined },
} as const

/** As many as the edge takes at once (core/api/proxy-operations.ts). */
const atOnce = 100
const shortest = seconds(1)
const longest = seconds(30)

export function makeEvents(world: World, caller: EdgeCaller): Events {
  return new Telling(world, caller)
}

class Telling implements Events {
  readonly #world: World
  readonly #caller: EdgeCaller
  readonly #queue: ProxyEvent[] = []
  #sending: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #pause = shortest

  constructor(world: World, caller: EdgeCaller) {
    this.#world = world
    this.#caller = caller
  }

  get waiting(): number {
    return this.#queue.length
  }

  requireRoom(): void {
    if (this.#queue.length < this.#world.limits.events / 2) return
    const told = 'This proxy cannot tell the edge what happens: it opens no new sessions until it can.'
    throw new Refusal('unavailable', { why: 'events_full' }, { told })
  }

  started(boot: string): void {
    const { random, now } = this.#world
    this.#queue.push({ ...nothingElse, id: base64url(random(16)), at: now(), kind: 'proxy.start', boot, address: '' })
    this.#later(0)
  }

  tell({ kind, session, grant, address, code, detail }: Told): void {
    const { random, now, limits, log } = this.#world
    const { resource, principal, impersonated, proxy } = grant.subject
    const opened = {
      ...{ boot: proxy.boot, resource_kind: resource.kind, principal: principalInWords(resource.kind, principal) },
      impersonated: impersonated?.name,
    }
    // The first half has room for what began; the second for its end. Of refusals anybody with a grant can make many.
    const most = kind === 'session.refuse' ? limits.events / 2 : limits.events
    if (this.#queue.length >= most)
      return void log({ level: 'error', message: 'an event is lost', code: 'events_full', kind })
    this.#queue.push({
      id: base64url(random(16)),
      at: now(),
      kind,
      ...nothingElse,
      ...(kind === 'session.start' && opened),
      session,
      user: grant.user,
      resource: resource.name,
      address,
      code,
      detail,
    })
    this.#later(0)
  }

  #later(after: Duration): void {
    this.#timer ??= setTimeout(() => void this.#send(), after)
  }

  #send(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined
      this.#timer = undefined
      if (this.#queue.length > 0) this.#later(this.#pause)
    })
    return this.#sending
  }

  async #sendAll(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const events = this.#queue.slice(0, atOnce)
        await this.#caller.post('/v1/proxy/events', { events: JSON.parse(JSON.stringify(events)) as Json })
        this.#queue.splice(0, events.length)
        this.#pause = shortest
      }
    } catch (error) {
      this.#pause = Math.min(longest, this.#pause * 2)
      this.#world.log({ level: 'warn', message: 'the edge takes no events', detail: (error as Error).message })
    }
  }

  async stop(within: Duration): Promise<void> {
    clearTimeout(this.#timer)
    const late = new Promise<void>((done) => setTimeout(done, within).unref())
    await Promise.race([this.#send(), late])
    clearTimeout(this.#timer)
    const { length } = this.#queue
    if (length > 0)
      this.#world.log({ level: 'error', message: 'events are lost', code: 'events_untold', count: length })
  }
}
