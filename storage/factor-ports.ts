/** core's port for passwords, authenticator apps and recovery codes: ports.ts, continued. */
import { and, asc, count, eq, isNull, type SQLWrapper } from 'drizzle-orm'
import type {
  CountedFactors,
  FactorEffect,
  Factors,
  Person,
  Proof,
  Proven,
  ShownFactor,
  Totp,
} from '../core/factor-ports.ts'
import type { CredentialId, Instant, SessionId, SessionVia, TotpId, UserId } from '../core/model.ts'
import { about, actorGuards, type Make, opened, tap, tapFactor } from './batches.ts'
import { tellingLock } from './lock.ts'
import { refusing } from './obstacles.ts'
import { type OwnerRow, ownerQuery, passkeysQuery, userOf } from './owner.ts'
import { auditRow, type CredentialRow, credentialOf, sessionRow } from './rows.ts'
import { passwords, recoveryCodes, sessions, totps, users } from './schema.ts'
import { type Db, rowsOf, type Statement, type Statements, type Store } from './store.ts'

type Login = Parameters<Factors['open']>[0]
type Change = Parameters<Factors['change']>[0]

export function factorsPort(store: Store, make: Make): Factors {
  const { db, atomically } = store
  return {
    passkeysOf: async (nameKey) => (await passkeysQuery(db, bearer(db, nameKey))).map(credentialOf),
    attempt: async ({ nameKey, ...counted }) => {
      const owner = bearer(db, nameKey)
      const answers = await atomically([
        make.countAttempt(counted),
        db.select({ id: users.id, name: users.name }).from(users).where(eq(users.id, owner)),
        ...personQueries(db, owner),
      ])
      const [counter] = rowsOf<{ failures: number }>(answers[0])
      const [user] = rowsOf<Person['user']>(answers[1])
      return {
        isLocked: counter === undefined || counter.failures > counted.most,
        person: user && personOf(user, answers.slice(2)),
      }
    },
    find: async (claim, now) => {
      const owner = db.select({ id: sessions.userId }).from(sessions).where(eq(sessions.id, claim.id))
      const answers = await atomically([ownerQuery(db, claim, now), ...personQueries(db, owner)])
      const user = userOf(rowsOf<OwnerRow>(answers[0]), claim, now)
      return user && personOf(user, answers.slice(1))
    },
    withPassword: () =>
      db
        .select({ user: users.name, totps: count(totps.id) })
        .from(users)
        .innerJoin(passwords, eq(passwords.userId, users.id))
        .leftJoin(totps, eq(totps.userId, users.id))
        .where(isNull(users.removedAt))
        .groupBy(users.id)
        .orderBy(asc(users.nameKey)),
    of: async (userId) => {
      const isHim = and(eq(users.id, userId), isNull(users.removedAt))
      const owner = db.select({ id: users.id }).from(users).where(isHim)
      const him = db.select({ id: users.id, name: users.name }).from(users).where(isHim)
      const answers = await atomically([him, ...personQueries(db, owner)])
      const [user] = rowsOf<Person['user']>(answers[0])
      return user && personOf(user, answers.slice(1))
    },
    open: (login) => openSession(store, make, login),
    change: (change) => applyChange(store, make, change),
    changeBy: async (actor, { was, effect, ...change }) => {
      const { userId } = change.tapped
      const work = atomically([
        ...tap(make, change),
        ...actorGuards(make, actor, change.event),
        factorsAre(make, was, userId),
        ...effectStatements(make, effect, { userId, except: noSession, event: change.event }),
        make.record(auditRow(change.event)),
      ])
      await refusing(about(change.event), work)
    },
  }
}

/** A program's login is none of the sessions that a change ends. */
const noSession = '' as SessionId

/** The one who bears the name now. */
const bearer = (db: Db, nameKey: string) =>
  db
    .select({ id: users.id })
    .from(users)
    .where(and(eq(users.nameKey, nameKey), isNull(users.removedAt)))

export const personQueries = (db: Db, owner: SQLWrapper): Statement[] => [
  passkeysQuery(db, owner),
  db.select().from(passwords).where(eq(passwords.userId, owner)),
  db.select().from(totps).where(eq(totps.userId, owner)).orderBy(asc(totps.createdAt), asc(totps.id)),
  db
    .select({ unused: count().as('unused') })
    .from(recoveryCodes)
    .where(and(eq(recoveryCodes.userId, owner), isNull(recoveryCodes.usedAt))),
]

export function personOf(user: Person['user'], [keys, words, apps, codes]: readonly unknown[]): Person {
  const [password] = rowsOf<typeof passwords.$inferSelect>(words)
  const [counted] = rowsOf<{ unused: number }>(codes)
  return {
    user,
    credentials: rowsOf<CredentialRow>(keys).map(credentialOf),
    password: password && { id: password.id, hash: password.hash, changedAt: password.changedAt },
    totps: rowsOf<typeof totps.$inferSelect>(apps).map(totpOf),
    recoveryCodes: counted?.unused ?? 0,
  }
}

const totpOf = ({ id, name, sealed, createdAt, lastUsedAt }: typeof totps.$inferSelect): Totp => ({
  ...{ id, name, sealed, createdAt },
  lastUsedAt: lastUsedAt ?? undefined,
})

const factorsAre = (make: Make, { rpIds, ...counts }: CountedFactors, userId: UserId): Statement =>
  make.factorsAre({ ...counts, userId, rpIds: JSON.stringify(rpIds) })

