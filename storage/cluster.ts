/** Whether a database belongs to this cluster and this key, and what is cleared out of it. */
import { and, isNotNull, lt, lte, or } from 'drizzle-orm'
import type { Instant } from '../core/model.ts'
import { clientSessions, cluster, codes, deviceCodes, passwordAttempts, sessions, spent } from './schema.ts'
import { rowsOf, type Store } from './store.ts'

export interface ClusterClaim {
  readonly name: string
  readonly keyCheck: string
}

export type Ownership = 'ours' | 'another key' | 'another cluster'

/** Claims a new database, or says whose a claimed one is. Of several first callers one wins and all hear the same. */
export async function claimCluster(store: Store, claim: ClusterClaim, createdAt: Instant): Promise<Ownership> {
  const answers = await store.atomically([
    store.db
      .insert(cluster)
      .values({ slot: 1, ...claim, createdAt })
      .onConflictDoNothing(),
    store.db.select().from(cluster),
  ])
  const [row] = rowsOf<ClusterClaim>(answers[1])
  if (row?.keyCheck !== claim.keyCheck) return 'another key'
  return row.name === claim.name ? 'ours' : 'another cluster'
}

const keepEndedFor = 30 * 24 * 3_600_000

/**
 * Removes what nobody can use any more: spent ids past their ticket's life, codes of programs, attempts that are forgotten, sessions
 * that ended 30 days ago.
 */
export async function purge(store: Store, now: Instant): Promise<void> {
  const before = now - keepEndedFor
  const ended = (table: typeof sessions | typeof clientSessions) =>
    or(lt(table.expiresAt, before), and(isNotNull(table.endedAt), lt(table.endedAt, before)))
  await store.atomically([
    store.db.delete(spent).where(lt(spent.expiresAt, now)),
    store.db.delete(codes).where(lt(codes.expiresAt, now - 3_600_000)),
    store.db.delete(deviceCodes).where(lt(deviceCodes.expiresAt, now - 3_600_000)),
    store.db.delete(passwordAttempts).where(lte(passwordAttempts.forgottenAt, now)),
    store.db.delete(sessions).where(ended(sessions)),
    store.db.delete(clientSessions).where(ended(clientSessions)),
  ])
}
