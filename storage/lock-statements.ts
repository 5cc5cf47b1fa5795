/** What a lock stops: the guards that every batch of a login, an approval, a refresh or a call has, and the words that it is told with. */
import { type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import type { ClientSessionId, CredentialId, Instant, SessionId, TotpId, UserId } from '../core/model.ts'
import { clientSessions, documents, sessions, userRoles, users } from './schema.ts'
import { guard } from './statements.ts'
import { type Db, recipe } from './store.ts'

/** Who acts, as SQL: slots, columns or queries. `devices`: what he proves himself with, or was let in by; NULL names none. */
export interface Lockable {
  readonly user: SQLWrapper
  readonly devices: readonly SQLWrapper[]
}

/** All that a lock may name of him, as `lockedBy` in core/access/lock.ts spells it. */
const lockKeysOf = ({ user, devices }: Lockable): SQL =>
  sql.join(
    [
      sql`select 'user:' || ${users.nameKey} from ${users} where ${users.id} = ${user}`,
      sql`select 'role:' || ${userRoles.role} from ${userRoles} where ${userRoles.userId} = ${user}`,
      ...devices.map((device) => sql`select 'mfa_device:' || ${device}`),
    ],
    sql` union all `,
  )

const inForce = (at: SQL) => sql`(${documents.expiresAt} is null or ${documents.expiresAt} > ${at})`

const noLockOn = (keys: SQL, at: SQL) =>
  sql`not exists (select 1 from ${documents} where ${documents.lockKey} in (${keys}) and ${inForce(at)})`

/** No lock in force names him, a role of his, or what let him in. */
export const unlocked = (who: Lockable, at: SQL): SQL => noLockOn(lockKeysOf(who), at)

/** Locks in force on him, one on himself before one on a role of his. */
export const locksOn = (db: Db, who: Lockable, at: Instant) =>
  db
    .select({ document: documents.document })
    .from(documents)
    .where(sql`${documents.lockKey} in (${lockKeysOf(who)}) and ${inForce(sql`${at}`)}`)
    .orderBy(sql`${documents.lockKey} desc`)
    .limit(1)

/** Somebody who acts: with what he shows now, and in which session, whose own passkey or app counts too. */
export interface Acting {
  readonly userId: UserId
  readonly device: CredentialId | TotpId | null
  readonly session: SessionId | ClientSessionId | null
}

export const lockableOf = (s: { readonly [K in keyof Acting]: unknown }): Lockable => ({
  user: sql`${s.userId}`,
  devices: [
    sql`${s.device}`,
    sql`(select coalesce(${sessions.credentialId}, ${sessions.totpId}) from ${sessions} where ${sessions.id} = ${s.session})`,
    sql`(select coalesce(${clientSessions.credentialId}, ${clientSessions.totpId}) from ${clientSessions} where ${clientSessions.id} = ${s.session})`,
  ],
})

/** Whose a browser session is, and what let it in: for queries of `sessions`. */
export const ownerOfSession: Lockable = {
  user: sessions.userId,
  devices: [sql`coalesce(${sessions.credentialId}, ${sessions.totpId})`],
}

type Named = { readonly nameKey: string; readonly at: Instant }

export const lockStatements = (db: Db) => ({
  notLocked: recipe<Acting & { readonly at: Instant }>((s) => guard(db, 'lock', unlocked(lockableOf(s), sql`${s.at}`))),
  /** A lock stays in force whoever bears the name: somebody new would be locked out too. */
  nameNotLocked: recipe<Named>((s) => {
    const bearer = sql`(select ${users.id} from ${users} where ${users.nameKey} = ${s.nameKey} and ${users.removedAt} is null)`
    const keys = sql`select 'user:' || ${s.nameKey} union all select 'role:' || ${userRoles.role} from ${userRoles}
      where ${userRoles.userId} = ${bearer}`
    return guard(db, 'lock', noLockOn(keys, sql`${s.at}`))
  }),
  /** A preset role, unless it is locked: it would keep out whom the operator has just let in. */
  giveRoleIfUnlocked: recipe<{ readonly userId: UserId; readonly role: string; readonly at: Instant }>((s) =>
    db.run(sql`insert into ${userRoles} (user_id, role) select ${s.userId}, ${s.role}
      where ${noLockOn(sql`select 'role:' || ${s.role}`, sql`${s.at}`)} on conflict do nothing`),
  ),
})
