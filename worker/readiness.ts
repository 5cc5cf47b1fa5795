import { Refusal } from '../core/refusal.ts'
import type { Ownership } from '../storage/cluster.ts'
import type { LogLine } from './edge.ts'

/**
 * Holds every request until it is known whose database it is: a wrong key must write nothing. Asked until the answer is
 * right, so that a migration or a mended secret needs no restart. Requests that come at once ask at once: on Workers one
 * must not wait for what another has asked, for that may be cancelled with its request.
 */
export function readiness(claim: () => Promise<Ownership>, log: (line: LogLine) => void): () => Promise<void> {
  let isOurs = false
  return async () => {
    if (isOurs) return
    try {
      const ownership = await claim()
      if (ownership !== 'ours') throw new Error(`The database belongs to ${ownership}`)
      isOurs = true
    } catch (error) {
      log({
        level: 'error',
        message: `Not ready: ${(error as Error).message}`,
        hint: 'check SALLYPORT_KEY and SALLYPORT_CLUSTER, and that the migrations are applied',
      })
      throw new Refusal('unavailable', {}, { cause: error })
    }
  }
}
