/** users.documents, and documents.put of users: what somebody holds, read as it is and replaced as it was read. */
import { expect } from 'vitest'
import type { Traits } from '../../../core/access/pattern.ts'
import { type UserDocument, userDocument, userRevision } from '../../../core/access/user.ts'
import type { UserChange, UserChanges } from '../../../core/admin-ports.ts'
import { nameKey } from '../../../core/login/name.ts'
import type { User, UserId } from '../../../core/model.ts'
import { credentials, users } from '../../../storage/schema.ts'
import { changes, expectRefused, race } from './changes.ts'
import { changeTo, giveRoles, newEditor, newInvited, roleOf, warrantOf } from './editors.ts'
import { type Cases, here, newEvent, newPerson, newUser, now, type World } from './world.ts'

const written = newEvent('document.put')

const holding = ({ name }: Pick<User, 'name'>, roles: readonly string[] = [], traits?: Traits): UserDocument =>
  userDocument(name, { roles, traits })

/** What is to change, judged by nothing. */
const all = (users: readonly UserChange[], more: Partial<UserChanges> = {}): UserChanges => ({
  ...{ users, roles: [], losing: [], giving: { allowing: ['editor'], denying: [] }, rpIds: here.rpIds },
  ...more,
})

async function withEditor(world: World) {
  const editor = await newEditor(world)
  const put = (users: readonly UserChange[], more: Partial<UserChanges> = {}) =>
    world.ports.documents.put(editor.actor, [], written, all(users, more))
  return { ...editor, put }
}

const change = (user: User, before: UserDocument | undefined, document: UserDocument): UserChange => ({
  ...{ id: user.id, document, before },
})

const heldBy = async ({ ports }: World, { name }: User) => (await ports.users.documents(name))[0]?.document.spec

const odd = { 'https://idp.example/groups': ['ünï "code" \\ 漢字', "o'; drop table users --"], 10: ['x'], 9: ['y'] }

