/** core's ports for users and documents: ports.ts, continued. */
import { and, asc, count, desc, eq, gt, isNull, lt, or, type SQL, sql } from 'drizzle-orm'
import type { PolicyDocument } from '../core/access/document.ts'
import { parseDuration } from '../core/access/duration.ts'
import { type LockKey, lockedBy, lockKey } from '../core/access/lock.ts'
import type { Traits } from '../core/access/pattern.ts'
import { preferenceOf } from '../core/access/preference.ts'
import { isPreset } from '../core/access/presets.ts'
import type { DocumentChange, FoundUser, ListedFactor, ListedUser, UserWithRoles } from '../core/admin-ports.ts'
import { operations } from '../core/api/operations.ts'
import { nameKey } from '../core/login/name.ts'
import type { Instant, InviteId, UserId } from '../core/model.ts'
import type { Ports, RecordedEvent } from '../core/ports.ts'
import { about, actorGuards, keepApproval, leaveNothing, type Make, opened } from './batches.ts'
import { findHoldings } from './holdings.ts'
import { tellingLock } from './lock.ts'
import { refusing } from './obstacles.ts'
import { auditRow, credentialRow, sessionRow, userRow } from './rows.ts'
import { audit, credentials, documents, invites, totps, userRoles, users } from './schema.ts'
import { rowsOf, type Statement, type Store } from './store.ts'
import { listUserDocuments, putUsers } from './user-documents.ts'

export function usersPort(store: Store, make: Make): Ports['users'] {
  return {
    list: (now) => listUsers(store, now),
    factors: (name) => listFactors(store, name),
    invite: async ({ actor, user, roles, invite, event }) => {
      const row = { ...invite, userId: user.id, invitedBy: actor.userId, createdAt: event.at, usedAt: null }
      const written = roles.filter((role) => !isPreset(role))
      const work = store.atomically([
        ...actorGuards(make, actor, event),
        ...written.map((role) => make.roleIsThere({ role })),
        make.addUser(userRow(user, event.at)),
        ...roles.map((role) => make.giveRole({ userId: user.id, role })),
        make.addInvite(row),
        make.record(auditRow(event)),
      ])
      await refusing(about(event), work)
    },
    find: (name) => findUser(store, name),
    withRoles: (name) => userWithRoles(store, name),
    documents: (name) => listUserDocuments(store, name),
    holdings: (name, now) => findHoldings(store, name, now),
    reset: async ({ actor, user, invite, rpIds, event }) => {
      const { id: userId } = user
      const row = { ...invite, userId, invitedBy: actor.userId, createdAt: event.at, usedAt: null }
      const whose = { nameKey: nameKey(user.name), at: event.at }
      const work = store.atomically([
        ...actorGuards(make, actor, event),
        make.userBears({ userId, nameKey: whose.nameKey }),
        make.userIsAnother({ ...whose, userId: actor.userId }),
        make.vouchingStaysWithoutUser({ ...whose, rpIds: JSON.stringify(rpIds) }),
        ...leaveNothing(make, whose, 'user_reset', event.asking.requestId),
        make.addInvite(row),
        make.record(auditRow(event)),
      ])
      await refusing(about(event), work, { not_found: 'user_unknown', last_passkey: 'own_account' })
    },
    openInvite: (id, now) => findInvite(store, id, now),
    accept: async ({ spend, invite, preference, credential, session, expiresAt, event }) => {
      const { userId, id: credentialId } = credential
      const whom = { userId, device: credentialId, session: null }
      const work = store.atomically([
        make.spend(spend),
        make.inviteHolds({ id: invite, userId, at: event.at }),
        make.preferenceHolds({ preference }),
        make.notLocked({ ...whom, at: event.at }),
        make.useInvite({ id: invite, at: event.at }),
        make.addCredential(credentialRow(credential)),
        make.openSession(sessionRow(session, { userId, credentialId, expiresAt })),
        make.record(auditRow(event)),
      ])
      const refused = refusing(about(event), work)
      return opened((await tellingLock(store, whom, event.at, refused))[6])
    },
    remove: async (actor, { id, name }, event, rpIds) => {
      const removed = { nameKey: nameKey(name), at: event.at }
      const work = store.atomically([
        ...actorGuards(make, actor, event),
        id === undefined ? make.userIsThere(removed) : make.userBears({ ...removed, userId: id }),
        make.userIsAnother({ ...removed, userId: actor.userId }),
        make.vouchingStaysWithoutUser({ ...removed, rpIds: JSON.stringify(rpIds) }),
        ...leaveNothing(make, removed, 'user_removed', event.asking.requestId),
        make.takeRolesOf(removed),
        make.removeUser(removed),
        make.record(auditRow(event)),
      ])
      await refusing(about(event), work, { not_found: 'user_unknown', last_passkey: 'own_account' })
    },
  }
}

