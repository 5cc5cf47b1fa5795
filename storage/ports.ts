/** core's ports over drizzle, the same for both databases. Each verb is one round trip: a statement, or one batch. */
import { and, asc, eq, isNull } from 'drizzle-orm'
import type { AuditEvent } from '../core/audit.ts'
import { equalBytes } from '../core/lib/bytes.ts'
import type { CredentialId, Instant, UserId } from '../core/model.ts'
import type { Account, Administrator, Change, Ports, SessionClaim, Sessions, Spend, Tapped } from '../core/ports.ts'
import { refusing } from './obstacles.ts'
import {
  auditRow,
  type CredentialRow,
  credentialOf,
  credentialRow,
  type SessionRow,
  sessionOf,
  sessionRow,
  userRow,
} from './rows.ts'
import { administratorLink, credentials, sessions, users } from './schema.ts'
import { accountStatements, administratorStatements, sessionStatements, tapStatements } from './statements.ts'
import { rowsOf, type Statement, type Statements, type Store } from './store.ts'

export type StoredPorts = Pick<Ports, 'credentials' | 'sessions' | 'administrator' | 'audit'>

const makeStatements = ({ db }: Store) => ({
  ...tapStatements(db),
  ...sessionStatements(db),
  ...accountStatements(db),
  ...administratorStatements(db),
})
type Make = ReturnType<typeof makeStatements>

export function storedPorts(store: Store): StoredPorts {
  const make = makeStatements(store)
  return {
    credentials: credentialsPort(store, make),
    sessions: sessionsPort(store, make),
    administrator: administratorPort(store, make),
    audit: { record: async (event) => void (await store.atomically([make.record(auditRow(event))])) },
  }
}

/** Spends the intent, confirms the tapping credential and moves its counter on. */
const tap = (make: Make, { spend, tapped, event }: { spend: Spend; tapped: Tapped; event: AuditEvent }): Statements => [
  make.spend(spend),
  make.credentialHolds(tapped),
  make.counterIsAhead(tapped),
  make.moveCounter({ ...tapped, at: event.at }),
]

/** What a refusal out of a batch tells the operator. */
const about = ({ userId, credentialId, intentId }: AuditEvent): Record<string, string> => ({
  ...(userId && { user: userId }),
  ...(credentialId && { credential: credentialId }),
  ...(intentId && { intent: intentId }),
})

function credentialsPort(store: Store, make: Make): Ports['credentials'] {
  return {
    find: async (id) => {
      const rows = await store.db
        .select()
        .from(credentials)
        .where(and(eq(credentials.id, id), isNull(credentials.removedAt)))
      return rows[0] && credentialOf(rows[0])
    },
    add: ({ credential, needsMayVouch, ...change }) =>
      apply(store, make, change, [
        ...(needsMayVouch ? [make.credentialMayVouch(change.tapped)] : []),
        make.addCredential(credentialRow(credential)),
      ]),
    remove: ({ credentialId, revision, ...change }) => {
      const { userId } = change.tapped
      const { at } = change.event
      return apply(store, make, change, [
        make.targetHolds({ credentialId, fingerprint: revision, userId, tapping: change.tapped.credentialId }),
        make.anotherStays({ credentialId, userId }),
        make.removeCredential({ credentialId, at }),
        make.endSessionsOf({ credentialId, at }),
      ])
    },
  }
}

/** A change to an account: the tap, the session it was asked in and its successor, the effect, the audit row. */
async function apply(
  store: Store,
  make: Make,
  change: Change,
  effect: readonly Statement[],
): Promise<{ expiresAt: Instant }> {
  const { userId, credentialId } = change.tapped
  const claimed = { ...change.claim, userId, at: change.event.at }
  const successor = sessionRow(change.session, { userId, credentialId, expiresAt: 0 })
  const before: Statements = [...tap(make, change), make.sessionHolds(claimed)]
  const work = store.atomically([
    ...before,
    make.exchangeSession({ ...successor, oldId: change.claim.id }),
    make.endSession({ ...claimed, target: change.claim.id }),
    ...effect,
    make.record(auditRow(change.event)),
  ])
  const answers = await refusing(about(change.event), work)
  const [opened] = rowsOf<{ expiresAt: Instant }>(answers[before.length])
  if (!opened) throw new TypeError('The exchanged session was not answered')
  return opened
}

