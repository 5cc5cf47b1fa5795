/** What grants were used up in this process, and how far. Those of a process before are of no use: a grant names its `boot`. */
import type { Instant } from '../core/model.ts'

export type Spending = { readonly kind: 'spent_now'; readonly use: number } | { readonly kind: 'spent_before' | 'full' }

export interface Spent {
  /** One use of `most`, at once, with nothing in between: of many that come together, so many are in time. `use`: which one it was. */
  spend(uses: { readonly key: string; readonly most: number }, until: Instant, now: Instant): Spending
}

interface Used {
  readonly times: number
  readonly until: Instant
}

/** `room`: for so many keys. */
export function rememberSpent(room: number): Spent {
  const spent = new Map<string, Used>()
  const forgetExpired = (now: Instant) => {
    for (const [key, { until }] of spent) if (until < now) spent.delete(key)
  }
  return {
    spend: ({ key, most }, until, now) => {
      const { times: before = 0, until: known = until } = spent.get(key) ?? {}
      if (before >= most) return { kind: 'spent_before' }
      if (before === 0 && spent.size >= room) forgetExpired(now)
      // None that may still be shown is forgotten for it.
      if (before === 0 && spent.size >= room) return { kind: 'full' }
      const use = before + 1
      spent.set(key, { times: use, until: Math.max(known, until) })
      return { kind: 'spent_now', use }
    },
  }
}
