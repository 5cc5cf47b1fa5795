/**
 * What this proxy knows of the cluster, and since when. It asks every two seconds, each time with a nonce, and takes only what a
 * key that it trusts has stated: for this proxy, for this nonce, and never something older than before. The last snapshot stays on
 * the disk, so that a proxy that starts while the edge is away knows what it knew.
 */
import { join } from 'node:path'
import type { Known } from '../core/access/open-session.ts'
import { type Json, membersOf } from '../core/intent.ts'
import { base64url } from '../core/lib/bytes.ts'
import { type ClientSessionId, type Duration, type Instant, minutes, seconds } from '../core/model.ts'
import { Refusal } from '../core/refusal.ts'
import { readStatement, type Snapshot, type Statement, snapshotHash } from '../core/snapshot.ts'
import type { EdgeCaller } from './edge-call.ts'
import type { World } from './exchange.ts'
import type { FirstKeys } from './first-keys.ts'
import { type Identity, proxyFolder } from './identity.ts'
import { type EdgeKeys, importKeys, knownOf, type PublishedKey, readSnapshot } from './known.ts'
import { readJsonFile, replaceFile } from './own-files.ts'
import { inWords } from './words.ts'

/** All that follows from one accepted snapshot. */
export interface Trusting {
  readonly known: Known
  readonly keys: EdgeKeys
}

export interface Trust {
  /** For what begins now. @throws Refusal unavailable: the edge is away for longer than `maxOffline`, or was never heard */
  fresh(): Trusting
  /** For a session whose locks must be the newest. @throws Refusal unavailable: the edge is away for longer than `maxStale` */
  requireNewest(): void
  /** Called with each snapshot that differs from the one before. */
  onChange(listener: (trusting: Trusting) => void): void
  /** Called when nothing was heard for longer than `maxStale`, once for each such silence. */
  onStale(listener: (trusting: Trusting) => void): void
  /** Asks once, after this call: whether there was an answer. Never throws: what fails is in the log, and what is known grows older. */
  ask(): Promise<boolean>
  stop(): void
}

/** What may end sessions that are open here, besides a change of what is known. */
export interface Watched {
  /** Logins whose end ends sessions: each question names them, and its answer says which were ended. */
  readonly logins: readonly ClientSessionId[]
  ended(over: Ended): void
}

export interface Ended {
  readonly logins: ReadonlySet<ClientSessionId>
  /** By the ids that this proxy has told. */
  readonly sessions: ReadonlySet<string>
}

export const watchingBoth = (one: Watched, other: Watched): Watched => ({
  get logins() {
    return [...new Set([...one.logins, ...other.logins])]
  },
  ended: (over) => {
    one.ended(over)
    other.ended(over)
  },
})

interface Given {
  readonly watched: Watched
  readonly world: World
  readonly identity: Pick<Identity, 'id'>
  readonly caller: EdgeCaller
  readonly issuer: string
  readonly home: string
  readonly first: FirstKeys
  readonly maxStale: Duration
  readonly maxOffline: Duration
  readonly every: Duration
}

interface Held extends Trusting {
  readonly statement: Statement
  readonly snapshot: Snapshot
  /** When it was asked for: what it says is at least as new. */
  readonly askedAt: Instant
}

/** What whoever wants the newest locks is told when this proxy cannot know them. */
export function locksUnknown(age?: Duration): Refusal {
  const since = age === undefined ? 'for too long' : `for ${inWords(age)}`
  const told = `The edge has been away ${since}, so this proxy cannot know who is locked: sessions in strict mode wait until it is back.`
  return new Refusal('unavailable', { why: 'locks_stale', ...(age !== undefined && { age }) }, { told })
}

const snapshotFile = (home: string): string => join(proxyFolder(home), 'snapshot.json')

/** While nothing was ever heard it asks more often: proxy and edge start side by side. */
const hurry = 8
/** How often it looks whether what it knows has grown too old. */
const lookEvery: Duration = seconds(1)
/** How old the instant on the disk may be: each write waits for the disk. */
const keptFor: Duration = minutes(1)

/** Reads what is on the disk, asks once, and then again and again. @throws SetupProblem */
export async function openTrust(given: Given): Promise<Trust> {
  const trust = new Asking(given)
  await trust.readBack()
  await trust.ask()
  trust.start()
  return trust
}

