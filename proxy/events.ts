/**
 * Tells the edge what happened to sessions, each event until the edge has acknowledged it, also by the next process of this proxy
 * (proxy/spool.ts). Their ids are random and kept, so an event whose acknowledgement was lost is told again and written once.
 */
import { principalInWords } from '../core/access/session-words.ts'
import type { proxyEvent } from '../core/api/proxy-operations.ts'
import type { Of } from '../core/api/shape.ts'
import type { Json } from '../core/intent.ts'
import type { Grant } from '../core/issue/grant.ts'
import { base64url } from '../core/lib/bytes.ts'
import { type Duration, seconds } from '../core/model.ts'
import { Refusal } from '../core/refusal.ts'
import { EdgeAnswer, type EdgeCaller } from './edge-call.ts'
import type { World } from './exchange.ts'
import type { Spool } from './spool.ts'

export type ProxyEvent = Of<typeof proxyEvent>

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
  /** For a session in strict mode: what happens to it must outlive this process. @throws Refusal unavailable: the disk takes nothing more */
  requireKept(): void
  /** Told all, or the time is over. */
  stop(within: Duration): Promise<void>
  readonly waiting: number
  /** For which there was no room, or which the edge does not take. */
  readonly lost: number
}

const nothingElse = {
  ...{ session: undefined, boot: undefined, user: undefined, resource: undefined, resource_kind: undefined },
  ...{ principal: undefined, impersonated: undefined, code: undefined, detail: undefined },
} as const

/** As many as the edge takes at once (core/api/proxy-operations.ts). */
const atOnce = 100
const shortest = seconds(1)
const longest = seconds(30)

export function makeEvents(world: World, caller: EdgeCaller, spool: Spool<ProxyEvent>): Events {
  return new Telling(world, caller, spool)
}

class Telling implements Events {
  readonly #world: World
  readonly #caller: EdgeCaller
  readonly #queue: ProxyEvent[]
  readonly #spool: Spool<ProxyEvent>
  /** Whether what was added last is on the disk. */
  #isKept = true
  #lost = 0
  #sending: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #pause = shortest

  constructor(world: World, caller: EdgeCaller, spool: Spool<ProxyEvent>) {
    this.#world = world
    this.#caller = caller
    this.#spool = spool
    this.#queue = [...spool.found]
  }

  get lost(): number {
    return this.#lost
  }

  get waiting(): number {
    return this.#queue.length
  }

  requireRoom(): void {
    if (this.#queue.length < this.#world.limits.events / 2) return
    const told = 'This proxy cannot tell the edge what happens: it opens no new sessions until it can.'
    throw new Refusal('unavailable', { why: 'events_full' }, { told })
  }

  requireKept(): void {
    if (this.#isKept) return
    const told = 'This proxy cannot keep on its disk what happens: sessions in strict mode wait until it can.'
    throw new Refusal('unavailable', { why: 'events_unkept' }, { told })
  }

  #add(event: ProxyEvent): void {
    this.#isKept = this.#spool.add(event)
    this.#queue.push(event)
    this.#later(0)
  }

  started(boot: string): void {
    const { random, now } = this.#world
    this.#add({ ...nothingElse, id: base64url(random(16)), at: now(), kind: 'proxy.start', boot, address: '' })
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
    if (this.#queue.length >= most) {
      this.#lost += 1
      return void log({ level: 'error', message: 'an event is lost', code: 'events_full', kind })
    }
    this.#add({
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
        await this.#post(events)
        this.#queue.splice(0, events.length)
        this.#spool.keep(this.#queue)
        // Where the disk took nothing, it is tried again with the next.
        if (this.#queue.length === 0) this.#isKept = true
        this.#pause = shortest
      }
    } catch (error) {
      this.#pause = Math.min(longest, this.#pause * 2)
      this.#world.log({ level: 'warn', message: 'the edge takes no events', detail: (error as Error).message })
    }
  }

  /** One that the edge cannot read, such as of another version, must not keep the others from it for good. */
  async #post(events: readonly ProxyEvent[]): Promise<void> {
    try {
      await this.#caller.post('/v1/proxy/events', { events: JSON.parse(JSON.stringify(events)) as Json })
    } catch (error) {
      const isUnreadable = error instanceof EdgeAnswer && error.status === 400
      if (!isUnreadable) throw error
      if (events.length === 1) return this.#tellUnread(events[0] as ProxyEvent, error)
      for (const event of events) await this.#post([event])
    }
  }

  #tellUnread({ kind, session }: ProxyEvent, { message: detail }: Error): void {
    this.#lost += 1
    const what = { code: 'event_unreadable', kind, session, detail }
    this.#world.log({ level: 'error', message: 'an event is lost', ...what })
  }

  async stop(within: Duration): Promise<void> {
    clearTimeout(this.#timer)
    const late = new Promise<void>((done) => setTimeout(done, within).unref())
    await Promise.race([this.#send(), late])
    clearTimeout(this.#timer)
    const { length } = this.#queue
    this.#spool.close()
    if (length > 0)
      this.#world.log({
        level: 'warn',
        message: 'events wait for the next start',
        code: 'events_untold',
        count: length,
      })
  }
}
