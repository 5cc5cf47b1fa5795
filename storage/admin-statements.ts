/** The statements of users, invites and documents: statements.ts, continued. */
import { sql } from 'drizzle-orm'
import type { ClientSessionEnd, CredentialId, Holder, Instant, InviteId, UserId } from '../core/model.ts'
import {
  approvals,
  clientSessions,
  credentials,
  documents,
  invites,
  passwords,
  recoveryCodes,
  sessions,
  totps,
  userRoles,
  users,
} from './schema.ts'
import { every, guard, sessionInUse, vouchingStays } from './statements.ts'
import { type Db, recipe } from './store.ts'
import { runs } from './token-statements.ts'

type Entrusted = { readonly credentialId: CredentialId; readonly userId: UserId; readonly fingerprint: string }
type Disowned = {
  readonly jkt: Holder
  readonly claimed: string
  readonly at: Instant
  readonly reason: ClientSessionEnd
  readonly requestId: string
}
type Removed = { readonly nameKey: string; readonly at: Instant }

/** The one who bears the name now. */
const bearer = (nameKey: unknown) =>
  sql`(select ${users.id} from ${users} where ${users.nameKey} = ${nameKey} and ${users.removedAt} is null)`

export const userStatements = (db: Db) => ({
  giveRole: recipe<typeof userRoles.$inferInsert>((s) =>
    db.insert(userRoles).values(every(userRoles, s)).onConflictDoNothing(),
  ),
  /** A role that is a document; presets are always there. */
  roleIsThere: recipe<{ readonly role: string }>((s) =>
    guard(
      db,
      'given',
      sql`exists (select 1 from ${documents} where ${documents.kind} = 'role' and ${documents.name} = ${s.role})`,
    ),
  ),
  addInvite: recipe<typeof invites.$inferInsert>((s) => db.insert(invites).values(every(invites, s))),
  inviteHolds: recipe<{ readonly id: InviteId; readonly userId: UserId; readonly at: Instant }>((s) =>
    guard(
      db,
      'invite',
      sql`exists (select 1 from ${invites} inner join ${users} on ${users.id} = ${invites.userId}
        where ${invites.id} = ${s.id} and ${invites.userId} = ${s.userId} and ${invites.usedAt} is null
        and ${invites.expiresAt} > ${s.at} and ${users.removedAt} is null)`,
    ),
  ),
  useInvite: recipe<{ readonly id: InviteId; readonly at: Instant }>((s) =>
    db
      .update(invites)
      .set({ usedAt: sql`${s.at}` })
      .where(sql`${invites.id} = ${s.id}`),
  ),

  userIsThere: recipe<{ readonly nameKey: string }>((s) =>
    guard(db, 'target', sql`exists (select 1 from ${users} where ${users.id} = ${bearer(s.nameKey)})`),
  ),
  /** By id and by name: who bore it when the tap was asked for bears it still. */
  userBears: recipe<{ readonly userId: UserId; readonly nameKey: string }>((s) =>
    guard(db, 'target', sql`exists (select 1 where ${bearer(s.nameKey)} = ${s.userId})`),
  ),
  /** Another must do that: so there is always one left who may. */
  userIsAnother: recipe<{ readonly nameKey: string; readonly userId: UserId }>((s) =>
    guard(db, 'last', sql`${bearer(s.nameKey)} <> ${s.userId}`),
  ),
  takeRolesOf: recipe<{ readonly nameKey: string }>((s) =>
    db.delete(userRoles).where(sql`${userRoles.userId} = ${bearer(s.nameKey)}`),
  ),
  /** Last: the others find the user by the name. */
  removeUser: recipe<Removed>((s) =>
    db
      .update(users)
      .set({ removedAt: sql`${s.at}` })
      .where(sql`${users.nameKey} = ${s.nameKey} and ${users.removedAt} is null`),
  ),
})

