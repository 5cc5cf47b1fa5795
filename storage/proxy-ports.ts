/** core's ports for proxies, snapshots and sessions: ports.ts, continued. */
import { and, asc, eq, isNotNull, isNull, max, sql } from 'drizzle-orm'
import type { PolicyDocument } from '../core/access/document.ts'
import type { Traits } from '../core/access/pattern.ts'
import { base64url } from '../core/lib/bytes.ts'
import type { ClientSessionId, Instant, UserId } from '../core/model.ts'
import type { Ports } from '../core/ports.ts'
import type { Coded, SessionChange, SnapshotHead } from '../core/proxy-ports.ts'
import { about, type Make, tap } from './batches.ts'
import { tellingLock } from './lock.ts'
import { refusing } from './obstacles.ts'
import { mayBeOpen } from './open-session-statements.ts'
import { auditRow } from './rows.ts'
import {
  audit,
  clientSessions,
  credentials,
  documents,
  openSessions,
  policy,
  proxies,
  userRoles,
  users,
} from './schema.ts'
import { rowsOf, type Statement, type Statements, type Store } from './store.ts'

const proxyColumns = { id: proxies.id, x: proxies.x, name: proxies.name, registeredAt: proxies.registeredAt }

export function proxiesPort(store: Store, make: Make): Ports['proxies'] {
  const { db } = store
  return {
    find: async (id) => {
      const rows = await db
        .select(proxyColumns)
        .from(proxies)
        .where(and(eq(proxies.id, id), isNull(proxies.removedAt)))
      return rows[0]
    },
    list: () => db.select(proxyColumns).from(proxies).where(isNull(proxies.removedAt)).orderBy(asc(proxies.name)),
    add: async (proxy, event) => {
      await store.atomically([make.addProxy({ ...proxy, removedAt: null }), make.record(auditRow(event))])
    },
    remove: async (name, event) => {
      const work = store.atomically([
        make.proxyIsThere({ name }),
        make.removeProxy({ name, at: event.at }),
        make.record(auditRow(event)),
      ])
      await refusing(about(event), work)
    },
  }
}

export function snapshotsPort({ db, atomically }: Store): Ports['snapshots'] {
  const sequence = () => db.select({ sequence: policy.sequence }).from(policy)
  const logHead = () => db.select({ logHead: max(audit.seq).as('log_head') }).from(audit)
  const ended = (proxy: string, at: Instant) =>
    db
      .select({ id: openSessions.id })
      .from(openSessions)
      .where(and(eq(openSessions.proxyId, proxy), isNotNull(openSessions.endedAt), mayBeOpen(sql`${at}`)))
  const headOf = (answers: readonly unknown[]): SnapshotHead => ({
    sequence: rowsOf<{ sequence: number }>(answers[0])[0]?.sequence ?? 0,
    logHead: rowsOf<{ logHead: number | null }>(answers[1])[0]?.logHead ?? 0,
  })
  return {
    head: async (proxy, at) => {
      const answers = await atomically([sequence(), logHead(), ended(proxy, at)])
      return { ...headOf(answers), endedSessions: rowsOf<{ id: string }>(answers[2]).map(({ id }) => id) }
    },
    notEnded: async (logins) => {
      const asked = JSON.stringify(logins)
      const running = db
        .select({ id: clientSessions.id })
        .from(clientSessions)
        .where(
          sql`${clientSessions.id} in (select value from json_each(${asked})) and ${clientSessions.endedAt} is null`,
        )
      const [answer] = await atomically([running])
      return new Set(rowsOf<{ id: ClientSessionId }>(answer).map(({ id }) => id))
    },
    read: async () => {
      const answers = await atomically([
        sequence(),
        logHead(),
        db
          .select({ id: users.id, name: users.name, traits: users.traits })
          .from(users)
          .where(isNull(users.removedAt))
          .orderBy(asc(users.id)),
        db.select().from(userRoles).orderBy(asc(userRoles.userId), asc(userRoles.role)),
        db
          .select({
            id: credentials.id,
            user: credentials.userId,
            key: credentials.publicKey,
            fingerprint: credentials.fingerprint,
            kind: credentials.kind,
          })
          .from(credentials)
          .where(isNull(credentials.removedAt))
          .orderBy(asc(credentials.id)),
        db.select({ document: documents.document }).from(documents).orderBy(asc(documents.kind), asc(documents.name)),
      ])
      return { ...headOf(answers), content: contentOf(answers.slice(2)) }
    },
  }
}