function sessionsPort(store: Store, make: Make): Sessions {
  const { db } = store
  return {
    open: async (login) => {
      const { userId, credentialId } = login.tapped
      const row = sessionRow(login.session, { userId, credentialId, expiresAt: login.expiresAt })
      const work = store.atomically([...tap(make, login), make.openSession(row), make.record(auditRow(login.event))])
      await refusing(about(login.event), work)
    },
    find: async (claim, now) => {
      const rows = await db
        .select({ session: sessions, user: { id: users.id, name: users.name } })
        .from(sessions)
        .innerJoin(users, eq(users.id, sessions.userId))
        .where(eq(sessions.id, claim.id))
      const [row] = rows
      return row && isRunning(row.session, claim, now) ? row.user : undefined
    },
    account: (claim, now) => readAccount(store, claim, now),
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

const isRunning = (row: SessionRow, claim: SessionClaim, now: Instant): boolean =>
  equalBytes(row.secretHash, claim.secretHash) && row.endedAt === null && row.expiresAt > now

async function readAccount({ db, atomically }: Store, claim: SessionClaim, now: Instant): Promise<Account | undefined> {
  const owner = db.select({ id: sessions.userId }).from(sessions).where(eq(sessions.id, claim.id))
  const answers = await atomically([
    db.select().from(users).where(eq(users.id, owner)),
    db.select().from(sessions).where(eq(sessions.userId, owner)).orderBy(asc(sessions.openedAt)),
    db
      .select()
      .from(credentials)
      .where(and(eq(credentials.userId, owner), isNull(credentials.removedAt)))
      .orderBy(asc(credentials.createdAt), asc(credentials.id)),
  ])
  const [user] = rowsOf<typeof users.$inferSelect>(answers[0])
  const all = rowsOf<SessionRow>(answers[1])
  const claimed = all.find((row) => row.id === claim.id)
  if (!user || !claimed || !isRunning(claimed, claim, now)) return undefined
  return {
    user: { id: user.id, name: user.name },
    session: sessionOf(claimed),
    credentials: rowsOf<CredentialRow>(answers[2]).map(credentialOf),
    sessions: all.filter((row) => row.endedAt === null && row.expiresAt > now).map(sessionOf),
  }
}

function administratorPort(store: Store, make: Make): Administrator {
  const { db } = store
  return {
    state: async () => {
      const answers = await store.atomically([
        db.select({ id: credentials.id }).from(credentials).where(eq(credentials.isRoot, true)).limit(1),
        db.select({ hash: administratorLink.hash, expiresAt: administratorLink.expiresAt }).from(administratorLink),
      ])
      const [link] = rowsOf<{ hash: string; expiresAt: Instant }>(answers[1])
      return { exists: rowsOf<{ id: CredentialId }>(answers[0]).length > 0, link }
    },
    offer: async (link, event, spend) => {
      const offer: Statements = [make.noAdministrator({}), make.offerLink(link), make.record(auditRow(event))]
      await refusing({}, store.atomically(spend ? [make.spend(spend), ...offer] : offer))
    },
    claim: async ({ spend, link, user, credential, session, expiresAt, event }) => {
      const owned: { userId: UserId; credentialId: CredentialId } = { userId: user.id, credentialId: credential.id }
      const work = store.atomically([
        make.spend(spend),
        make.linkHolds({ hash: link, at: event.at }),
        make.closeLink({}),
        make.addUser(userRow(user, event.at)),
        make.addCredential(credentialRow(credential)),
        make.openSession(sessionRow(session, { ...owned, expiresAt })),
        make.record(auditRow(event)),
      ])
      await refusing(about(event), work)
    },
  }
}