async function listUsers({ db, atomically }: Store, now: Instant): Promise<ListedUser[]> {
  const there = isNull(users.removedAt)
  const answers = await atomically([
    db
      .select({
        ...{ id: users.id, name: users.name, createdAt: users.createdAt },
        hadLink: sql<boolean>`${users.id} in (select ${invites.userId} from ${invites})`
          .mapWith(Boolean)
          .as('had_link'),
      })
      .from(users)
      .where(there)
      .orderBy(asc(users.nameKey)),
    db.select({ userId: userRoles.userId, role: userRoles.role }).from(userRoles).orderBy(asc(userRoles.role)),
    db
      .select({ userId: credentials.userId, passkeys: count().as('passkeys') })
      .from(credentials)
      .where(isNull(credentials.removedAt))
      .groupBy(credentials.userId),
    db
      .select({ userId: invites.userId, path: linkPath.as('path'), expiresAt: invites.expiresAt })
      .from(invites)
      .where(and(isNull(invites.usedAt), gt(invites.expiresAt, now))),
    db
      .select({ key: documents.lockKey })
      .from(documents)
      .where(and(eq(documents.kind, 'lock'), or(isNull(documents.expiresAt), gt(documents.expiresAt, now)))),
  ])
  const roles = Map.groupBy(rowsOf<{ userId: UserId; role: string }>(answers[1]), ({ userId }) => userId)
  const passkeys = new Map(
    rowsOf<{ userId: UserId; passkeys: number }>(answers[2]).map((row) => [row.userId, row.passkeys]),
  )
  const links = new Map(rowsOf<LinkRow>(answers[3]).map((row) => [row.userId, linkOf(row)]))
  const locked = new Set(rowsOf<{ key: LockKey }>(answers[4]).map(({ key }) => key))
  return rowsOf<UserRow>(answers[0]).map(({ id, name, createdAt, hadLink }) => {
    const held = (roles.get(id) ?? []).map(({ role }) => role)
    return {
      name,
      roles: held,
      passkeys: passkeys.get(id) ?? 0,
      lockedBy: [lockKey('user', name), ...held.map((role) => lockKey('role', role))].find((key) => locked.has(key)),
      link: links.get(id),
      hadLink,
      createdAt,
    }
  })
}

async function listFactors({ db, atomically }: Store, name: string | undefined): Promise<ListedFactor[]> {
  const owner = and(isNull(users.removedAt), name === undefined ? undefined : eq(users.nameKey, nameKey(name)))
  const [keys, apps] = [credentials, totps]
  const answers = await atomically([
    db
      .select({ row: keys, user: users.name })
      .from(keys)
      .innerJoin(users, eq(users.id, keys.userId))
      .where(and(owner, isNull(keys.removedAt)))
      .orderBy(asc(users.nameKey), asc(keys.name)),
    db
      .select({ row: apps, user: users.name })
      .from(apps)
      .innerJoin(users, eq(users.id, apps.userId))
      .where(owner)
      .orderBy(asc(users.nameKey), asc(apps.name)),
  ])
  type Row<T> = { readonly row: T; readonly user: string }
  const passkeys = rowsOf<Row<typeof keys.$inferSelect>>(answers[0]).map(({ row, user }) =>
    factorOf('passkey', row, user, row.aaguid),
  )
  const codes = rowsOf<Row<typeof apps.$inferSelect>>(answers[1]).map(({ row, user }) =>
    factorOf('totp', row, user, undefined),
  )
  return [...passkeys, ...codes]
}

