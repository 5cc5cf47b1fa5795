/** Users as documents: what administrators write of them, read out of their rows and put there. */
import { and, asc, eq, isNull, sql } from 'drizzle-orm'
import type { Traits } from '../core/access/pattern.ts'
import { userDocument, userRevision } from '../core/access/user.ts'
import type { UserChange, UserChanges, WrittenUser } from '../core/admin-ports.ts'
import { nameKey } from '../core/login/name.ts'
import type { Instant, UserId } from '../core/model.ts'
import type { Make } from './batches.ts'
import { userRow } from './rows.ts'
import { credentials, documents, userRoles, users } from './schema.ts'
import { guard, vouching } from './statements.ts'
import { type Db, recipe, rowsOf, type Statement, type Store } from './store.ts'

/** Lists and traits are JSON. */
interface Held {
  readonly userId: UserId
  readonly roles: string
}

const valuesOf = (list: unknown) => sql`(select value from json_each(${list}))`

export const userDocumentStatements = (db: Db) => ({
  /** This very person holds exactly that. */
  userHolds: recipe<Held & { readonly traits: string }>((s) =>
    guard(
      db,
      'revision',
      sql`(exists (select 1 from ${users} where ${users.id} = ${s.userId} and ${users.removedAt} is null
          and coalesce(json(${users.traits}), '{}') = json(${s.traits}))
        and not exists (select 1 from ${userRoles} where ${userRoles.userId} = ${s.userId}
          and ${userRoles.role} not in ${valuesOf(s.roles)})
        and (select count(*) from ${userRoles} where ${userRoles.userId} = ${s.userId}) = json_array_length(${s.roles}))`,
    ),
  ),
  writeUser: recipe<{
    readonly userId: UserId
    readonly traits: string | null
    readonly updatedBy: UserId
    readonly approvedBy: string | null
  }>((s) =>
    db
      .update(users)
      .set({ traits: sql`${s.traits}`, updatedBy: sql`${s.updatedBy}`, approvedBy: sql`${s.approvedBy}` })
      .where(sql`${users.id} = ${s.userId}`),
  ),
  takeOtherRoles: recipe<Held>((s) =>
    db
      .delete(userRoles)
      .where(sql`${userRoles.userId} = ${s.userId} and ${userRoles.role} not in ${valuesOf(s.roles)}`),
  ),
  giveRoles: recipe<Held>((s) =>
    db.run(sql`insert into ${userRoles} (${sql.identifier('user_id')}, ${sql.identifier('role')})
      select ${s.userId}, value from json_each(${s.roles}) where true on conflict do nothing`),
  ),
  /** `roles`: names and revisions. */
  rolesAre: recipe<{ readonly roles: string }>((s) =>
    guard(
      db,
      'revision',
      sql`not exists (select 1 from json_each(${s.roles}) as judged where not exists (select 1 from ${documents}
        where ${documents.kind} = 'role' and ${documents.name} = json_extract(judged.value, '$.name')
        and ${documents.revision} = json_extract(judged.value, '$.revision')))`,
    ),
  ),
  /** After the roles are given and taken: who loses them had a passkey that vouches only where somebody has one who gives roles. */
  givingStays: recipe<{
    readonly losing: string
    readonly allowing: string
    readonly denying: string
    readonly rpIds: string
  }>((s) => {
    const holds = (roles: unknown) => sql`exists (select 1 from ${userRoles}
      where ${userRoles.userId} = ${credentials.userId} and ${userRoles.role} in ${valuesOf(roles)})`
    const lost = vouching(s, sql`${credentials.userId} in ${valuesOf(s.losing)}`)
    const stays = vouching(s, sql`${holds(s.allowing)} and not ${holds(s.denying)}`)
    return guard(db, 'vouching', sql`(not ${lost} or ${stays})`)
  }),
  roleIsAnothers: recipe<{ readonly role: string; readonly userId: UserId }>((s) =>
    guard(
      db,
      'held',
      sql`not exists (select 1 from ${userRoles} where ${userRoles.role} = ${s.role} and ${userRoles.userId} = ${s.userId})`,
    ),
  ),
})

/** Who writes, when, and by which tap. */
interface Writing {
  readonly updatedBy: UserId
  readonly updatedAt: Instant
  readonly approvedBy: string | null
}

/** After the documents of the same request: a role may be one of them. */
export function putUsers(make: Make, { users: changes, roles, losing, giving, rpIds }: UserChanges, by: Writing) {
  const lists = { allowing: JSON.stringify(giving.allowing), denying: JSON.stringify(giving.denying) }
  const stays = { ...lists, losing: JSON.stringify(losing), rpIds: JSON.stringify(rpIds) }
  return [
    make.rolesAre({ roles: JSON.stringify(roles) }),
    ...changes.flatMap((change) => putUser(make, change, by)),
    make.givingStays(stays),
  ]
}

function putUser(make: Make, { id: userId, document, before }: UserChange, { updatedAt, ...by }: Writing): Statement[] {
  const { roles = [], traits } = document.spec
  const held = { userId, roles: JSON.stringify(roles) }
  return [
    before
      ? make.userHolds(heldBy(userId, before))
      : make.addUser(userRow({ id: userId, ...document.metadata }, updatedAt)),
    make.writeUser({ userId, traits: traits === undefined ? null : JSON.stringify(traits), ...by }),
    make.takeOtherRoles(held),
    make.giveRoles(held),
  ]
}

const heldBy = (userId: UserId, { spec: { roles = [], traits = {} } }: UserChange['document']) => ({
  userId,
  roles: JSON.stringify(roles),
  traits: JSON.stringify(traits),
})

export async function listUserDocuments({ db, atomically }: Store, name: string | undefined): Promise<WrittenUser[]> {
  const there = and(isNull(users.removedAt), name === undefined ? undefined : eq(users.nameKey, nameKey(name)))
  // Spelled out: in a select of one table drizzle names columns without it, and here that would be the writer's own.
  const writer = sql<string | null>`(select writer.name from users as writer where writer.id = users.updated_by)`
  const answers = await atomically([
    db
      .select({ id: users.id, name: users.name, traits: users.traits, by: writer.as('by') })
      .from(users)
      .where(there)
      .orderBy(asc(users.nameKey)),
    db
      .select({ userId: userRoles.userId, role: userRoles.role })
      .from(userRoles)
      .innerJoin(users, eq(users.id, userRoles.userId))
      .where(there),
  ])
  const held = Map.groupBy(rowsOf<{ userId: UserId; role: string }>(answers[1]), ({ userId }) => userId)
  type Row = { readonly id: UserId; readonly name: string; readonly traits: Traits | null; readonly by: string | null }
  return rowsOf<Row>(answers[0]).map(({ id, name, traits, by }) => {
    const roles = (held.get(id) ?? []).map(({ role }) => role)
    const document = userDocument(name, { roles, traits: traits ?? undefined })
    return { id, document, revision: userRevision(id, document), by: by ?? undefined }
  })
}
