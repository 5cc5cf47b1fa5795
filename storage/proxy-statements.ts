/** The statements of proxies and of what they tell: statements.ts, continued. */
import { sql } from 'drizzle-orm'
import type { Instant } from '../core/model.ts'
import { audit, policy, proxies } from './schema.ts'
import { every, guard } from './statements.ts'
import { type Db, recipe } from './store.ts'

export const proxyStatements = (db: Db) => ({
  addProxy: recipe<typeof proxies.$inferInsert>((s) =>
    db
      .insert(proxies)
      .values(every(proxies, s))
      .onConflictDoUpdate({ target: proxies.id, set: { name: sql`excluded.name`, removedAt: sql`null` } }),
  ),
  proxyIsThere: recipe<{ readonly name: string }>((s) =>
    guard(
      db,
      'target',
      sql`exists (select 1 from ${proxies} where ${proxies.name} = ${s.name} and ${proxies.removedAt} is null)`,
    ),
  ),
  proxyTakes: recipe<{ readonly id: string }>((s) =>
    guard(
      db,
      'target',
      sql`exists (select 1 from ${proxies} where ${proxies.id} = ${s.id} and ${proxies.removedAt} is null)`,
    ),
  ),
  policyIsAt: recipe<{ readonly sequence: number }>((s) =>
    guard(db, 'revision', sql`(select ${policy.sequence} from ${policy}) = ${s.sequence}`),
  ),
  removeProxy: recipe<{ readonly name: string; readonly at: Instant }>((s) =>
    db
      .update(proxies)
      .set({ removedAt: sql`${s.at}` })
      .where(sql`${proxies.name} = ${s.name} and ${proxies.removedAt} is null`),
  ),
  /** An event that was told before has its row. */
  recordOnce: recipe<typeof audit.$inferInsert>((s) =>
    db
      .insert(audit)
      .values({ ...every(audit, s), seq: undefined })
      .onConflictDoNothing(),
  ),
})
