/** What a user has that goes when he is removed or reset. */
import { and, asc, count, eq, isNull, type SQL, sql } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { Holdings } from '../core/admin-ports.ts'
import { nameKey } from '../core/login/name.ts'
import type { Instant } from '../core/model.ts'
import { clientSessions, credentials, passwords, recoveryCodes, sessions, totps, userRoles, users } from './schema.ts'
import { sessionInUse } from './statements.ts'
import { rowsOf, type Store } from './store.ts'
import { runs } from './token-statements.ts'

export async function findHoldings(
  { db, atomically }: Store,
  name: string,
  now: Instant,
): Promise<Holdings | undefined> {
  const there = and(eq(users.nameKey, nameKey(name)), isNull(users.removedAt))
  const owner = db.select({ id: users.id }).from(users).where(there)
  const counted = (table: SQLiteTable, which: SQL | undefined) =>
    db
      .select({ n: count().as('n') })
      .from(table)
      .where(which)
  const answers = await atomically([
    db.select({ id: users.id, name: users.name }).from(users).where(there),
    db.select({ role: userRoles.role }).from(userRoles).where(eq(userRoles.userId, owner)).orderBy(asc(userRoles.role)),
    counted(credentials, and(eq(credentials.userId, owner), isNull(credentials.removedAt))),
    counted(passwords, eq(passwords.userId, owner)),
    counted(totps, eq(totps.userId, owner)),
    counted(recoveryCodes, and(eq(recoveryCodes.userId, owner), isNull(recoveryCodes.usedAt))),
    counted(sessions, and(eq(sessions.userId, owner), sessionInUse(sql`${now}`))),
    counted(clientSessions, and(eq(clientSessions.userId, owner), runs(sql`${now}`))),
  ])
  const [user] = rowsOf<{ id: Holdings['id']; name: string }>(answers[0])
  const countAt = (at: number) => rowsOf<{ n: number }>(answers[at])[0]?.n ?? 0
  return (
    user && {
      ...user,
      roles: rowsOf<{ role: string }>(answers[1]).map(({ role }) => role),
      passkeys: countAt(2),
      passwords: countAt(3),
      authenticator_apps: countAt(4),
      recovery_codes: countAt(5),
      browser_sessions: countAt(6),
      program_logins: countAt(7),
    }
  )
}