/** What goes with a user who is removed, reset or recovered, and what must stay. */
export const leavingStatements = (db: Db) => ({
  vouchingStaysWithoutUser: recipe<{ readonly nameKey: string }>((s) =>
    vouchingStays(db, sql`${credentials.userId} = ${bearer(s.nameKey)}`),
  ),
  /** Links that a newer one replaces. */
  closeLinksOf: recipe<Removed>((s) =>
    db
      .update(invites)
      .set({ expiresAt: sql`${s.at}` })
      .where(
        sql`${invites.userId} = ${bearer(s.nameKey)} and ${invites.usedAt} is null and ${invites.expiresAt} > ${s.at}`,
      ),
  ),
  /** A session of this user, of a browser or of a program. */
  loginRuns: recipe<{ readonly id: string; readonly owner: UserId; readonly at: Instant }>((s) =>
    guard(
      db,
      'target',
      sql`(exists (select 1 from ${sessions} where ${sessions.id} = ${s.id} and ${sessions.userId} = ${s.owner}
          and ${sessionInUse(s.at)})
        or exists (select 1 from ${clientSessions} where ${clientSessions.id} = ${s.id}
          and ${clientSessions.userId} = ${s.owner} and ${runs(s.at)}))`,
    ),
  ),
  removeCredentialsOf: recipe<Removed>((s) =>
    db
      .update(credentials)
      .set({ removedAt: sql`${s.at}` })
      .where(sql`${credentials.userId} = ${bearer(s.nameKey)} and ${credentials.removedAt} is null`),
  ),
  endSessionsOfUser: recipe<Removed>((s) =>
    db
      .update(sessions)
      .set({ endedAt: sql`${s.at}` })
      .where(sql`${sessions.userId} = ${bearer(s.nameKey)} and ${sessions.endedAt} is null`),
  ),
  endClientSessionsOfUser: recipe<Removed & { readonly reason: ClientSessionEnd; readonly requestId: string }>((s) =>
    db
      .update(clientSessions)
      .set({ endedAt: sql`${s.at}`, endReason: sql`${s.reason}`, endedBy: sql`${s.requestId}` })
      .where(sql`${clientSessions.userId} = ${bearer(s.nameKey)} and ${clientSessions.endedAt} is null`),
  ),
  /** All with this key, of the user whose browser session is claimed. */
  endOwnOfKey: recipe<Disowned>((s) =>
    db
      .update(clientSessions)
      .set({ endedAt: sql`${s.at}`, endReason: sql`${s.reason}`, endedBy: sql`${s.requestId}` })
      .where(sql`${clientSessions.jkt} = ${s.jkt} and ${runs(s.at)}
        and ${clientSessions.userId} = (select ${sessions.userId} from ${sessions} where ${sessions.id} = ${s.claimed})`),
  ),
  removePasswordOf: recipe<{ readonly nameKey: string }>((s) =>
    db.delete(passwords).where(sql`${passwords.userId} = ${bearer(s.nameKey)}`),
  ),
  removeTotpsOf: recipe<{ readonly nameKey: string }>((s) =>
    db.delete(totps).where(sql`${totps.userId} = ${bearer(s.nameKey)}`),
  ),
  removeRecoveryCodesOf: recipe<{ readonly nameKey: string }>((s) =>
    db.delete(recoveryCodes).where(sql`${recoveryCodes.userId} = ${bearer(s.nameKey)}`),
  ),
})

/** Taps that are kept with what rests on them. */
export const approvalStatements = (db: Db) => ({
  addApproval: recipe<typeof approvals.$inferInsert>((s) => db.insert(approvals).values(every(approvals, s))),
  /** A passkey of this user with this key that does not vouch yet. */
  lesserCredentialHolds: recipe<Entrusted>((s) =>
    guard(
      db,
      'target',
      sql`exists (select 1 from ${credentials} where ${credentials.id} = ${s.credentialId}
        and ${credentials.userId} = ${s.userId} and ${credentials.fingerprint} = ${s.fingerprint}
        and ${credentials.mayVouch} = 0 and ${credentials.removedAt} is null)`,
    ),
  ),
  entrustCredential: recipe<Pick<Entrusted, 'credentialId'> & { readonly intentId: string | null }>((s) =>
    db
      .update(credentials)
      .set({ mayVouch: sql`1`, entrustedBy: sql`${s.intentId}` })
      .where(sql`${credentials.id} = ${s.credentialId}`),
  ),
})

const d = documents
type Key = { readonly kind: string; readonly name: string }

export const documentStatements = (db: Db) => ({
  documentIsNew: recipe<Key>((s) =>
    guard(db, 'revision', sql`not exists (select 1 from ${d} where ${d.kind} = ${s.kind} and ${d.name} = ${s.name})`),
  ),
  documentIsAt: recipe<Key & { readonly expected: string }>((s) =>
    guard(
      db,
      'revision',
      sql`exists (select 1 from ${d} where ${d.kind} = ${s.kind} and ${d.name} = ${s.name} and ${d.revision} = ${s.expected})`,
    ),
  ),
  deleteDocument: recipe<Key>((s) => db.delete(d).where(sql`${d.kind} = ${s.kind} and ${d.name} = ${s.name}`)),
  addDocument: recipe<typeof documents.$inferInsert>((s) => db.insert(d).values(every(d, s))),
  roleIsFree: recipe<Key>((s) =>
    guard(
      db,
      'held',
      sql`(${s.kind} <> 'role' or not exists (select 1 from ${userRoles} where ${userRoles.role} = ${s.name}))`,
    ),
  ),
})
