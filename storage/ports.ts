/** core's ports over drizzle, the same for both databases. Each verb is one round trip: a statement, or one batch. */
import { and, asc, count, eq, gt, isNull, ne, or, sql } from 'drizzle-orm'
import { administratorRoles } from '../core/access/presets.ts'
import { operations } from '../core/api/operations.ts'
import { nameKey } from '../core/login/name.ts'
import { type CredentialId, hours, type Instant, type UserId } from '../core/model.ts'
import type { Account, Administrator, Ports, SessionClaim, Sessions } from '../core/ports.ts'
import { documentsPort, findAudit, linkPath, listAudit, usersPort } from './admin-ports.ts'
import {
  about,
  actorGuards,
  apply,
  keepApproval,
  leaveNothing,
  type Make,
  makeStatements,
  opened,
  tap,
  tapping,
} from './batches.ts'
import { deviceCodesPort } from './device-flow-ports.ts'
import { factorsPort, personOf, personQueries } from './factor-ports.ts'
import { tellingLock } from './lock.ts'
import { ownerOfSession, unlocked } from './lock-statements.ts'
import { loginsPort } from './login-ports.ts'
import { refusing } from './obstacles.ts'
import { openSessionsPort } from './open-session-ports.ts'
import {
  heldOf,
  isRunning,
  type OwnerRow,
  ownerQuery,
  passkeysQuery,
  type RoleRow,
  rolesQuery,
  userOf,
} from './owner.ts'
import { policiesPort } from './policies.ts'
import { eventsPort, grantsPort, proxiesPort, snapshotsPort } from './proxy-ports.ts'
import {
  auditRow,
  type ClientSessionRow,
  type CredentialRow,
  clientSessionOf,
  credentialOf,
  credentialRow,
  type SessionRow,
  sessionOf,
  sessionRow,
  userRow,
} from './rows.ts'
import { administratorLink, clientSessions, credentials, invites, sessions, users } from './schema.ts'
import { sessionInUse } from './statements.ts'
import { type Db, rowsOf, type Statement, type Statements, type Store } from './store.ts'
import { clientSessionsPort, codesPort, signingKeysPort } from './token-ports.ts'

export type StoredPorts = Pick<
  Ports,
  | 'credentials'
  | 'sessions'
  | 'administrator'
  | 'factors'
  | 'codes'
  | 'deviceCodes'
  | 'clientSessions'
  | 'users'
  | 'logins'
  | 'openSessions'
  | 'documents'
  | 'policies'
  | 'signingKeys'
  | 'proxies'
  | 'snapshots'
  | 'grants'
  | 'events'
  | 'audit'
>

export function storedPorts(store: Store): StoredPorts {
  const make = makeStatements(store)
  return {
    credentials: credentialsPort(store, make),
    sessions: sessionsPort(store, make),
    administrator: administratorPort(store, make),
    factors: factorsPort(store, make),
    codes: codesPort(store, make),
    deviceCodes: deviceCodesPort(store, make),
    clientSessions: clientSessionsPort(store, make),
    users: usersPort(store, make),
    logins: loginsPort(store, make),
    openSessions: openSessionsPort(store, make),
    documents: documentsPort(store, make),
    policies: policiesPort(store),
    signingKeys: signingKeysPort(store, make),
    proxies: proxiesPort(store, make),
    snapshots: snapshotsPort(store),
    grants: grantsPort(store, make),
    events: eventsPort(store, make),
    audit: {
      record: async (event) => void (await store.atomically([make.record(auditRow(event))])),
      list: (query) => listAudit(store, query),
      find: (id, userId) => findAudit(store, id, userId),
    },
  }
}

function credentialsPort(store: Store, make: Make): Ports['credentials'] {
  return {
    find: async (id) => {
      const rows = await store.db
        .select()
        .from(credentials)
        .where(and(eq(credentials.id, id), isNull(credentials.removedAt)))
      return rows[0] && credentialOf(rows[0])
    },
    of: async (userId) => (await passkeysQuery(store.db, sql`${userId}`)).map(credentialOf),
    roots: () =>
      store.db
        .select({ user: users.name, name: credentials.name, fingerprint: credentials.fingerprint })
        .from(credentials)
        .innerJoin(users, eq(users.id, credentials.userId))
        .where(and(eq(credentials.isRoot, true), isNull(credentials.removedAt))),
    inUse: () =>
      store.db
        .select({
          user: users.name,
          kind: credentials.kind,
          rpId: credentials.rpId,
          mayVouch: credentials.mayVouch,
          count: count(),
        })
        .from(credentials)
        .innerJoin(users, eq(users.id, credentials.userId))
        .where(isNull(credentials.removedAt))
        .groupBy(users.id, credentials.kind, credentials.rpId, credentials.mayVouch)
        .orderBy(asc(users.nameKey)),
    add: ({ credential, needsMayVouch, ...change }) =>
      apply(store, make, change, [
        ...(needsMayVouch ? [make.credentialMayVouch(change.tapped)] : []),
        make.addCredential(credentialRow(credential)),
      ]),
    remove: ({ credentialId, revision, staying, ...change }) =>
      apply(store, make, change, removal(make, { ...change, credentialId, revision, staying })),
    removeBy: async (actor, { credentialId, revision, staying, ...change }) => {
      const work = store.atomically([
        ...tap(make, change),
        ...actorGuards(make, actor, change.event),
        ...removal(make, { ...change, credentialId, revision, staying }),
        make.record(auditRow(change.event)),
      ])
      await refusing(about(change.event), work)
    },
    entrust: async (actor, passkey, event) => {
      const approval = keepApproval(make, actor, event.at)
      const work = store.atomically([
        ...actorGuards(make, actor, event),
        make.lesserCredentialHolds(passkey),
        ...approval.statements,
        make.entrustCredential({ credentialId: passkey.credentialId, intentId: approval.id }),
        make.record(auditRow(event)),
      ])
      await refusing(about(event), work)
    },
  }
}