export const userDocuments: Cases = {
  'users.documents answers who is there by name, what each holds, and who wrote it': async (world) => {
    const { user: editor, put } = await withEditor(world)
    const [bob, gone] = [newUser('Bob'), newUser('Zoë')]
    const zoe = newUser('ZOË')
    await put([change(bob, undefined, holding(bob, ['b', 'a'], odd)), change(gone, undefined, holding(gone))])
    await world.ports.users.remove((await newEditor(world)).actor, gone, newEvent('user.remove'), here.rpIds)
    await put([change(zoe, undefined, holding(zoe))])
    const seen = await world.ports.users.documents(undefined)
    const named = seen.filter(({ id }) => [bob.id, gone.id, zoe.id, editor.id].includes(id))
    const expected = (user: User, document: UserDocument, by: string | undefined) => ({
      ...{ id: user.id, document, revision: userRevision(user.id, document), by },
    })
    expect(named).toStrictEqual(
      [
        expected(editor, holding(editor, ['editor']), undefined),
        expected(bob, holding(bob, ['a', 'b'], odd), editor.name),
        expected(zoe, holding(zoe), editor.name),
      ].sort((a, b) => (nameKey(a.document.metadata.name) < nameKey(b.document.metadata.name) ? -1 : 1)),
    )
    expect((await world.ports.users.documents('zoë')).map(({ id }) => id)).toEqual([zoe.id])
    expect(await world.ports.users.documents('nobody')).toEqual([])
  },

  'documents.put of a new user adds him with roles and traits and nothing to sign in with': async (world) => {
    const { user: editor, put } = await withEditor(world)
    const user = newUser('Grace')
    const made = () => put([change(user, undefined, holding(user, ['access', 'auditor'], { logins: ['grace'] }))])
    expect(await changes(world.store, made)).toEqual({
      [`+users ${user.id}`]: {
        ...{ ...user, nameKey: 'grace', traits: { logins: ['grace'] }, updatedBy: editor.id, approvedBy: null },
        ...{ createdAt: now, removedAt: null },
      },
      [`+userRoles ${user.id}/access`]: { userId: user.id, role: 'access' },
      [`+userRoles ${user.id}/auditor`]: { userId: user.id, role: 'auditor' },
      '+audit document.put done': expect.anything(),
    })
    const namesake = newUser('GRACE')
    await expectRefused(world, 'name_taken', () => put([change(namesake, undefined, holding(namesake))]))
  },

  'documents.put of a user replaces roles and traits, of him alone': async (world) => {
    const { user: editor, put } = await withEditor(world)
    const other = await newPerson(world)
    const { user } = await newPerson(world)
    await giveRoles(world, other, 'a', 'b')
    await giveRoles(world, { user }, 'a', 'b')
    const first = change(user, holding(user, ['a', 'b']), holding(user, ['b', 'c'], { logins: ['x'] }))
    expect(await changes(world.store, () => put([first]))).toEqual({
      [`~users ${user.id}`]: { traits: { logins: ['x'] }, updatedBy: editor.id },
      [`-userRoles ${user.id}/a`]: expect.anything(),
      [`+userRoles ${user.id}/c`]: expect.anything(),
      '+audit document.put done': expect.anything(),
    })
    await put([change(user, first.document, holding(user))])
    expect(await heldBy(world, user)).toEqual({})
    expect(await heldBy(world, other.user)).toEqual({ roles: ['a', 'b'] })
  },

  'documents.put of a user refuses what he does not hold any more, or not yet, and one who is gone': async (world) => {
    const { actor, put } = await withEditor(world)
    const { user } = await newPerson(world)
    await giveRoles(world, { user }, 'a', 'b')
    const next = holding(user, ['c'])
    const others = [
      ...[holding(user), holding(user, ['a']), holding(user, ['a', 'b', 'c']), holding(user, ['a', 'c'])],
      holding(user, ['a', 'b'], { logins: ['x'] }),
    ]
    for (const before of others) await expectRefused(world, 'document_changed', () => put([change(user, before, next)]))
    const another = { ...user, id: newUser().id as UserId }
    await expectRefused(world, 'document_changed', () => put([change(another, holding(user, ['a', 'b']), next)]))
    await put([change(user, holding(user, ['a', 'b']), holding(user, ['a'], odd))])
    await expectRefused(world, 'document_changed', () => put([change(user, holding(user, ['a']), next)]))
    await put([change(user, holding(user, ['a'], odd), holding(user, ['a']))])
    await world.ports.users.remove(actor, user, newEvent('user.remove'), here.rpIds)
    await expectRefused(world, 'document_changed', () => put([change(user, holding(user), next)]))
  },

  'documents.put of a user by 50 at once: one': async (world) => {
    const { put } = await withEditor(world)
    const { user } = await newPerson(world)
    const outcomes = await race(50, (way) =>
      put([change(user, holding(user), holding(user, [], { logins: [`${way}`] }))]),
    )
    expect(outcomes).toEqual({ done: 1, document_changed: 49 })
  },

  'documents.put of a user wants the roles that move as they were judged, once the documents are written': async (
    world,
  ) => {
    const { actor, put } = await withEditor(world)
    const user = newUser()
    const [first, second] = [changeTo(roleOf('dev')), changeTo(roleOf('dev', { max_session_ttl: '1h' }))]
    const added = [change(user, undefined, holding(user, ['dev']))]
    const judged = ({ revision }: typeof first) => ({ roles: [{ name: 'dev', revision }] })
    await expectRefused(world, 'document_changed', () => put(added, judged(first)))
    const both = (documents: readonly (typeof first)[], by: typeof first) =>
      world.ports.documents.put(actor, documents, written, all(added, judged(by)))
    await expectRefused(world, 'document_changed', () => both([first], second))
    await both([first], first)
    expect(await heldBy(world, user)).toEqual({ roles: ['dev'] })
    const more = [change(user, added[0]?.document, holding(user))]
    await expectRefused(world, 'document_changed', () => put(more, judged(second)))
    await put(more, judged(first))
  },

  'documents.put of a user keeps one who gives roles and has a passkey that vouches, where there was one': async (
    world,
  ) => {
    const { put } = await withEditor(world)
    await world.store.db.update(credentials).set({ mayVouch: false })
    const [last, other] = [await newPerson(world), await newPerson(world, { mayVouch: false })]
    await giveRoles(world, last, 'wheel')
    await giveRoles(world, other, 'wheel')
    const giving = { allowing: ['wheel', 'editor'], denying: ['never'] }
    const take = (from: typeof last, more: readonly UserChange[] = []) =>
      put([change(from.user, holding(from.user, ['wheel']), holding(from.user)), ...more], {
        ...{ losing: [from.user.id], giving },
      })
    await expectRefused(world, 'last_vouching', () => take(last))
    const foreign = { losing: [last.user.id], giving, rpIds: ['another.example'] }
    const heir = await newPerson(world)
    await expectRefused(world, 'last_vouching', () => take(last))
    const heirs = (roles: readonly string[]) => change(heir.user, holding(heir.user), holding(heir.user, roles))
    await expectRefused(world, 'last_vouching', () => take(last, [heirs(['wheel', 'never'])]))
    await expectRefused(world, 'last_vouching', () => take(last, [heirs(['another'])]))
    // Whose passkey does not vouch, or is of a relying party that is not taken, takes nothing along.
    await take(other)
    await put([change(last.user, holding(last.user, ['wheel']), holding(last.user, ['wheel', 'x']))], foreign)
    await put([change(last.user, holding(last.user, ['wheel', 'x']), holding(last.user, ['wheel']))])
    await take(last, [heirs(['wheel'])])
  },

  'documents.put by a tap names it in each user': async (world) => {
    const { actor, credential } = await newEditor(world)
    const [user, { user: invited }] = [newUser(), await newInvited(world)]
    const warrant = warrantOf(credential)
    const both = [
      change(user, undefined, holding(user)),
      change(invited, holding(invited, ['access']), holding(invited, ['access', 'auditor'])),
    ]
    await world.ports.documents.put({ ...actor, warrant }, [], written, all(both))
    const rows = await world.store.db.select().from(users)
    const approved = rows.filter(({ id }) => id === user.id || id === invited.id).map(({ approvedBy }) => approvedBy)
    expect(approved).toEqual([warrant.tap.intent.id, warrant.tap.intent.id])
  },

  'documents.put refuses a role that the caller was given meanwhile, and writes that of others': async (world) => {
    const { actor, user, put } = await withEditor(world)
    const [dev, ops] = [changeTo(roleOf('dev')), changeTo(roleOf('ops'))]
    await world.ports.documents.put(actor, [dev, ops], written)
    await put([change(user, holding(user, ['editor']), holding(user, ['editor', 'dev']))])
    const wider = (name: string, { revision }: typeof dev) =>
      changeTo(roleOf(name, { max_session_ttl: '1h' }), revision)
    await expectRefused(world, 'own_role', () => world.ports.documents.put(actor, [wider('dev', dev)], written))
    await world.ports.documents.put(actor, [wider('ops', ops)], written)
  },
}
