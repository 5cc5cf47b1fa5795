/** The statements of passwords, authenticator apps and recovery codes: statements.ts, continued. */
import { type Placeholder, type SQL, sql } from 'drizzle-orm'
import type { Attempt, FactorCounts, StoredPassword } from '../core/factor-ports.ts'
import type { Instant, SessionId, TotpId, UserId } from '../core/model.ts'
import { credentials, passwordAttempts, passwords, recoveryCodes, sessions, spent, totps } from './schema.ts'
import { every, guard, ofThese } from './statements.ts'
import { type Db, recipe } from './store.ts'

const [p, t, r, a] = [passwords, totps, recoveryCodes, passwordAttempts]

type Owned = { readonly userId: UserId }
type OwnPassword = Owned & Pick<StoredPassword, 'id'>
type Step = Owned & { readonly id: TotpId; readonly step: number; readonly at: Instant }
type OwnTotp = Owned & { readonly id: TotpId }
type OwnCode = Owned & { readonly hash: string }

const theTotp = (s: { id: Placeholder; userId: Placeholder }) => sql`${t.id} = ${s.id} and ${t.userId} = ${s.userId}`
const thePassword = (s: { id: Placeholder; userId: Placeholder }) =>
  sql`${p.userId} = ${s.userId} and ${p.id} = ${s.id}`

export const passwordStatements = (db: Db) => ({
  /** The attempt that makes `most` is still looked at; from then on the end of the lock stays where it is. */
  countAttempt: recipe<Pick<Attempt, 'name' | 'at' | 'most' | 'window'>>((s) => {
    const isForgotten = sql`${a.forgottenAt} <= ${s.at}`
    return db
      .insert(a)
      .values({ id: sql`${s.name}`, failures: 1, forgottenAt: sql`${s.at} + ${s.window}` })
      .onConflictDoUpdate({
        target: a.id,
        set: {
          failures: sql`case when ${isForgotten} then 1 else ${a.failures} + 1 end`,
          forgottenAt: sql`case when ${isForgotten} or ${a.failures} < ${s.most} then ${s.at} + ${s.window}
            else ${a.forgottenAt} end`,
        },
      })
      .returning({ failures: a.failures })
  }),
  forgetAttempts: recipe<{ readonly name: string }>((s) => db.delete(a).where(sql`${a.id} = ${s.name}`)),

  passwordHolds: recipe<OwnPassword>((s) =>
    guard(db, 'password', sql`exists (select 1 from ${p} where ${thePassword(s)})`),
  ),
  rehash: recipe<OwnPassword & { readonly hash: string }>((s) =>
    db
      .update(p)
      .set({ hash: sql`${s.hash}` })
      .where(thePassword(s)),
  ),
  setPassword: recipe<typeof passwords.$inferInsert>((s) =>
    db
      .insert(p)
      .values(every(p, s))
      .onConflictDoUpdate({
        target: p.userId,
        set: { id: sql`excluded.id`, hash: sql`excluded.hash`, changedAt: sql`excluded.changed_at` },
      }),
  ),
  /** The password to remove is the one that was approved. */
  passwordIsThere: recipe<OwnPassword>((s) =>
    guard(db, 'target', sql`exists (select 1 from ${p} where ${thePassword(s)})`),
  ),
  removePassword: recipe<OwnPassword>((s) => db.delete(p).where(thePassword(s))),
})

/** Authenticator apps and recovery codes. */
export const codeFactorStatements = (db: Db) => ({
  addTotp: recipe<typeof totps.$inferInsert>((s) => db.insert(t).values(every(t, s))),
  /** RFC 6238 section 5.2: a code is accepted once, and none of a step before it any more. */
  stepIsLater: recipe<Step>((s) =>
    guard(db, 'step', sql`exists (select 1 from ${t} where ${theTotp(s)} and ${t.lastStep} < ${s.step})`),
  ),
  advance: recipe<Step>((s) =>
    db
      .update(t)
      .set({ lastStep: sql`${s.step}`, lastUsedAt: sql`${s.at}` })
      .where(theTotp(s)),
  ),
  /** `given`: what is spent when the app gives a code for something; the app is still there. */
  codeWasGiven: recipe<OwnTotp & { readonly given: string }>((s) =>
    guard(
      db,
      'code',
      sql`exists (select 1 from ${spent} where ${spent.id} = ${s.given}) and exists (select 1 from ${t} where ${theTotp(s)})`,
    ),
  ),
  hasNoPasskey: recipe<Owned>((s) =>
    guard(
      db,
      'factors',
      sql`not exists (select 1 from ${credentials} where ${credentials.userId} = ${s.userId} and ${credentials.removedAt} is null)`,
    ),
  ),
  totpIsThere: recipe<OwnTotp>((s) => guard(db, 'target', sql`exists (select 1 from ${t} where ${theTotp(s)})`)),
  removeTotp: recipe<OwnTotp>((s) => db.delete(t).where(theTotp(s))),

  addRecoveryCode: recipe<typeof recoveryCodes.$inferInsert>((s) => db.insert(r).values(every(r, s))),
  voidRecoveryCodes: recipe<Owned>((s) => db.delete(r).where(sql`${r.userId} = ${s.userId}`)),
  recoveryCodeHolds: recipe<OwnCode>((s) =>
    guard(
      db,
      'recovery',
      sql`exists (select 1 from ${r} where ${r.hash} = ${s.hash} and ${r.userId} = ${s.userId} and ${r.usedAt} is null)`,
    ),
  ),
  useRecoveryCode: recipe<OwnCode & { readonly at: Instant }>((s) =>
    db
      .update(r)
      .set({ usedAt: sql`${s.at}` })
      .where(sql`${r.hash} = ${s.hash}`),
  ),
})

/** What changes of an account are held to, and what they end. */
export const factorChangeStatements = (db: Db) => ({
  factorsAre: recipe<Owned & FactorCounts & { readonly rpIds: string }>((s) => {
    const count = (kind: SQL) =>
      sql`(select count(*) from ${credentials} where ${credentials.userId} = ${s.userId}
        and ${credentials.removedAt} is null and ${credentials.kind} = ${kind} and ${ofThese(s)})`
    return guard(
      db,
      'factors',
      sql`(${count(sql`'passkey'`)} = ${s.passkeys} and ${count(sql`'security_key'`)} = ${s.securityKeys}
        and (select count(*) from ${t} where ${t.userId} = ${s.userId}) = ${s.totps})`,
    )
  }),
  /** Those that a password opened, but for the one that takes the place of the claimed one. */
  endPasswordSessions: recipe<Owned & { readonly except: SessionId; readonly at: Instant }>((s) =>
    db
      .update(sessions)
      .set({ endedAt: sql`${s.at}` })
      .where(sql`${sessions.userId} = ${s.userId} and ${sessions.via} <> 'passkey' and ${sessions.id} <> ${s.except}
        and ${sessions.endedAt} is null`),
  ),
  endCodeSessions: recipe<Owned & { readonly except: SessionId; readonly at: Instant }>((s) =>
    db
      .update(sessions)
      .set({ endedAt: sql`${s.at}` })
      .where(sql`${sessions.userId} = ${s.userId} and ${sessions.via} = 'password+otp' and ${sessions.id} <> ${s.except}
        and ${sessions.endedAt} is null`),
  ),
})
