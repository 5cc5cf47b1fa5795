/** The sessions of this process, from before the resource is dialled. With each change of what is known every one is decided again. */
import { requireAllowed } from '../core/access/open-session.ts'
import type { Grant } from '../core/issue/grant.ts'
import type { Duration, Instant } from '../core/model.ts'
import { Refusal } from '../core/refusal.ts'
import { OpenSet } from './open-set.ts'
import type { EndCode } from './reasons.ts'
import { locksUnknown, type Trusting } from './trust.ts'

export interface Session {
  readonly grant: Grant
  /** Ends it at once, in whatever state; `message` is for the person. */
  cut(code: EndCode, message: string): void
}

export interface Sessions {
  /** A function that takes it out again. @throws Refusal unavailable: there are too many */
  add(session: Session): () => void
  /** Cuts what is allowed no longer; where `isStale`, also what wants the newest locks. */
  review(trusting: Trusting, now: Instant, isStale: boolean): void
  /** Gives those that are open a while, then cuts the rest. */
  stop(after: Duration): Promise<void>
  readonly count: number
}

export function makeSessions(most: number): Sessions {
  const open = new OpenSet<Session>()
  const stopped = 'The proxy is being stopped: connect again in a moment.'
  return {
    get count() {
      return open.size
    },
    add: (session) => {
      if (open.size >= most) {
        throw new Refusal(
          'unavailable',
          { why: 'too_many_sessions' },
          { told: 'This proxy has as many sessions as it can.' },
        )
      }
      return open.add(session)
    },
    review: ({ known }, now, isStale) => {
      for (const session of open) {
        const message = whyNotAllowed(() => {
          const { constraints } = requireAllowed(known, session.grant, now)
          if (isStale && constraints.strictLocks) throw locksUnknown()
        })
        if (message !== undefined) session.cut('session_cut', message)
      }
    },
    stop: async (after) => {
      await open.drained(after)
      for (const session of open) session.cut('proxy_stopping', stopped)
    },
  }
}

function whyNotAllowed(check: () => unknown): string | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return error.words
    throw error
  }
}
