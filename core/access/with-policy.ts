import type { KnownPolicy, Ports } from '../ports.ts'
import { Refusal, type RefusalCode } from '../refusal.ts'
import type { Principal } from './principal.ts'

/** What may be otherwise under another policy. */
const decidedByIt: ReadonlySet<RefusalCode> = new Set([
  'policy_changed',
  'preference_changed',
  'session_refused',
  'resource_unknown',
  'tap_wanted',
])

/** Of a policy that changes faster than a grant is made nothing can be said. */
const mostTries = 4

/**
 * Runs `work` with the policy that this process knows, which saves a round trip, and the batch confirms that it is the newest. What is
 * refused because of it is tried again with a newer one, while there is one: an old copy keeps nobody out. (Whatever was refused has
 * written nothing.) A copy from before the caller was read is of no use; who is only known himself
 * is read anew before it is tried again (known-caller.ts).
 */
export async function withPolicy<T>(
  { policies }: Pick<Ports, 'policies'>,
  { sequence: since, unspent }: Pick<Principal, 'sequence' | 'unspent'>,
  work: (policy: KnownPolicy) => Promise<T>,
): Promise<T> {
  let known = await policies.current()
  if (unspent) return work(known)
  if (known.sequence < since) known = await policies.newest()
  for (let tries = 1; ; tries++) {
    try {
      return await work(known)
    } catch (error) {
      if (!(error instanceof Refusal) || !decidedByIt.has(error.code) || tries === mostTries) throw error
      const newest = await policies.newest()
      if (newest.sequence === known.sequence) throw error
      known = newest
    }
  }
}