/** Of a proxy that was told no key of the edge: it passes web requests on, and opens no session. */
export const noTrust: Trust = {
  fresh: () => {
    throw new Refusal('unavailable', { why: 'no_keys' }, { told: 'This proxy was told no key of the edge.' })
  },
  requireNewest: () => undefined,
  onChange: () => undefined,
  onStale: () => undefined,
  ask: async () => false,
  stop: () => undefined,
}

class Asking implements Trust {
  readonly #given: Given
  readonly #listeners: ((trusting: Trusting) => void)[] = []
  readonly #staleListeners: ((trusting: Trusting) => void)[] = []
  #held: Held | undefined
  /** What the disk has. */
  #kept: { readonly sequence: number; readonly hash: string; readonly askedAt: Instant } | undefined
  #asking: Promise<boolean> | undefined
  #next: Promise<boolean> | undefined
  #timer: NodeJS.Timeout | undefined
  #looking: NodeJS.Timeout | undefined
  #isStaleTold = false
  /** One line in the log for one silence of the edge, however long. */
  #isAway = false
  #isStopped = false

  constructor(given: Given) {
    this.#given = given
  }

  start(): void {
    this.#askNext()
    this.#looking = setInterval(() => this.#tellStale(), lookEvery).unref()
  }

  #askNext(): void {
    const { every } = this.#given
    const next = () => void this.ask().then(() => this.#isStopped || this.#askNext())
    this.#timer = setTimeout(next, this.#held ? every : every / hurry).unref()
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    clearInterval(this.#looking)
  }

  onChange(listener: (trusting: Trusting) => void): void {
    this.#listeners.push(listener)
  }

  onStale(listener: (trusting: Trusting) => void): void {
    this.#staleListeners.push(listener)
  }

  fresh(): Trusting {
    const held = this.#requireHeld()
    const { age, isWithin } = this.#ageOf(held, this.#given.maxOffline)
    if (isWithin) return held
    const told = `The edge has been away for ${inWords(age)}: this proxy opens no new sessions until it is back.`
    throw new Refusal('unavailable', { why: 'edge_away', age }, { told })
  }

  requireNewest(): void {
    const { age, isWithin } = this.#ageOf(this.#requireHeld(), this.#given.maxStale)
    if (!isWithin) throw locksUnknown(age)
  }

  #requireHeld(): Held {
    if (this.#held) return this.#held
    throw new Refusal('unavailable', { why: 'edge_unheard' }, { told: 'This proxy has not yet reached the edge.' })
  }

  /** A clock that went back says nothing about an age. */
  #ageOf({ askedAt }: Held, most: Duration): { readonly age: Duration; readonly isWithin: boolean } {
    const age = this.#given.world.now() - askedAt
    return { age: Math.abs(age), isWithin: age >= 0 && age <= most }
  }