/** Confirms a factor and uses it up. */
function factorStatements(make: Make, factor: ShownFactor, userId: UserId, at: Instant): Statement[] {
  switch (factor.kind) {
    case 'passkey':
      return tapFactor(make, factor.tapped, at)
    case 'otp':
      return [make.stepIsLater({ ...factor, userId, at }), make.advance({ ...factor, userId, at })]
    case 'recovery':
      return [make.recoveryCodeHolds({ ...factor, userId }), make.useRecoveryCode({ ...factor, userId, at })]
    case 'none':
      return [factorsAre(make, factor.was, userId)]
  }
}

const viaOf = ({ kind }: ShownFactor): SessionVia => (kind === 'none' ? 'password' : `password+${kind}`)

/** What a session rests on that a password and this factor opened. */
const factorOf = (factor: ShownFactor) => ({
  via: viaOf(factor),
  credentialId: factor.kind === 'passkey' ? factor.tapped.credentialId : null,
  totpId: factor.kind === 'otp' ? factor.id : null,
})

/** The passkey or the app that is shown. */
function deviceOf(factor: ShownFactor): CredentialId | TotpId | null {
  const { credentialId, totpId } = factorOf(factor)
  return credentialId ?? totpId
}

async function openSession(store: Store, make: Make, login: Login): Promise<{ expiresAt: Instant }> {
  const { spend, userId, name, password, rehashed, factor, preference, session, expiresAt, event } = login
  const { at } = event
  const row = sessionRow(session, { userId, ...factorOf(factor), expiresAt })
  const whom = { userId, device: deviceOf(factor), session: null }
  const before: Statements = [
    make.spend(spend),
    make.preferenceHolds({ preference }),
    make.passwordHolds({ ...password, userId }),
    ...factorStatements(make, factor, userId, at),
    make.notLocked({ ...whom, at }),
    ...(rehashed === undefined ? [] : [make.rehash({ id: password.id, userId, hash: rehashed })]),
    make.forgetAttempts({ name }),
  ]
  const work = store.atomically([...before, make.openSession(row), make.record(auditRow(event))])
  const refused = refusing(about(event), work)
  return opened((await tellingLock(store, whom, at, refused))[before.length])
}

function proofStatements(make: Make, proof: Proof, userId: UserId, name: string, at: Instant): Statement[] {
  if (proof.kind === 'tap') return tapFactor(make, proof.tapped, at)
  const { password, factor } = proof
  return [
    make.passwordHolds({ ...password, userId }),
    ...factorStatements(make, factor, userId, at),
    make.forgetAttempts({ name }),
  ]
}

/** What the successor of the claimed session rests on. */
const restsOn = (proof: Proof) =>
  proof.kind === 'tap' ? ({ via: 'passkey', credentialId: proof.tapped.credentialId } as const) : factorOf(proof.factor)

const factorOfProof = (proof: Proof): ShownFactor =>
  proof.kind === 'tap' ? { kind: 'passkey', tapped: proof.tapped } : proof.factor

const applyChange = (store: Store, make: Make, { effect, ...change }: Change): Promise<{ expiresAt: Instant }> =>
  applyProven(store, make, change, effectStatements(make, effect, { ...change, except: change.session.id }))

/** As `apply` in batches.ts, for a proof that need not be a tap. */
export async function applyProven(
  store: Store,
  make: Make,
  { spend, userId, name, proof, was, preference, claim, session, event }: Proven,
  effect: readonly Statement[],
): Promise<{ expiresAt: Instant }> {
  const { at } = event
  const successor = sessionRow(session, { userId, ...restsOn(proof), expiresAt: 0 })
  const whom = { userId, device: deviceOf(factorOfProof(proof)), session: claim.id }
  const before: Statements = [
    make.spend(spend),
    make.preferenceHolds({ preference }),
    make.sessionHolds({ ...claim, userId, at }),
    make.notLocked({ ...whom, at }),
    ...proofStatements(make, proof, userId, name, at),
    factorsAre(make, was, userId),
  ]
  const work = store.atomically([
    ...before,
    make.exchangeSession({ ...successor, oldId: claim.id }),
    make.endSession({ target: claim.id, at }),
    ...effect,
    make.record(auditRow(event)),
  ])
  const refused = refusing(about(event), work)
  return opened((await tellingLock(store, whom, at, refused))[before.length])
}

/** `except`: the session that asked, which goes on. */
type Ending = Pick<Proven, 'userId' | 'event'> & { readonly except: SessionId }

function effectStatements(make: Make, effect: FactorEffect, { userId, except, event }: Ending): Statement[] {
  const { at, asking } = event
  const ending = { userId, except, at }
  const program = { userId, at, requestId: asking.requestId }
  /** What the password of before let in: browsers, and programs that it approved with a code. */
  const withoutPassword = [
    make.endPasswordSessions(ending),
    make.endProgramsOfCodes({ ...program, reason: 'password_changed' }),
  ]
  switch (effect.kind) {
    case 'set password':
      return [make.setPassword({ ...effect, userId, changedAt: at }), ...withoutPassword]
    case 'remove password': {
      const removed = { id: effect.id, userId }
      return [make.passwordIsThere(removed), make.removePassword(removed), ...withoutPassword]
    }
    case 'add totp': {
      const { step: lastStep, ...totp } = effect
      return [make.addTotp({ ...totp, userId, lastStep, createdAt: at, lastUsedAt: null })]
    }
    case 'remove totp': {
      const removed = { id: effect.id, userId }
      return [
        make.totpIsThere(removed),
        make.removeTotp(removed),
        make.endCodeSessions(ending),
        make.endProgramsOf({ ...program, totpId: effect.id, reason: 'app_removed' }),
      ]
    }
    case 'make recovery codes':
      return [
        make.voidRecoveryCodes({ userId }),
        ...effect.hashes.map((hash) => make.addRecoveryCode({ hash, userId, createdAt: at, usedAt: null })),
      ]
  }
}
