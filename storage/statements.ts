/**
 * The statements that batches are made of. Each is one SQL text for good, so that both databases keep it prepared.
 * A guard is an INSERT that fails when a fact no longer holds: see `guards` in schema.ts.
 */
import { getTableColumns, type Placeholder, type SQL, sql, type Table } from 'drizzle-orm'
import { preferenceKind, preferenceName } from '../core/access/auth-preference.ts'
import { idleTtl, seenEvery } from '../core/login/ceremony.ts'
import type { CredentialId, Instant, SessionId, UserId } from '../core/model.ts'
import type { AdministratorLink, SessionClaim, Spend, Tapped } from '../core/ports.ts'
import {
  administratorLink,
  audit,
  credentials,
  documents,
  guards,
  passwords,
  sessions,
  spent,
  userRoles,
  users,
} from './schema.ts'
import { type Db, recipe } from './store.ts'

type Named = Exclude<keyof typeof guards.$inferInsert, undefined>

/** Inserts nothing while `holds`, and aborts the batch otherwise: the column takes no NULL. */
export const guard = (db: Db, name: Named, holds: SQL) =>
  db.run(sql`insert into ${guards} (${sql.identifier(name)}) select null where not (${holds})`)

const c = credentials
export const liveCredential = (
  s: { credentialId: Placeholder; fingerprint: Placeholder; userId: Placeholder },
  more: SQL = sql`1`,
) =>
  sql`exists (select 1 from ${c} where ${c.id} = ${s.credentialId} and ${c.fingerprint} = ${s.fingerprint}
    and ${c.userId} = ${s.userId} and ${c.removedAt} is null and ${more})`

/** When a session that begins at `at` ends: at `latest`, or sooner where the preference or a role of the user says so. */
export const endOfSession = (user: SQL, at: SQL, latest: SQL) =>
  sql`min(${latest}, coalesce(${at} + (select min(${documents.maxSessionTtl}) from ${documents}
    where ${documents.kind} = ${sql.raw(`'${preferenceKind}'`)} or (${documents.kind} = 'role' and ${documents.name} in
      (select ${userRoles.role} from ${userRoles} where ${userRoles.userId} = ${user}))), ${latest}))`

/** The revision of the preference; NULL where there is none. */
const preferenceRevision = sql`(select ${documents.revision} from ${documents}
  where ${documents.kind} = ${sql.raw(`'${preferenceKind}'`)} and ${documents.name} = ${sql.raw(`'${preferenceName}'`)})`

/** What every tap's batch begins with. */
export const tapStatements = (db: Db) => ({
  spend: recipe<Spend>((s) => db.insert(spent).values(every(spent, s))),
  credentialHolds: recipe<Tapped>((s) =>
    guard(db, 'credential', liveCredential(s, sql`${c.rpId} = ${s.rpId} and ${c.kind} = ${s.kind}`)),
  ),
  preferenceHolds: recipe<Pick<Tapped, 'preference'>>((s) =>
    guard(db, 'preference', sql`(${preferenceRevision} is ${s.preference})`),
  ),
  credentialMayVouch: recipe<Tapped>((s) => guard(db, 'credential', liveCredential(s, sql`${c.mayVouch} = 1`))),
  /** WebAuthn section 7.2 step 22: two zeroes say that the authenticator counts nothing. */
  counterIsAhead: recipe<Tapped>((s) =>
    guard(
      db,
      'counter',
      sql`exists (select 1 from ${c} where ${c.id} = ${s.credentialId}
        and (${c.counter} < ${s.counter} or (${c.counter} = 0 and ${s.counter} = 0)))`,
    ),
  ),
  moveCounter: recipe<Tapped & { readonly at: Instant }>((s) =>
    db
      .update(credentials)
      .set({ counter: sql`${s.counter}`, backedUp: sql`${s.backedUp}`, lastUsedAt: sql`${s.at}` })
      .where(sql`${c.id} = ${s.credentialId}`),
  ),
  record: recipe<typeof audit.$inferInsert>((s) => db.insert(audit).values({ ...every(audit, s), seq: undefined })),
  /** For an event of which only the session is known: the user is the session's. */
  recordOf: recipe<typeof audit.$inferInsert & { readonly claimed: SessionId }>((s) => {
    const userId = sql`(select ${sessions.userId} from ${sessions} where ${sessions.id} = ${s.claimed})`
    return db.insert(audit).values({ ...every(audit, s), seq: undefined, userId })
  }),
})