  /** Only where the edge does not answer: a clock that is set back while it does is mended by the next answer. */
  #tellStale(): void {
    const held = this.#held
    if (!held || !this.#isAway || this.#isStaleTold || this.#ageOf(held, this.#given.maxStale).isWithin) return
    this.#isStaleTold = true
    for (const listener of this.#staleListeners) listener(held)
  }

  /** An answer that is on its way may be older than what the caller has just heard of: the next is waited for, and shared. */
  ask(): Promise<boolean> {
    if (this.#asking !== undefined) this.#next ??= this.#asking.then(() => this.#begin())
    return this.#next ?? this.#begin()
  }

  #begin(): Promise<boolean> {
    this.#next = undefined
    this.#asking = this.#ask().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  async #ask(): Promise<boolean> {
    const { world, caller, watched } = this.#given
    const [askedAt, nonce] = [world.now(), base64url(world.random(16))]
    try {
      const have = this.#held?.statement.hash
      const { logins } = watched
      const asked = { nonce, ...(have !== undefined && { have }), ...(logins.length > 0 && { logins }) }
      const answer = membersOf(await caller.post('/v1/proxy/snapshot', asked))
      const isAsked = logins.length > 0
      watched.ended(await this.#take(String(answer['statement']), answer['snapshot'], { nonce, askedAt, isAsked }))
      if (this.#isAway) world.log({ level: 'info', message: 'the edge is back' })
      this.#isAway = false
      this.#isStaleTold = false
      return true
    } catch (error) {
      if (!this.#isAway)
        world.log({ level: 'warn', message: 'no news from the edge', detail: (error as Error).message })
      this.#isAway = true
      return false
    }
  }

  /** What was ended: of the logins that were asked about, and of the sessions that are open here. */
  async #take(
    jws: string,
    given: Json | undefined,
    { nonce, askedAt, isAsked }: { readonly nonce: string; readonly askedAt: Instant; readonly isAsked: boolean },
  ): Promise<Ended> {
    const { issuer, identity } = this.#given
    const before = this.#held
    const keys = before?.keys ?? (await importKeys(await this.#given.first.get()))
    const statement = await readStatement({ issuer, keys }, jws)
    if (!statement) throw new TypeError('a statement that no trusted key has signed')
    if (statement.nonce !== nonce || statement.proxy !== identity.id)
      throw new TypeError('a statement for another question')
    if (isAsked && !statement.ended_logins)
      throw new TypeError('a statement without the logins that it was asked about')
    if (before && statement.sequence < before.statement.sequence)
      throw new TypeError(`sequence ${statement.sequence} after ${before.statement.sequence}`)
    if (before && statement.hash === before.statement.hash) {
      this.#held = { ...before, statement, askedAt }
    } else {
      this.#held = await hold(statement, given, askedAt)
      this.#changed(this.#held)
    }
    this.#keep(jws, this.#held)
    return { logins: new Set(statement.ended_logins), sessions: new Set(statement.ended_sessions) }
  }

  #changed(held: Held): void {
    for (const listener of this.#listeners) listener(held)
  }

  /** Age counts across a restart, so it must be written now and then though nothing changed. */
  #keep(jws: string, { statement: { sequence, hash }, snapshot, askedAt }: Held): void {
    const { home, first, world } = this.#given
    const kept = this.#kept
    if (kept?.sequence === sequence && kept.hash === hash && askedAt - kept.askedAt < keptFor) return
    try {
      const pinned = kidsOf(first.kept() ?? [])
      replaceFile(snapshotFile(home), JSON.stringify({ pinned, asked_at: askedAt, statement: jws, snapshot }))
      this.#kept = { sequence, hash, askedAt }
    } catch (error) {
      world.log({ level: 'error', message: 'cannot keep the snapshot', detail: (error as Error).message })
    }
  }

  /**
   * The file is as private as the proxy's key, so keys in it that followed the pinned ones are trusted. Where the operator has
   * pinned others since, it is of another cluster, or of one that started anew.
   */
  async readBack(): Promise<void> {
    const { issuer, identity, home, first } = this.#given
    const pinned = first.kept()
    const { pinned: kids, asked_at, statement: jws, snapshot: json } = membersOf(readJsonFile(snapshotFile(home)))
    const { keys } = membersOf(json)
    if (!pinned || typeof jws !== 'string' || typeof asked_at !== 'number' || !Array.isArray(keys)) return
    if (!isSame(kids, kidsOf(pinned))) return
    const trusted = await importKeys([...pinned, ...(keys as unknown as readonly PublishedKey[])])
    const statement = await readStatement({ issuer, keys: trusted }, jws)
    if (!statement || statement.proxy !== identity.id) return
    this.#held = await hold(statement, json, asked_at)
    this.#kept = { sequence: statement.sequence, hash: statement.hash, askedAt: asked_at }
  }
}

async function hold(statement: Statement, given: Json | undefined, askedAt: Instant): Promise<Held> {
  const snapshot = readSnapshot(given)
  if (snapshotHash(snapshot) !== statement.hash) throw new TypeError('a snapshot that the statement does not name')
  return { statement, snapshot, askedAt, known: knownOf(snapshot), keys: await importKeys(snapshot.keys) }
}

const kidsOf = (keys: readonly PublishedKey[]): string[] => keys.map(({ kid }) => kid).sort()
const isSame = (a: Json | undefined, b: Json): boolean => JSON.stringify(a) === JSON.stringify(b)