type CredentialRow = Pick<typeof credentials.$inferSelect, 'id' | 'fingerprint' | 'kind'> & {
  readonly user: UserId
  readonly key: Uint8Array
}

function contentOf([people, held, keys, written]: readonly unknown[]) {
  const roles = Map.groupBy(rowsOf<{ userId: UserId; role: string }>(held), ({ userId }) => userId)
  return {
    users: rowsOf<{ id: UserId; name: string; traits: Traits | null }>(people).map(({ id, name, traits }) => ({
      id,
      name,
      roles: (roles.get(id) ?? []).map(({ role }) => role),
      ...(traits && { traits }),
    })),
    credentials: rowsOf<CredentialRow>(keys).map(({ key, ...one }) => ({ ...one, key: base64url(key) })),
    documents: rowsOf<{ document: unknown }>(written).map(({ document }) => document as PolicyDocument),
  }
}

export function grantsPort(store: Store, make: Make): Ports['grants'] {
  return {
    issue: async ({ spend, proof, tapped, coded, clientSessionId, sequence, proxy, events }) => {
      const [event] = events
      const { at } = event
      const userId = event.userId as UserId
      const whom = { userId, device: tapped?.credentialId ?? coded?.app ?? null, session: clientSessionId }
      const before: Statements = tapped
        ? tap(make, { spend, tapped, event }, clientSessionId)
        : [make.spend(spend), ...codeStands(make, userId, coded), make.notLocked({ ...whom, at })]
      const work = store.atomically([
        // First: what another policy would refuse is refused in its words.
        make.policyIsAt({ sequence }),
        ...(proof ? [make.spend(proof)] : []),
        ...before,
        make.actorHolds({ userId, sessionId: clientSessionId, at }),
        make.proxyTakes({ id: proxy }),
        ...events.map((one) => make.record(auditRow(one))),
      ])
      const refused = refusing(about(event), work, {
        ...{ document_changed: 'policy_changed', not_found: 'target_invalid', code_invalid: 'code_ungiven' },
      })
      await tellingLock(store, whom, at, refused)
    },
    approveByCode: async ({ spend, userId, name, factor, preference, claim, event }) => {
      const { at } = event
      const whom = { userId, device: factor.id, session: claim.id }
      const work = store.atomically([
        make.spend(spend),
        make.preferenceHolds({ preference }),
        make.sessionHolds({ ...claim, userId, at }),
        make.notLocked({ ...whom, at }),
        make.hasNoPasskey({ userId }),
        make.stepIsLater({ ...factor, userId, at }),
        make.advance({ ...factor, userId, at }),
        make.forgetAttempts({ name }),
        make.record(auditRow(event)),
      ])
      await tellingLock(store, whom, at, refusing(about(event), work))
    },
  }
}

const codeStands = (make: Make, userId: UserId, coded: Coded | undefined): readonly Statement[] =>
  coded
    ? [
        make.preferenceHolds(coded),
        make.hasNoPasskey({ userId }),
        make.codeWasGiven({ ...coded, id: coded.app, userId }),
      ]
    : []

export function eventsPort(store: Store, make: Make): Ports['events'] {
  return {
    record: async (events) => {
      const statements = events.flatMap(({ id, event, proxyId, session }) => [
        make.recordOnce({ ...auditRow(event), eventId: id }),
        ...sessionStatements(make, proxyId, session),
      ])
      const [first, ...others] = statements
      if (first) await store.atomically([first, ...others])
    },
  }
}

function sessionStatements(make: Make, proxyId: string, session: SessionChange | undefined): Statement[] {
  if (session?.kind === 'opened') return [make.addOpenSession({ ...session.opened, proxyId, endedAt: null })]
  if (session?.kind === 'closed') return [make.removeOpenSession({ id: session.id, proxyId })]
  return session ? [make.removeSessionsBefore({ boot: session.boot, proxyId })] : []
}