const factorOf = (
  kind: ListedFactor['kind'],
  { id, name, createdAt, lastUsedAt }: Pick<ListedFactor, 'id' | 'name' | 'createdAt'> & { lastUsedAt: Instant | null },
  user: string,
  aaguid: string | undefined,
): ListedFactor => ({ id, user, kind, name, aaguid, createdAt, lastUsedAt: lastUsedAt ?? undefined })

interface UserRow extends Pick<typeof users.$inferSelect, 'id' | 'name' | 'createdAt'> {
  readonly hadLink: boolean
}

interface LinkRow {
  readonly userId: UserId
  readonly path: string
  readonly expiresAt: Instant
}

/** Where the request went that was tapped: what kind of link it is. */
export const linkPath = sql<string>`json_extract(${invites.tap}, '$.intent.subject.path')`

const linkOf = ({ path, expiresAt }: LinkRow) => ({
  kind: path === operations.userReset.path ? ('reset' as const) : ('invite' as const),
  expiresAt,
})

async function findUser({ db }: Store, name: string): Promise<FoundUser | undefined> {
  const passkeys = db
    .select({ n: count() })
    .from(credentials)
    .where(and(eq(credentials.userId, users.id), isNull(credentials.removedAt)))
  const [found] = await db
    .select({ id: users.id, name: users.name, passkeys: sql<number>`(${passkeys})` })
    .from(users)
    .where(and(eq(users.nameKey, nameKey(name)), isNull(users.removedAt)))
  return found
}

async function userWithRoles({ db, atomically }: Store, name: string): Promise<UserWithRoles | undefined> {
  const there = and(eq(users.nameKey, nameKey(name)), isNull(users.removedAt))
  const answers = await atomically([
    db.select({ id: users.id, name: users.name, traits: users.traits }).from(users).where(there),
    db
      .select({ role: userRoles.role })
      .from(userRoles)
      .innerJoin(users, eq(users.id, userRoles.userId))
      .where(there)
      .orderBy(asc(userRoles.role)),
  ])
  const [user] = rowsOf<{ id: UserId; name: string; traits: Traits | null }>(answers[0])
  if (!user) return undefined
  const roles = rowsOf<{ role: string }>(answers[1]).map(({ role }) => role)
  return { id: user.id, name: user.name, roles, ...(user.traits && { traits: user.traits }) }
}

async function findInvite({ db, atomically }: Store, id: string, now: Instant) {
  const open = and(eq(invites.id, id as InviteId), isNull(invites.usedAt), gt(invites.expiresAt, now))
  const owner = db.select({ id: invites.userId }).from(invites).where(open)
  const inviter = db.select({ id: invites.invitedBy }).from(invites).where(open)
  const answers = await atomically([
    db.select().from(invites).where(open),
    db
      .select()
      .from(users)
      .where(and(eq(users.id, owner), isNull(users.removedAt))),
    db.select().from(users).where(eq(users.id, inviter)),
    db.select({ role: userRoles.role }).from(userRoles).where(eq(userRoles.userId, owner)).orderBy(asc(userRoles.role)),
  ])
  const [invite] = rowsOf<typeof invites.$inferSelect>(answers[0])
  const [user] = rowsOf<typeof users.$inferSelect>(answers[1])
  const [by] = rowsOf<typeof users.$inferSelect>(answers[2])
  if (!invite || !user) return undefined
  const { key, tap: tapped, request, createdAt, expiresAt } = invite
  const roles = rowsOf<{ role: string }>(answers[3]).map(({ role }) => role)
  const about = { user: { id: user.id, name: user.name }, roles, invitedBy: by?.name ?? '' }
  return { id: invite.id, ...about, key, tap: tapped, request, createdAt, expiresAt }
}

