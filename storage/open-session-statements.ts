/** The statements of sessions that are open at proxies: statements.ts, continued. */
import { type SQL, sql } from 'drizzle-orm'
import { longestSession } from '../core/access/constraints.ts'
import { type Duration, hours, type Instant, type UserId } from '../core/model.ts'
import { openSessions } from './schema.ts'
import { every, guard } from './statements.ts'
import { type Db, recipe } from './store.ts'

/** What is older was forgotten by a proxy that never came back. */
const longestOpen: Duration = longestSession + hours(1)

const o = openSessions

/** It may still be there, ended by somebody or not. */
export const mayBeOpen = (at: SQL): SQL => sql`${o.openedAt} > ${at} - ${longestOpen}`
export const isOpen = (at: SQL): SQL => sql`${o.endedAt} is null and ${mayBeOpen(at)}`

type Named = { readonly id: string; readonly proxyId: string }

export const openSessionStatements = (db: Db) => ({
  /** Told again, it stays as it is. */
  addOpenSession: recipe<typeof openSessions.$inferInsert>((s) =>
    db.insert(o).values(every(o, s)).onConflictDoNothing(),
  ),
  /** Of that proxy: none ends what another one has open. */
  removeOpenSession: recipe<Named>((s) => db.delete(o).where(sql`${o.id} = ${s.id} and ${o.proxyId} = ${s.proxyId}`)),
  removeSessionsBefore: recipe<{ readonly proxyId: string; readonly boot: string }>((s) =>
    db.delete(o).where(sql`${o.proxyId} = ${s.proxyId} and ${o.boot} <> ${s.boot}`),
  ),
  openSessionIs: recipe<{ readonly id: string; readonly owner: UserId; readonly at: Instant }>((s) =>
    guard(
      db,
      'target',
      sql`exists (select 1 from ${o} where ${o.id} = ${s.id} and ${o.userId} = ${s.owner} and ${isOpen(sql`${s.at}`)})`,
    ),
  ),
  endOpenSession: recipe<{ readonly id: string; readonly at: Instant }>((s) =>
    db
      .update(o)
      .set({ endedAt: sql`${s.at}` })
      .where(sql`${o.id} = ${s.id}`),
  ),
})
