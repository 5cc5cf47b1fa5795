import { Refusal } from '../core/refusal.ts'
import type { Ownership } from '../storage/cluster.ts'
import type { LogLine } from './edge.ts'

/**
 * Asks once whose database it is, and holds every request until that is known: a wrong key must write nothing. After a
 * failure the next request asks again, so that a migration or a mended secret needs no restart.
 */
export function readiness(claim: () => Promise<Ownership>, log: (line: LogLine) => void): () => Promise<void> {
  let known: Promise<void> | undefined
  const ask = async () => {
    const ownership = await claim()
    if (ownership !== 'ours') throw new Error(`The database belongs to ${ownership}`)
  }
  return async () => {
    known ??= ask()
    try {
      await known
    } catch (error) {
      known = undefined
      log({
        level: 'error',
        message: `Not ready: ${(error as Error).message}`,
        hint: 'check SALLYPORT_KEY and SALLYPORT_CLUSTER, and that the migrations are applied',
      })
      throw new Refusal('unavailable', {}, { cause: error })
    }
  }
}