type Removal = Omit<Parameters<Ports['credentials']['removeBy']>[1], 'spend'>

/** Of one passkey with what it opened, by a tap of another. */
function removal(make: Make, { tapped, event, credentialId, revision, staying }: Removal): Statement[] {
  const { userId, credentialId: tapping } = tapped
  const [at, requestId] = [event.at, event.asking.requestId]
  const { securityKeys } = staying
  const rpIds = JSON.stringify(staying.rpIds)
  return [
    make.targetHolds({ credentialId, fingerprint: revision, userId, tapping }),
    make.anotherStays({ credentialId, userId, rpIds, securityKeys }),
    make.vouchingStaysWithout({ credentialId, rpIds }),
    make.removeCredential({ credentialId, at }),
    make.endSessionsOf({ credentialId, at }),
    make.endClientSessionsOf({ credentialId, at, reason: 'passkey_removed', requestId }),
  ]
}

function sessionsPort(store: Store, make: Make): Sessions {
  const { db } = store
  return {
    open: async (login) => {
      const { userId, credentialId } = login.tapped
      const row = sessionRow(login.session, { userId, credentialId, expiresAt: login.expiresAt })
      const before = tap(make, login)
      const work = store.atomically([...before, make.openSession(row), make.record(auditRow(login.event))])
      const refused = refusing(about(login.event), work)
      return opened((await tellingLock(store, tapping(login.tapped), login.event.at, refused))[before.length])
    },
    find: async (claim, now) => userOf(await ownerQuery(db, claim, now), claim, now),
    findWithPasskeys: async (claim, now) => {
      const answers = await store.atomically([
        make.sessionSeen({ ...claim, at: now }),
        ownerQuery(db, claim, now),
        passkeysQuery(db, db.select({ id: sessions.userId }).from(sessions).where(eq(sessions.id, claim.id))),
      ])
      const user = userOf(rowsOf<OwnerRow>(answers[1]), claim, now)
      return user && { user, credentials: rowsOf<CredentialRow>(answers[2]).map(credentialOf) }
    },
    findWithRoles: async (claim, now) => {
      const answers = await store.atomically([
        make.sessionSeen({ ...claim, at: now }),
        ownerQuery(db, claim, now),
        rolesQuery(db, db.select({ id: sessions.userId }).from(sessions).where(eq(sessions.id, claim.id))),
      ])
      const user = userOf(rowsOf<OwnerRow>(answers[1]), claim, now)
      return user && { user, held: rowsOf<RoleRow>(answers[2]).flatMap(heldOf) }
    },
    account: (claim, now) => readAccount(store, make, claim, now),
    end: async (claim, target, event) => {
      const ended = { ...claim, at: event.at, target }
      const work = store.atomically([
        make.sessionRuns(ended),
        make.targetRuns(ended),
        make.endSession(ended),
        make.recordOf({ ...auditRow(event), claimed: claim.id }),
      ])
      await refusing(about(event), work)
    },
  }
}

