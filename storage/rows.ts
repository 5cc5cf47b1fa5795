/** core's nouns to rows and back. */
import type { AuditEvent } from '../core/audit.ts'
import { nameKey } from '../core/login/name.ts'
import type {
  ClientSession,
  ClientSessionEnd,
  Credential,
  CredentialId,
  Instant,
  Session,
  SessionVia,
  User,
  UserId,
} from '../core/model.ts'
import type { NewCredential, NewSession } from '../core/ports.ts'
import type { audit, clientSessions, credentials, sessions, users } from './schema.ts'

export type CredentialRow = typeof credentials.$inferSelect
export type SessionRow = typeof sessions.$inferSelect
export type ClientSessionRow = typeof clientSessions.$inferSelect

export const userRow = ({ id, name }: User, createdAt: Instant): typeof users.$inferInsert => ({
  id,
  name,
  nameKey: nameKey(name),
  createdAt,
  removedAt: null,
})

export function credentialRow({ transports, vouch, ...credential }: NewCredential): CredentialRow {
  const unused = { entrustedBy: null, lastUsedAt: null, removedAt: null }
  return { ...credential, transports: [...transports], vouch: vouch ?? null, ...unused }
}

export function credentialOf(row: CredentialRow): Credential {
  const { counter: _c, vouch: _v, entrustedBy: _e, removedAt: _r, lastUsedAt, ...credential } = row
  return { ...credential, lastUsedAt: lastUsedAt ?? undefined }
}

export function sessionRow(
  { from, ...session }: NewSession,
  of: {
    readonly userId: UserId
    /** `passkey` where it is left out. */
    readonly via?: SessionVia
    readonly credentialId: CredentialId | null
    readonly expiresAt: Instant
  },
): SessionRow {
  const { openedAt: lastSeenAt } = session
  return {
    ...session,
    via: 'passkey',
    ...of,
    lastSeenAt,
    endedAt: null,
    address: from.address,
    place: from.place,
    browser: from.browser,
  }
}

export const sessionOf = ({ address, place, browser, credentialId, ...row }: SessionRow): Session => ({
  id: row.id,
  via: row.via,
  credentialId: credentialId ?? undefined,
  openedAt: row.openedAt,
  lastSeenAt: row.lastSeenAt,
  expiresAt: row.expiresAt,
  origin: { address, place, browser },
})

export const clientSessionOf = (row: ClientSessionRow): ClientSession => ({
  id: row.id,
  clientId: row.clientId,
  scope: row.scope,
  via: row.via,
  authenticatedAt: row.authenticatedAt,
  expiresAt: row.expiresAt,
  endedAt: row.endedAt ?? undefined,
  endReason: (row.endReason ?? undefined) as ClientSessionEnd | undefined,
  origin: { address: row.address, place: row.place, browser: row.browser },
})

export function auditRow({ asking, ...event }: AuditEvent): typeof audit.$inferInsert {
  const { requestId, from } = asking
  return { ...event, requestId, address: from.address, place: from.place, browser: from.browser }
}