/** One slot for each column of the table. */
export function every<S>(table: Table, slots: S): S {
  return Object.fromEntries(Object.keys(getTableColumns(table)).map((name) => [name, slots[name as keyof S]])) as S
}

type OpenSession = typeof sessions.$inferInsert
type Ended = SessionClaim & { readonly target: SessionId; readonly at: Instant }
type Claimed = SessionClaim & { readonly userId: UserId; readonly at: Instant }

/** Not ended, not over, and in use. */
export const sessionInUse = (at: unknown) =>
  sql`${sessions.endedAt} is null and ${sessions.expiresAt} > ${at} and ${sessions.lastSeenAt} > ${at} - ${idleTtl}`

export const running = (s: { id: Placeholder; secretHash: Placeholder; at: Placeholder }) =>
  sql`${sessions.id} = ${s.id} and ${sessions.secretHash} = ${s.secretHash} and ${sessionInUse(s.at)}`

export const sessionStatements = (db: Db) => ({
  openSession: recipe<OpenSession>((s) => {
    const expiresAt = endOfSession(sql`${s.userId}`, sql`${s.openedAt}`, sql`${s.expiresAt}`)
    return db
      .insert(sessions)
      .values({ ...every(sessions, s), expiresAt })
      .returning({ expiresAt: sessions.expiresAt })
  }),
  /** The session that replaces the claimed one, and ends when that would have. */
  exchangeSession: recipe<OpenSession & { oldId: SessionId }>((s) => {
    const old = (what: SQL) => sql`(select ${what} from ${sessions} where ${sessions.id} = ${s.oldId})`
    // A tap of a security key is no login by itself: the new session rests on what the old one rested on, too.
    const isSecurityKey = sql`exists (select 1 from ${c} where ${c.id} = ${s.credentialId} and ${c.kind} = 'security_key')`
    const wasPasskey = sql`${old(sql`${sessions.via}`)} = 'passkey'`
    const via = sql`case when not ${isSecurityKey} then ${s.via} when ${wasPasskey} then 'passkey'
      else 'password+passkey' end`
    const credentialId = sql`case when ${isSecurityKey} and ${wasPasskey} then ${old(sql`${sessions.credentialId}`)}
      else ${s.credentialId} end`
    return db
      .insert(sessions)
      .values({ ...every(sessions, s), via, credentialId, expiresAt: old(sql`${sessions.expiresAt}`) })
      .returning({ expiresAt: sessions.expiresAt })
  }),
  sessionHolds: recipe<Claimed>((s) =>
    guard(
      db,
      'session',
      sql`exists (select 1 from ${sessions} where ${running(s)} and ${sessions.userId} = ${s.userId})`,
    ),
  ),
  sessionRuns: recipe<SessionClaim & { readonly at: Instant }>((s) =>
    guard(db, 'session', sql`exists (select 1 from ${sessions} where ${running(s)})`),
  ),
  /** A request of it. A session that was seen less than a minute ago is left as it is: most requests write nothing. */
  sessionSeen: recipe<SessionClaim & { readonly at: Instant }>((s) =>
    db
      .update(sessions)
      .set({ lastSeenAt: sql`${s.at}` })
      .where(sql`${running(s)} and ${sessions.lastSeenAt} <= ${s.at} - ${seenEvery}`),
  ),
  /** A session that runs, of the same user as the claimed one. */
  targetRuns: recipe<Ended>((s) =>
    guard(
      db,
      'target',
      sql`exists (select 1 from ${sessions} where ${sessions.id} = ${s.target} and ${sessionInUse(s.at)}
        and ${sessions.userId} = (select claimed.user_id from ${sessions} as claimed where claimed.id = ${s.id}))`,
    ),
  ),
  endSession: recipe<Pick<Ended, 'target' | 'at'>>((s) =>
    db
      .update(sessions)
      .set({ endedAt: sql`${s.at}` })
      .where(sql`${sessions.id} = ${s.target}`),
  ),
  endSessionsOf: recipe<{ credentialId: CredentialId; at: Instant }>((s) =>
    db
      .update(sessions)
      .set({ endedAt: sql`${s.at}` })
      .where(sql`${sessions.credentialId} = ${s.credentialId} and ${sessions.endedAt} is null`),
  ),
})