async function readAccount(
  { db, atomically }: Store,
  make: Make,
  claim: SessionClaim,
  now: Instant,
): Promise<Account | undefined> {
  const owner = db
    .select({ id: sessions.userId })
    .from(sessions)
    .where(and(eq(sessions.id, claim.id), unlocked(ownerOfSession, sql`${now}`)))
  const answers = await atomically([
    make.sessionSeen({ ...claim, at: now }),
    db.select().from(users).where(eq(users.id, owner)),
    db
      .select()
      .from(sessions)
      .where(and(eq(sessions.userId, owner), sessionInUse(now)))
      .orderBy(asc(sessions.openedAt)),
    db
      .select()
      .from(clientSessions)
      .where(and(eq(clientSessions.userId, owner), or(runs(now), endedOfLate(now))))
      .orderBy(asc(clientSessions.authenticatedAt)),
    resetQuery(db, claim),
    rolesQuery(db, owner),
    ...personQueries(db, owner),
  ])
  const [user] = rowsOf<typeof users.$inferSelect>(answers[1])
  const running = rowsOf<SessionRow>(answers[2])
  const claimed = running.find((row) => row.id === claim.id)
  if (!user || !claimed || !isRunning(claimed, claim, now)) return undefined
  return {
    ...personOf({ id: user.id, name: user.name }, answers.slice(6)),
    held: rowsOf<RoleRow>(answers[5]).flatMap(heldOf),
    session: sessionOf(claimed),
    sessions: running.map(sessionOf),
    clientSessions: rowsOf<ClientSessionRow>(answers[3]).map(clientSessionOf),
    reset: rowsOf<{ by: string; at: Instant }>(answers[4])[0],
  }
}

/** The reset whose link opened this very session: used in the same batch, at the same instant. */
const resetQuery = (db: Db, { id }: SessionClaim) =>
  db
    .select({ by: users.name, at: invites.createdAt })
    .from(invites)
    .innerJoin(users, eq(users.id, invites.invitedBy))
    .innerJoin(sessions, and(eq(sessions.userId, invites.userId), eq(sessions.openedAt, invites.usedAt)))
    .where(and(eq(sessions.id, id), eq(linkPath, operations.userReset.path)))

const runs = (now: Instant) => and(isNull(clientSessions.endedAt), gt(clientSessions.expiresAt, now))
/** What its user did himself needs no telling. */
const endedOfLate = (now: Instant) =>
  and(gt(clientSessions.endedAt, now - hours(24)), ne(clientSessions.endReason, 'revoked'))

function administratorPort(store: Store, make: Make): Administrator {
  const { db } = store
  return {
    state: async () => {
      const answers = await store.atomically([
        db.select({ id: credentials.id }).from(credentials).where(eq(credentials.isRoot, true)).limit(1),
        db.select().from(administratorLink),
      ])
      const [link] = rowsOf<typeof administratorLink.$inferSelect>(answers[1])
      const { hash, name, expiresAt } = link ?? { hash: '', name: null, expiresAt: 0 }
      return {
        exists: rowsOf<{ id: CredentialId }>(answers[0]).length > 0,
        link: link && { hash, name: name ?? undefined, expiresAt },
      }
    },
    offer: async (link, event, spend) => {
      const { name } = link
      const guards: Statements =
        name === undefined
          ? [make.noAdministrator({})]
          : [make.anAdministrator({}), make.nameNotLocked({ nameKey: nameKey(name), at: event.at })]
      const offer: Statements = [...guards, make.offerLink(link), make.record(auditRow(event))]
      const work = store.atomically(spend ? [make.spend(spend), ...offer] : offer)
      await refusing({}, work, name === undefined ? {} : { administrator_exists: 'administrator_missing' })
    },
    recover: async ({ spend, link, preference, user, isNew, credential, session, expiresAt, event }) => {
      const owned = { userId: user.id, credentialId: credential.id }
      const whose = { nameKey: nameKey(user.name), at: event.at }
      const { requestId } = event.asking
      const before: Statements = [
        make.spend(spend),
        make.recoveryHolds({ hash: link, at: event.at }),
        make.preferenceHolds({ preference }),
        make.closeLink({}),
        isNew ? make.addUser(userRow(user, event.at)) : make.userBears({ userId: user.id, nameKey: whose.nameKey }),
        make.nameNotLocked(whose),
        ...leaveNothing(make, whose, 'user_reset', requestId),
        make.addCredential(credentialRow(credential)),
        ...administratorRoles.map((role) => make.giveRoleIfUnlocked({ userId: user.id, role, at: event.at })),
      ]
      const work = store.atomically([
        ...before,
        make.openSession(sessionRow(session, { ...owned, expiresAt })),
        make.record(auditRow(event)),
      ])
      const refused = refusing(about(event), work, { not_found: 'wrong_user' })
      const whom = { userId: user.id, device: null, session: null }
      return opened((await tellingLock(store, whom, event.at, refused))[before.length])
    },
    claim: async ({ spend, link, preference, user, credential, session, expiresAt, event }) => {
      const owned: { userId: UserId; credentialId: CredentialId } = { userId: user.id, credentialId: credential.id }
      const work = store.atomically([
        make.spend(spend),
        make.linkHolds({ hash: link, at: event.at }),
        make.preferenceHolds({ preference }),
        make.closeLink({}),
        make.addUser(userRow(user, event.at)),
        make.addCredential(credentialRow(credential)),
        make.openSession(sessionRow(session, { ...owned, expiresAt })),
        ...administratorRoles.map((role) => make.giveRole({ userId: user.id, role })),
        make.record(auditRow(event)),
      ])
      await refusing(about(event), work)
    },
  }
}
