/** Whose session it is, and his passkeys: what several verbs read. */
import { and, asc, eq, isNull, type SQLWrapper, sql } from 'drizzle-orm'
import { equalBytes } from '../core/lib/bytes.ts'
import { idleTtl } from '../core/login/ceremony.ts'
import type { Instant, User, UserId } from '../core/model.ts'
import type { SessionClaim } from '../core/ports.ts'
import { ownerOfSession, unlocked } from './lock-statements.ts'
import type { SessionRow } from './rows.ts'
import { credentials, sessions, users } from './schema.ts'
import type { Db } from './store.ts'

type Running = Pick<SessionRow, 'secretHash' | 'endedAt' | 'expiresAt' | 'lastSeenAt'>

export const isRunning = (row: Running, claim: SessionClaim, now: Instant): boolean =>
  equalBytes(row.secretHash, claim.secretHash) &&
  row.endedAt === null &&
  row.expiresAt > now &&
  row.lastSeenAt > now - idleTtl

export type OwnerRow = Running & { readonly userId: UserId; readonly name: string }

export const ownerQuery = (db: Db, claim: SessionClaim, now: Instant) =>
  db
    .select({
      secretHash: sessions.secretHash,
      endedAt: sessions.endedAt,
      expiresAt: sessions.expiresAt,
      lastSeenAt: sessions.lastSeenAt,
      userId: sessions.userId,
      name: users.name,
    })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .where(and(eq(sessions.id, claim.id), unlocked(ownerOfSession, sql`${now}`)))

export const userOf = ([row]: readonly OwnerRow[], claim: SessionClaim, now: Instant): User | undefined =>
  row && isRunning(row, claim, now) ? { id: row.userId, name: row.name } : undefined

/** `owner`: a query for the user's id. */
export const passkeysQuery = (db: Db, owner: SQLWrapper) =>
  db
    .select()
    .from(credentials)
    .where(and(sql`${credentials.userId} = ${owner}`, isNull(credentials.removedAt)))
    .orderBy(asc(credentials.createdAt), asc(credentials.id))
