/** The statements of authorization codes, client sessions and signing keys: statements.ts, continued. */
import { asc, eq, getTableColumns, type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import type { Actor } from '../core/admin-ports.ts'
import type {
  ClientSessionEnd,
  ClientSessionId,
  CredentialId,
  Duration,
  Holder,
  Instant,
  TotpId,
  UserId,
} from '../core/model.ts'
import type { CodeClaim, RefreshClaim } from '../core/token-ports.ts'
import { unlocked } from './lock-statements.ts'
import {
  audit,
  clientSessions,
  codes,
  credentials,
  type deviceCodes,
  documents,
  passwords,
  policy,
  sessions,
  signingKeys,
  totps,
  userRoles,
  users,
} from './schema.ts'
import { endOfSession, every, guard } from './statements.ts'
import { type Db, recipe } from './store.ts'

const c = codes
const f = clientSessions

type Claimed = CodeClaim & { readonly at: Instant }
const theCode = (s: { readonly [K in keyof CodeClaim]: unknown }) =>
  sql`${c.hash} = ${s.hash} and ${c.clientId} = ${s.clientId} and ${c.redirectUri} = ${s.redirectUri}
    and ${c.codeChallenge} = ${s.codeChallenge} and ${c.jkt} = ${s.jkt}`
const ofCode = (column: SQLWrapper, hash: unknown) => sql`(select ${column} from ${c} where ${c.hash} = ${hash})`

/** Of a code that was approved: the passkey is not removed; or the app is there, and the password is the same. */
export const approverStands = (code: typeof codes | typeof deviceCodes) =>
  sql`(exists (select 1 from ${credentials} where ${credentials.id} = ${code.credentialId} and ${credentials.removedAt} is null)
    or (exists (select 1 from ${totps} where ${totps.id} = ${code.totpId} and ${totps.userId} = ${code.userId})
      and exists (select 1 from ${passwords} where ${passwords.id} = ${code.passwordId}
        and ${passwords.userId} = ${code.userId})))`

export type OpenFromCode = {
  readonly hash: string
  readonly at: Instant
  readonly latest: Duration
  readonly address: string
  readonly place: string
  readonly browser: string
}

export const codeStatements = (db: Db) => ({
  addCode: recipe<typeof codes.$inferInsert>((s) => db.insert(codes).values(every(codes, s))),
  codeHolds: recipe<Claimed>((s) =>
    guard(
      db,
      'code',
      sql`exists (select 1 from ${c} where ${theCode(s)} and ${c.usedAt} is null and ${c.expiresAt} > ${s.at})`,
    ),
  ),
  /** What approved may have been removed in the minute since. */
  codeApproverStands: recipe<{ readonly hash: string }>((s) =>
    guard(db, 'credential', sql`exists (select 1 from ${c} where ${c.hash} = ${s.hash} and ${approverStands(c)})`),
  ),
  codeUserNotLocked: recipe<{ readonly hash: string; readonly at: Instant }>((s) =>
    guard(
      db,
      'lock',
      unlocked(
        { user: ofCode(c.userId, s.hash), devices: [ofCode(c.credentialId, s.hash), ofCode(c.totpId, s.hash)] },
        sql`${s.at}`,
      ),
    ),
  ),
  useCode: recipe<{ readonly hash: string; readonly at: Instant }>((s) =>
    db
      .update(c)
      .set({ usedAt: sql`${s.at}` })
      .where(sql`${c.hash} = ${s.hash}`),
  ),
  /** Twelve hours from the approval, or less where a role says so. */
  openClientSession: recipe<OpenFromCode>((s) => {
    const end = endOfSession(sql`${c.userId}`, sql`${c.authenticatedAt}`, sql`${c.authenticatedAt} + ${s.latest}`)
    return db.run(sql`insert into ${f} (id, user_id, credential_id, totp_id, client_id, jkt, scope, authenticated_at,
        generation, rotated_at, expires_at, address, place, browser)
      select ${c.clientSessionId}, ${c.userId}, ${c.credentialId}, ${c.totpId}, ${c.clientId}, ${c.jkt}, ${c.scope},
        ${c.authenticatedAt}, 1, ${s.at}, ${end}, ${s.address}, ${s.place}, ${s.browser}
      from ${c} where ${c.hash} = ${s.hash}`)
  }),
  /** With the user and the session of a code. */
  recordOfCode: recipe<typeof audit.$inferInsert & { readonly hash: string }>((s) => {
    const of = (column: SQL) => sql`(select ${column} from ${c} where ${c.hash} = ${s.hash})`
    return db.insert(audit).values({
      ...every(audit, s),
      seq: undefined,
      userId: of(sql`${c.userId}`),
      sessionId: of(sql`${c.clientSessionId}`),
      credentialId: of(sql`${c.credentialId}`),
      intentId: of(sql`${c.intentId}`),
    })
  }),
  /** A code that is shown again by who knows its verifier, whatever else differs. */
  endOfReusedCode: recipe<Claimed & { readonly requestId: string }>((s) =>
    db
      .update(f)
      .set({
        endedAt: sql`${s.at}`,
        endReason: sql`${'code_reused' satisfies ClientSessionEnd}`,
        endedBy: sql`${s.requestId}`,
      })
      .where(sql`${f.endedAt} is null and ${f.id} = (select ${c.clientSessionId} from ${c}
        where ${c.hash} = ${s.hash} and ${c.codeChallenge} = ${s.codeChallenge} and ${c.usedAt} is not null)`),
  ),
})

type Refreshing = RefreshClaim & { readonly at: Instant; readonly repeatFor: Duration; readonly requestId: string }
type Ending = {
  readonly id: ClientSessionId
  readonly at: Instant
  readonly reason: ClientSessionEnd
  readonly requestId: string
}
type EndingOfUser = Omit<Ending, 'id'> & { readonly userId: UserId }
export const runs = (at: unknown) => sql`${f.endedAt} is null and ${f.expiresAt} > ${at}`

const ended = (s: { at: unknown; requestId: unknown }, reason: SQL) => ({
  endedAt: sql`${s.at}`,
  endReason: reason,
  endedBy: sql`${s.requestId}`,
})

/** An audit row for each session that fits: whose it was and why it ended are the session's to say. */
function recordOfEnded({ seq: _, ...given }: Record<string, unknown>, which: SQL): SQL {
  const detail = sql`json_object('reason', ${f.endReason})`
  const values = { ...given, sessionId: f.id, userId: f.userId, detail }
  const columns = getTableColumns(audit)
  const names = Object.keys(values).map((name) => sql.identifier(columns[name as keyof typeof columns].name))
  const list = (parts: readonly unknown[]) =>
    sql.join(
      parts.map((part) => sql`${part}`),
      sql`, `,
    )
  return sql`insert into ${audit} (${list(names)}) select ${list(Object.values(values))} from ${f} where ${which}`
}

export const loginColumns = {
  id: f.id,
  userId: f.userId,
  credentialId: f.credentialId,
  totpId: f.totpId,
  name: users.name,
  traits: users.traits,
  clientId: f.clientId,
  scope: f.scope,
  via: f.via,
  authenticatedAt: f.authenticatedAt,
  expiresAt: f.expiresAt,
  generation: f.generation,
  jkt: f.jkt,
  endedAt: f.endedAt,
  endReason: f.endReason,
}

/** Whose a client session is, and with which roles. */
export const loginStatements = (db: Db) => ({
  login: recipe<{ readonly id: ClientSessionId }>((s) =>
    db
      .select({ ...loginColumns, sequence: sql<number>`(select ${policy.sequence} from ${policy})` })
      .from(f)
      .innerJoin(users, eq(users.id, f.userId))
      .where(sql`${f.id} = ${s.id}`),
  ),
  loginOfCode: recipe<{ readonly hash: string }>((s) =>
    db
      .select({ ...loginColumns, nonce: c.nonce })
      .from(c)
      .innerJoin(f, eq(f.id, c.clientSessionId))
      .innerJoin(users, eq(users.id, f.userId))
      .where(sql`${c.hash} = ${s.hash}`),
  ),
  roles: recipe<{ readonly id: ClientSessionId }>((s) =>
    db
      .select({ role: userRoles.role, document: documents.document, revision: documents.revision })
      .from(userRoles)
      .innerJoin(f, eq(f.userId, userRoles.userId))
      .leftJoin(documents, sql`${documents.kind} = 'role' and ${documents.name} = ${userRoles.role}`)
      .where(sql`${f.id} = ${s.id}`)
      .orderBy(asc(userRoles.role)),
  ),
})

/** Logins of programs that end with what approved them. */
export const approverStatements = (db: Db) => ({
  endClientSessionsOf: recipe<{ credentialId: CredentialId; at: Instant; reason: ClientSessionEnd; requestId: string }>(
    (s) =>
      db
        .update(f)
        .set(ended(s, sql`${s.reason}`))
        .where(sql`${f.credentialId} = ${s.credentialId} and ${f.endedAt} is null`),
  ),
  /** Those that a code of this app approved, with the password. */
  endProgramsOf: recipe<EndingOfUser & { readonly totpId: TotpId }>((s) =>
    db
      .update(f)
      .set(ended(s, sql`${s.reason}`))
      .where(sql`${f.totpId} = ${s.totpId} and ${f.userId} = ${s.userId} and ${f.endedAt} is null`),
  ),
  /** Those that the password approved, with a code of whichever app. */
  endProgramsOfCodes: recipe<EndingOfUser>((s) =>
    db
      .update(f)
      .set(ended(s, sql`${s.reason}`))
      .where(sql`${f.userId} = ${s.userId} and ${f.totpId} is not null and ${f.endedAt} is null`),
  ),
})

export const clientSessionStatements = (db: Db) => ({
  /** The newest token, by its key: on to the next. */
  rotate: recipe<Refreshing>((s) =>
    db
      .update(f)
      .set({ generation: sql`${f.generation} + 1`, rotatedAt: sql`${s.at}` })
      .where(sql`${f.id} = ${s.id} and ${f.clientId} = ${s.clientId} and ${f.jkt} = ${s.jkt}
        and ${f.generation} = ${s.generation} and ${runs(s.at)}`),
  ),
  /**
   * Runs after `rotate`, so the token that was just newest is now the one before the newest. That one its own key may repeat for a
   * while; all else is a copy in other hands. (A generation that is not there yet cannot be: its seal was checked.)
   */
  endIfCopied: recipe<Refreshing>((s) =>
    db
      .update(f)
      .set(ended(s, sql`case when ${f.jkt} <> ${s.jkt} then 'another_key' else 'token_reused' end`))
      .where(sql`${f.id} = ${s.id} and ${runs(s.at)} and (${f.jkt} <> ${s.jkt} or ${f.generation} > ${s.generation} + 1
        or (${f.generation} = ${s.generation} + 1 and ${f.rotatedAt} + ${s.repeatFor} <= ${s.at}))`),
  ),
  revoke: recipe<Ending & { readonly clientId: string }>((s) =>
    db
      .update(f)
      .set(ended(s, sql`${s.reason}`))
      .where(sql`${f.id} = ${s.id} and ${f.clientId} = ${s.clientId} and ${runs(s.at)}`),
  ),
  endClientSession: recipe<Ending>((s) =>
    db
      .update(f)
      .set(ended(s, sql`${s.reason}`))
      .where(sql`${f.id} = ${s.id}`),
  ),
  /** Only where this very request ended it: of several that try, one writes the row. */
  recordIfEnded: recipe<typeof audit.$inferInsert>((s) =>
    db.run(recordOfEnded(every(audit, s), sql`${f.id} = ${s.sessionId} and ${f.endedBy} = ${s.requestId}`)),
  ),
  /** The same for the session that a code opened. */
  recordIfCodeEnded: recipe<typeof audit.$inferInsert & { readonly hash: string }>((s) => {
    const opened = sql`(select ${c.clientSessionId} from ${c} where ${c.hash} = ${s.hash})`
    return db.run(recordOfEnded(every(audit, s), sql`${f.id} = ${opened} and ${f.endedBy} = ${s.requestId}`))
  }),
  endRunning: recipe<Ending>((s) =>
    db
      .update(f)
      .set(ended(s, sql`${s.reason}`))
      .where(sql`${f.id} = ${s.id} and ${runs(s.at)}`),
  ),
  /** A session of the user whose browser session is claimed. */
  ownClientSessionRuns: recipe<{ id: string; target: ClientSessionId; at: Instant }>((s) =>
    guard(
      db,
      'target',
      sql`exists (select 1 from ${f} where ${f.id} = ${s.target} and ${runs(s.at)}
        and ${f.userId} = (select ${sessions.userId} from ${sessions} where ${sessions.id} = ${s.id}))`,
    ),
  ),
  clientSessionHolds: recipe<{ id: ClientSessionId; jkt: Holder; at: Instant }>((s) =>
    guard(
      db,
      'client',
      sql`exists (select 1 from ${f} where ${f.id} = ${s.id} and ${f.jkt} = ${s.jkt} and ${runs(s.at)})`,
    ),
  ),
  /** For the session's own key. Any other is a thief's: it hears of no lock, and no lock keeps it from ending the session. */
  clientUserNotLocked: recipe<{ id: ClientSessionId; jkt: Holder; at: Instant }>((s) => {
    const of = (column: SQLWrapper) => sql`(select ${column} from ${f} where ${f.id} = ${s.id} and ${f.jkt} = ${s.jkt})`
    return guard(
      db,
      'lock',
      unlocked({ user: of(f.userId), devices: [of(f.credentialId), of(f.totpId)] }, sql`${s.at}`),
    )
  }),
})

/** What an action's batch begins with: the caller's session runs, he holds the role, and no lock names him. */
export const actorStatements = (db: Db) => ({
  actorHolds: recipe<Pick<Actor, 'userId' | 'sessionId'> & { readonly at: Instant }>((s) =>
    guard(
      db,
      'client',
      sql`exists (select 1 from ${f} where ${f.id} = ${s.sessionId} and ${f.userId} = ${s.userId} and ${runs(s.at)})`,
    ),
  ),
  /** `revision`: empty for a role that is built in. */
  actorMay: recipe<{ readonly userId: UserId; readonly role: string; readonly revision: string }>((s) =>
    guard(
      db,
      'role',
      sql`exists (select 1 from ${userRoles} where ${userRoles.userId} = ${s.userId} and ${userRoles.role} = ${s.role})
        and (${s.revision} = '' or exists (select 1 from ${documents} where ${documents.kind} = 'role'
          and ${documents.name} = ${s.role} and ${documents.revision} = ${s.revision}))`,
    ),
  ),
})

const k = signingKeys

export const signingKeyStatements = (db: Db) => ({
  beginKey: recipe<typeof signingKeys.$inferInsert>((s) => db.insert(k).values(every(k, s)).onConflictDoNothing()),
  addKey: recipe<typeof signingKeys.$inferInsert>((s) => db.insert(k).values(every(k, s))),
  keyIsCurrent: recipe<{ readonly current: number }>((s) =>
    guard(
      db,
      'rotation',
      sql`exists (select 1 from ${k} where ${k.generation} = ${s.current} and ${k.activatedAt} is not null and ${k.retiredAt} is null)`,
    ),
  ),
  retireKey: recipe<{ readonly current: number; readonly at: Instant }>((s) =>
    db
      .update(k)
      .set({ retiredAt: sql`${s.at}`, sealed: sql`null` })
      .where(sql`${k.generation} = ${s.current}`),
  ),
  activateKey: recipe<{ readonly current: number; readonly at: Instant }>((s) =>
    db
      .update(k)
      .set({ activatedAt: sql`${s.at}` })
      .where(sql`${k.generation} = ${s.current} + 1`),
  ),
})
