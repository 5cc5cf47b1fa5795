/** One tap for all that a command lists: each is opened as often as the page said, within the grant's minute; then another is asked for. */
import type { SessionAsk } from '../core/access/request-session.ts'
import { mostUses } from '../core/access/session-set.ts'
import type { SessionInSet } from '../core/intent.ts'
import { Problem } from './problem.ts'

export const countOption = { count: { type: 'string' } } as const

/** How often a tap opens each. @throws Problem usage */
export function countOf(text: string | undefined): number {
  if (text === undefined) return 1
  if (/^\d{1,2}$/.test(text) && Number(text) >= 1 && Number(text) <= mostUses) return Number(text)
  throw new Problem('usage', `${text} is not how often`, `give a number from 1 to ${mostUses}`)
}

interface Kept {
  readonly grant: string
  readonly proxy: SessionAsk['proxy']
  readonly until: number
  /** By name. */
  readonly left: Map<string, number>
}

/** `sessions`: what is asked for together. Empty: each session by itself. */
export class SharedTap {
  readonly sessions: readonly SessionInSet[]
  #turn: Promise<unknown> = Promise.resolve()
  #kept: Kept | undefined

  constructor(sessions: readonly SessionInSet[] = []) {
    const [first, ...others] = sessions
    this.sessions = first && (others.length > 0 || first.count > 1) ? sessions : []
  }

  /** One after the other: two pages at once are two taps that nobody can tell apart. `work` never rejects. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work)
    this.#turn = mine
    return mine
  }

  /** A use that was approved and is left. Another process of a proxy takes none of it. */
  take({ resource: { name }, proxy }: Pick<SessionAsk, 'resource' | 'proxy'>): string | undefined {
    const { grant, proxy: at, until, left } = this.#kept ?? { left: new Map<string, number>(), until: 0 }
    const uses = left.get(name) ?? 0
    if (uses === 0 || Date.now() >= until || at?.id !== proxy.id || at.boot !== proxy.boot) return undefined
    left.set(name, uses - 1)
    return grant
  }

  /** In the place of the one before, whatever was left of that. */
  keep(grant: string, lifeMs: number, proxy: SessionAsk['proxy']): void {
    const left = new Map(this.sessions.map(({ resource, count }) => [resource.name, count]))
    this.#kept = { grant, proxy, until: Date.now() + lifeMs, left }
  }
}
