/** The statements of the device flow: token-statements.ts, continued. */
import { eq, type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import type { DeviceCodeClaim } from '../core/device-flow-ports.ts'
import { type Instant, type LoginVia, type SessionId, seconds, type UserId } from '../core/model.ts'
import { unlocked } from './lock-statements.ts'
import { audit, clientSessions, deviceCodes, documents, sessions, userRoles, users } from './schema.ts'
import { endOfSession, every, guard } from './statements.ts'
import { type Db, recipe } from './store.ts'
import { approverStands, loginColumns, type OpenFromCode } from './token-statements.ts'

const d = deviceCodes
const f = clientSessions

/** RFC 8628 section 3.5. */
const slower = seconds(5)

type Claimed = DeviceCodeClaim & { readonly at: Instant }
type Approved = Pick<typeof deviceCodes.$inferSelect, 'credentialId' | 'totpId' | 'passwordId'> & {
  readonly hash: string
  readonly userId: UserId
  readonly intentId: string
  readonly at: Instant
}

const theCode = (s: { readonly [K in keyof DeviceCodeClaim]: unknown }) =>
  sql`${d.hash} = ${s.hash} and ${d.clientId} = ${s.clientId} and ${d.jkt} = ${s.jkt}`
const waits = (at: unknown) => sql`${d.userId} is null and ${d.expiresAt} > ${at}`
const ofCode = (column: SQLWrapper, hash: unknown) => sql`(select ${column} from ${d} where ${d.hash} = ${hash})`

/** A role of this user allows the device flow. `user` is SQL: a slot, a column or a query. */
export const mayUseDeviceFlow = (user: SQL) =>
  sql`exists (select 1 from ${userRoles} inner join ${documents}
    on ${documents.kind} = 'role' and ${documents.name} = ${userRoles.role}
    where ${userRoles.userId} = ${user} and ${documents.deviceFlow} = 1)`

/** A program asks, and asks again. */
const askingStatements = (db: Db) => ({
  forgetDeviceCodes: recipe<{ readonly before: Instant }>((s) =>
    db.delete(d).where(sql`${d.expiresAt} <= ${s.before}`),
  ),
  deviceCodeHasRoom: recipe<{ readonly most: number }>((s) =>
    guard(db, 'room', sql`((select count(*) from ${d}) < ${s.most})`),
  ),
  addDeviceCode: recipe<typeof deviceCodes.$inferInsert>((s) => db.insert(d).values(every(d, s))),
  deviceCode: recipe<{ readonly hash: string }>((s) => db.select().from(d).where(sql`${d.hash} = ${s.hash}`)),
  /** One that waits, by its own key: the interval grows where it was not kept. */
  pollDeviceCode: recipe<Claimed>((s) =>
    db
      .update(d)
      .set({
        interval: sql`${d.interval} + case when ${d.polledAt} + ${d.interval} > ${s.at} then ${sql.raw(String(slower))} else 0 end`,
        polledAt: sql`${s.at}`,
      })
      .where(sql`${theCode(s)} and ${waits(s.at)}`)
      .returning({ interval: d.interval }),
  ),
})

/** A person answers. */
const answeringStatements = (db: Db) => ({
  deviceCodeWaits: recipe<{ readonly hash: string; readonly at: Instant }>((s) =>
    guard(db, 'device', sql`exists (select 1 from ${d} where ${d.hash} = ${s.hash} and ${waits(s.at)})`),
  ),
  userMayUseDeviceFlow: recipe<{ readonly userId: UserId }>((s) =>
    guard(db, 'flow', mayUseDeviceFlow(sql`${s.userId}`)),
  ),
  approveDeviceCode: recipe<Approved>((s) =>
    db
      .update(d)
      .set({
        userId: sql`${s.userId}`,
        authenticatedAt: sql`${s.at}`,
        credentialId: sql`${s.credentialId}`,
        totpId: sql`${s.totpId}`,
        passwordId: sql`${s.passwordId}`,
        intentId: sql`${s.intentId}`,
      })
      .where(sql`${d.hash} = ${s.hash}`),
  ),
  /** By the user of a browser session. */
  refuseDeviceCode: recipe<{ readonly hash: string; readonly claimed: SessionId; readonly at: Instant }>((s) =>
    db
      .update(d)
      .set({
        userId: sql`(select ${sessions.userId} from ${sessions} where ${sessions.id} = ${s.claimed})`,
        refusedAt: sql`${s.at}`,
      })
      .where(sql`${d.hash} = ${s.hash}`),
  ),
})

/** The answer becomes a login. */
const redeemingStatements = (db: Db) => ({
  deviceCodeHolds: recipe<Claimed>((s) =>
    guard(
      db,
      'device',
      sql`exists (select 1 from ${d} where ${theCode(s)} and ${d.authenticatedAt} is not null
        and ${d.usedAt} is null and ${d.expiresAt} > ${s.at})`,
    ),
  ),
  /** What approved may have been removed since. */
  deviceApproverStands: recipe<{ readonly hash: string }>((s) =>
    guard(db, 'credential', sql`exists (select 1 from ${d} where ${d.hash} = ${s.hash} and ${approverStands(d)})`),
  ),
  deviceUserNotLocked: recipe<{ readonly hash: string; readonly at: Instant }>((s) =>
    guard(
      db,
      'lock',
      unlocked(
        { user: ofCode(d.userId, s.hash), devices: [ofCode(d.credentialId, s.hash), ofCode(d.totpId, s.hash)] },
        sql`${s.at}`,
      ),
    ),
  ),
  /** The role may have been taken away since. */
  deviceUserStillMay: recipe<{ readonly hash: string }>((s) =>
    guard(db, 'flow', mayUseDeviceFlow(ofCode(d.userId, s.hash))),
  ),
  useDeviceCode: recipe<{ readonly hash: string; readonly at: Instant }>((s) =>
    db
      .update(d)
      .set({ usedAt: sql`${s.at}` })
      .where(sql`${d.hash} = ${s.hash}`),
  ),
  /** Twelve hours from the approval, or less where a role says so. */
  openDeviceSession: recipe<OpenFromCode>((s) => {
    const via = sql`${'device_flow' satisfies LoginVia}`
    const end = endOfSession(sql`${d.userId}`, sql`${d.authenticatedAt}`, sql`${d.authenticatedAt} + ${s.latest}`)
    return db.run(sql`insert into ${f} (id, user_id, credential_id, totp_id, client_id, jkt, scope, via, authenticated_at,
        generation, rotated_at, expires_at, address, place, browser)
      select ${d.clientSessionId}, ${d.userId}, ${d.credentialId}, ${d.totpId}, ${d.clientId}, ${d.jkt}, ${d.scope}, ${via},
        ${d.authenticatedAt}, 1, ${s.at}, ${end}, ${s.address}, ${s.place}, ${s.browser}
      from ${d} where ${d.hash} = ${s.hash}`)
  }),
  recordOfDeviceCode: recipe<typeof audit.$inferInsert & { readonly hash: string }>((s) => {
    const of = (column: SQL) => sql`(select ${column} from ${d} where ${d.hash} = ${s.hash})`
    return db.insert(audit).values({
      ...every(audit, s),
      seq: undefined,
      userId: of(sql`${d.userId}`),
      sessionId: of(sql`${d.clientSessionId}`),
      credentialId: of(sql`${d.credentialId}`),
      intentId: of(sql`${d.intentId}`),
    })
  }),
  loginOfDeviceCode: recipe<{ readonly hash: string }>((s) =>
    db
      .select(loginColumns)
      .from(d)
      .innerJoin(f, eq(f.id, d.clientSessionId))
      .innerJoin(users, eq(users.id, f.userId))
      .where(sql`${d.hash} = ${s.hash}`),
  ),
})

export const deviceCodeStatements = (db: Db) => ({
  ...askingStatements(db),
  ...answeringStatements(db),
  ...redeemingStatements(db),
})