export function documentsPort(store: Store, make: Make): Ports['documents'] {
  const { db } = store
  return {
    list: async ({ kind, name }) => {
      const wanted = and(
        kind === undefined ? undefined : eq(documents.kind, kind),
        name === undefined ? undefined : eq(documents.name, name),
      )
      const rows = await db
        .select({ document: documents.document, revision: documents.revision, by: users.name })
        .from(documents)
        .leftJoin(users, eq(users.id, documents.updatedBy))
        .where(wanted)
        .orderBy(asc(documents.kind), asc(documents.name))
      return rows.map(({ document, revision, by }) => ({
        document: document as PolicyDocument,
        revision,
        by: by ?? undefined,
      }))
    },
    put: async (actor, changes, event, people) => {
      const approval = keepApproval(make, actor, event.at)
      const by = { updatedBy: actor.userId, updatedAt: event.at, approvedBy: approval.id }
      const work = store.atomically([
        ...actorGuards(make, actor, event),
        ...approval.statements,
        ...changes.flatMap((change) => putStatements(make, change, by)),
        ...(people ? putUsers(make, people, by) : []),
        make.record(auditRow(event)),
      ])
      await refusing(about(event), work, { role_held: 'own_role' })
    },
    remove: async (actor, { expected, ...key }, event) => {
      const work = store.atomically([
        ...actorGuards(make, actor, event),
        make.documentIsAt({ ...key, expected }),
        make.roleIsFree(key),
        make.deleteDocument(key),
        make.record(auditRow(event)),
      ])
      await refusing(about(event), work)
    },
  }
}

type Written = Pick<typeof documents.$inferSelect, 'updatedBy' | 'updatedAt' | 'approvedBy'>

function putStatements(make: Make, { document, revision, expected }: DocumentChange, by: Written): Statement[] {
  const key = { kind: document.kind, name: document.metadata.name }
  const row = { ...key, document, revision, ...by, ...columnsOf(document) }
  if (expected === undefined) return [make.documentIsNew(key), make.addDocument(row)]
  // He may have been given the role since he was asked who he is.
  const own = document.kind === 'role' ? [make.roleIsAnothers({ role: key.name, userId: by.updatedBy })] : []
  return [make.documentIsAt({ ...key, expected }), ...own, make.deleteDocument(key), make.addDocument(row)]
}

/** What statements of other ceremonies ask for, taken out of the document. */
function columnsOf(document: PolicyDocument) {
  const none = { maxSessionTtl: null, deviceFlow: null, lockKey: null, expiresAt: null }
  if (document.kind === 'role') {
    const { max_session_ttl: ttl, device_flow: deviceFlow = null } = document.spec.options
    return { ...none, deviceFlow, maxSessionTtl: ttl === undefined ? null : (parseDuration(ttl) ?? 0) }
  }
  if (document.kind === 'cluster_auth_preference') {
    return { ...none, maxSessionTtl: preferenceOf(document).defaultSessionTtl }
  }
  if (document.kind !== 'lock') return none
  const { expires } = document.spec
  return { ...none, lockKey: lockedBy(document), expiresAt: expires === undefined ? null : Date.parse(expires) }
}

export async function listAudit(
  { db }: Store,
  { before, limit, user, kind }: Parameters<Ports['audit']['list']>[0],
): Promise<RecordedEvent[]> {
  const wanted = and(
    lt(audit.seq, before),
    kind === undefined ? undefined : eq(audit.kind, kind),
    user === undefined ? undefined : eq(users.nameKey, nameKey(user)),
  )
  return auditRows(db, wanted, limit)
}

/** Requests are named by text, and audit rows by number. */
export function findAudit({ db }: Store, id: string, userId: UserId | undefined): Promise<RecordedEvent[]> {
  const named = /^\d{1,15}$/.test(id) ? eq(audit.seq, Number(id)) : eq(audit.requestId, id)
  return auditRows(db, and(named, userId === undefined ? undefined : eq(audit.userId, userId)), 100)
}

async function auditRows(db: Store['db'], wanted: SQL | undefined, limit: number): Promise<RecordedEvent[]> {
  const rows = await db
    .select({ row: audit, user: users.name })
    .from(audit)
    .leftJoin(users, eq(users.id, audit.userId))
    .where(wanted)
    .orderBy(desc(audit.seq))
    .limit(limit)
  return rows.map(
    ({ row: { seq, at, kind, outcome, code, address, place, browser, requestId, detail }, user: name }) => ({
      ...{ seq, at, kind, outcome, requestId, code: code ?? undefined, user: name ?? undefined },
      from: { address, place, browser },
      detail: detail ?? undefined,
    }),
  )
}
