/** Whose session it is, his passkeys and his roles: what several verbs read. */
import { and, asc, eq, isNull, type SQLWrapper, sql } from 'drizzle-orm'
import { presetOf } from '../core/access/presets.ts'
import type { RoleDocument } from '../core/access/role.ts'
import { equalBytes } from '../core/lib/bytes.ts'
import { idleTtl } from '../core/login/ceremony.ts'
import type { Instant, User, UserId } from '../core/model.ts'
import type { SessionClaim } from '../core/ports.ts'
import type { HeldRole } from '../core/token-ports.ts'
import { ownerOfSession, unlocked } from './lock-statements.ts'
import type { SessionRow } from './rows.ts'
import { credentials, documents, sessions, userRoles, users } from './schema.ts'
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

export interface RoleRow {
  readonly role: string
  readonly document: unknown
  readonly revision: string | null
}

/** `owner`: as above. */
export const rolesQuery = (db: Db, owner: SQLWrapper) =>
  db
    .select({ role: userRoles.role, document: documents.document, revision: documents.revision })
    .from(userRoles)
    .leftJoin(documents, and(eq(documents.kind, 'role'), eq(documents.name, userRoles.role)))
    .where(sql`${userRoles.userId} = ${owner}`)
    .orderBy(asc(userRoles.role))

/** A role that is no document is one that is built in, or none. */
export function heldOf({ role, document, revision }: RoleRow): HeldRole[] {
  if (document !== null && revision !== null) return [{ document: document as RoleDocument, revision }]
  const preset = presetOf(role)
  return preset ? [{ document: preset, revision: undefined }] : []
}