export const accountStatements = (db: Db) => ({
  addCredential: recipe<typeof credentials.$inferInsert>((s) => db.insert(credentials).values(every(credentials, s))),
  targetHolds: recipe<{ credentialId: CredentialId; fingerprint: string; userId: UserId; tapping: CredentialId }>(
    (s) => {
      const tappingMay = sql`(select tapping.may_vouch from ${c} as tapping where tapping.id = ${s.tapping})`
      return guard(db, 'target', liveCredential(s, sql`${c.mayVouch} <= ${tappingMay}`))
    },
  ),
  /** requireStaying in core/login/passkey-remove.ts. */
  anotherStays: recipe<{ credentialId: CredentialId; userId: UserId; rpIds: string; securityKeys: boolean }>((s) => {
    const usable = (which: SQL) =>
      sql`exists (select 1 from ${c} where ${c.userId} = ${s.userId} and ${c.removedAt} is null and ${ofThese(s)} and ${which})`
    const another = usable(sql`${c.id} <> ${s.credentialId}`)
    const anotherPasskey = usable(sql`${c.id} <> ${s.credentialId} and ${c.kind} = 'passkey'`)
    const isPasskey = usable(sql`${c.id} = ${s.credentialId} and ${c.kind} = 'passkey'`)
    const hasPassword = sql`exists (select 1 from ${passwords} where ${passwords.userId} = ${s.userId})`
    const staysIn = sql`(${anotherPasskey} or (${s.securityKeys} and ${hasPassword}))`
    return guard(db, 'last', sql`(${another} and (not ${isPasskey} or ${staysIn}))`)
  }),
  vouchingStaysWithout: recipe<{ credentialId: CredentialId; rpIds: string }>((s) =>
    vouchingStays(db, s, sql`${c.id} = ${s.credentialId}`),
  ),
  removeCredential: recipe<{ credentialId: CredentialId; at: Instant }>((s) =>
    db
      .update(credentials)
      .set({ removedAt: sql`${s.at}` })
      .where(sql`${c.id} = ${s.credentialId}`),
  ),
})

/** Of a relying party that is taken; `rpIds` is JSON. What is of another opens nothing. */
export const ofThese = (s: { rpIds: Placeholder }) => sql`${c.rpId} in (select value from json_each(${s.rpIds}))`

/** There is a passkey that may vouch, one of these. */
export const vouching = (s: { rpIds: Placeholder }, which: SQL) =>
  sql`exists (select 1 from ${c} where ${c.mayVouch} = 1 and ${c.removedAt} is null and ${ofThese(s)} and ${which})`

/** One stays when `leaving` go, or none of these may vouch: else nobody could be let in any more. */
export const vouchingStays = (db: Db, s: { rpIds: Placeholder }, leaving: SQL) =>
  guard(db, 'vouching', sql`(not ${vouching(s, leaving)} or ${vouching(s, sql`not (${leaving})`)})`)

const noRoot = sql`not exists (select 1 from ${credentials} where ${credentials.isRoot} = 1)`

export const administratorStatements = (db: Db) => ({
  noAdministrator: recipe<object>(() => guard(db, 'administrator', noRoot)),
  anAdministrator: recipe<object>(() => guard(db, 'administrator', sql`not ${noRoot}`)),
  linkHolds: recipe<{ hash: string; at: Instant }>((s) =>
    guard(
      db,
      'link',
      sql`(${noRoot} and exists (select 1 from ${administratorLink} where ${administratorLink.hash} = ${s.hash}
        and ${administratorLink.expiresAt} > ${s.at}))`,
    ),
  ),
  recoveryHolds: recipe<{ hash: string; at: Instant }>((s) =>
    guard(
      db,
      'link',
      sql`exists (select 1 from ${administratorLink} where ${administratorLink.hash} = ${s.hash}
        and ${administratorLink.name} is not null and ${administratorLink.expiresAt} > ${s.at})`,
    ),
  ),
  offerLink: recipe<AdministratorLink>((s) =>
    db
      .insert(administratorLink)
      .values({ slot: 1, hash: s.hash, name: s.name, expiresAt: s.expiresAt })
      .onConflictDoUpdate({
        target: administratorLink.slot,
        set: { hash: sql`excluded.hash`, name: sql`excluded.name`, expiresAt: sql`excluded.expires_at` },
      }),
  ),
  closeLink: recipe<object>(() => db.delete(administratorLink)),
  addUser: recipe<typeof users.$inferInsert>((s) => db.insert(users).values(every(users, s))),
})
