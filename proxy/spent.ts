/** Ids that were spent in this process. Those of a process before are of no use: a grant names its `boot`. */
import type { Instant } from '../core/model.ts'

export type Spending = 'spent_now' | 'spent_before' | 'full'

export interface Spent {
  /** At once, with nothing in between: of many that come together, one is the first. */
  spend(id: string, until: Instant, now: Instant): Spending
}

export function rememberSpent(most: number): Spent {
  const spent = new Map<string, Instant>()
  const forgetExpired = (now: Instant) => {
    for (const [id, until] of spent) if (until < now) spent.delete(id)
  }
  return {
    spend: (id, until, now) => {
      if (spent.has(id)) return 'spent_before'
      if (spent.size >= most) forgetExpired(now)
      // None that may still be shown is forgotten for it.
      if (spent.size >= most) return 'full'
      spent.set(id, until)
      return 'spent_now'
    },
  }
}
