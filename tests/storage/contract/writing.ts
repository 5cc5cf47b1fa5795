/** documents.list, put and remove: what administrators write. */
import { expect } from 'vitest'
import type { PolicyDocument } from '../../../core/access/document.ts'
import { minutes } from '../../../core/model.ts'
import { changes, expectRefused } from './changes.ts'
import { changeTo, dbOf, documentOf, giveRoles, heldBy, lockOf, newEditor, roleOf, standing } from './editors.ts'
import { staleClientSessions } from './programs.ts'
import { type Cases, here, newEvent, newPerson, now, type World } from './world.ts'

const written = newEvent('document.put')
const removed = newEvent('document.remove')

async function withEditor(world: World) {
  const { actor, credential, user } = await newEditor(world)
  const put = (...documents: readonly ReturnType<typeof changeTo>[]) =>
    world.ports.documents.put(actor, documents, written)
  const remove = async (kind: string, name: string) =>
    world.ports.documents.remove(actor, await standing(world, kind, name), removed)
  return { actor, credential, user, put, remove }
}

const texts = ['Ünï "code" \\ 漢字 🗝', 'مفتاح', "o'; drop table documents --", 'null', '1e3']

export const writing: Cases = {
  'documents.put adds each with what statements ask for, writes one audit row, and nothing else': async (world) => {
    const { put, user } = await withEditor(world)
    const role = roleOf('dev', { max_session_ttl: '1h30m' })
    const silent = roleOf('silent')
    const db = dbOf('orders')
    const lock = lockOf('ada-left', 'ÅDA Lovelace', { expires: '2030-01-31T12:00:00Z' })
    const documents = [role, silent, db, lock].map((document) => changeTo(document))
    const none = { maxSessionTtl: null, deviceFlow: null, lockKey: null, expiresAt: null }
    const written = { updatedAt: now, updatedBy: user.id, approvedBy: null }
    const rowOf = (document: PolicyDocument, more: object) => {
      const { kind, metadata } = document
      return {
        ...none,
        ...written,
        kind,
        name: metadata.name,
        document,
        revision: changeTo(document).revision,
        ...more,
      }
    }
    expect(await changes(world.store, () => put(...documents))).toEqual({
      '+documents role/dev': rowOf(role, { maxSessionTtl: minutes(90) }),
      '+documents role/silent': rowOf(silent, {}),
      '+documents db/orders': rowOf(db, {}),
      '+documents lock/ada-left': rowOf(lock, {
        ...{ lockKey: 'user:åda lovelace', expiresAt: Date.parse('2030-01-31T12:00:00Z') },
      }),
      '+audit document.put done': expect.anything(),
    })
  },

  'documents.list answers documents equal to what was put, any script, by kind and name': async (world) => {
    const { put, user } = await withEditor(world)
    const describe = (description: string, i: number) =>
      documentOf({ kind: 'role', version: 'v7', metadata: { name: `r${i}`, description }, spec: {} })
    const roles = texts.map(describe)
    const others = [lockOf('z', 'Łukasz 漢字', { message: texts[0]! }), dbOf('b'), dbOf('a')]
    await put(...[...roles, ...others].map((document) => changeTo(document)))
    const { list } = world.ports.documents
    const documentsOf = async (filter: Parameters<typeof list>[0]) => (await list(filter)).map((one) => one.document)
    expect(await documentsOf({})).toStrictEqual([others[2], others[1], others[0], ...roles])
    expect(await list({ kind: 'lock' })).toStrictEqual([
      { document: others[0], revision: changeTo(others[0]!).revision, by: user.name },
    ])
    expect(await documentsOf({ name: 'a' })).toStrictEqual([others[2]])
    expect(await documentsOf({ kind: 'db', name: 'z' })).toEqual([])
    expect(await documentsOf({ kind: 'app' })).toEqual([])
  },

  'documents.put replaces the revision that was read, and refuses any other, for ever': async (world) => {
    const { put } = await withEditor(world)
    const [one, two, three] = ['a', 'b', 'c'].map((host) => dbOf('orders', `${host}.example.com:1`))
    await put(changeTo(one!))
    const [first, second] = [changeTo(one!).revision, changeTo(two!).revision]
    const done = await changes(world.store, () => put(changeTo(two!, first)))
    expect(done).toEqual({
      '~documents db/orders': { document: two, revision: second },
      '+audit document.put done': expect.anything(),
    })
    await expectRefused(world, 'document_changed', () => put(changeTo(three!, first)))
    await expectRefused(world, 'document_changed', () => put(changeTo(three!)))
    await expectRefused(world, 'document_changed', () => put(changeTo(dbOf('not-there'), first)))
  },

  'documents.put follows a role that says less, and a lock that says later, in what statements ask for': async (
    world,
  ) => {
    const { put } = await withEditor(world)
    const role = (ttl?: string) => roleOf('dev', ttl === undefined ? {} : { max_session_ttl: ttl })
    await put(changeTo(role('8h')))
    const done = await changes(world.store, () => put(changeTo(role(), changeTo(role('8h')).revision)))
    expect(done['~documents role/dev']).toMatchObject({ maxSessionTtl: null })
  },

  'documents.put is all or none': async (world) => {
    const { put } = await withEditor(world)
    await put(changeTo(dbOf('orders')))
    const mixed = [changeTo(roleOf('dev')), changeTo(dbOf('other')), changeTo(dbOf('orders'))]
    await expectRefused(world, 'document_changed', () => put(...mixed))
    expect(await world.ports.documents.list({})).toHaveLength(1)
  },

  'documents.put takes one name for a role, a lock and a database': async (world) => {
    const { put } = await withEditor(world)
    await put(changeTo(roleOf('same')), changeTo(lockOf('same', 'x')), changeTo(dbOf('same')))
    expect((await world.ports.documents.list({ name: 'same' })).map(({ document }) => document.kind)).toEqual([
      ...['db', 'lock', 'role'],
    ])
  },

  'documents.put refuses a resource whose name a resource of another kind has': async (world) => {
    const { put } = await withEditor(world)
    await put(changeTo(dbOf('orders')))
    const app = { ...dbOf('orders'), kind: 'app' } as unknown as PolicyDocument
    const unread = {
      ...changeTo(app),
      document: { ...app, spec: { target: { user: 'x' } } } as unknown as PolicyDocument,
    }
    await expectRefused(world, 'document_exists', () => put(unread))
  },

  'documents.put and remove refuse a caller whose login does not run, or who lacks the role': async (world) => {
    const { actor, credential } = await withEditor(world)
    const { put, remove } = world.ports.documents
    const both = async (code: 'token_invalid' | 'role_missing', more: object) => {
      const caller = { ...actor, ...more }
      await expectRefused(world, code, () => put(caller, [changeTo(dbOf('orders'))], written))
      await expectRefused(world, code, () => remove(caller, { kind: 'db', name: 'orders', expected: 'r' }, removed))
    }
    for (const { id: sessionId } of Object.values(await staleClientSessions(world, credential)))
      await both('token_invalid', { sessionId })
    await both('role_missing', { by: heldBy('auditor') })
  },

  'documents.put wants the role that allowed it to say what it said': async (world) => {
    const editor = await withEditor(world)
    const role = changeTo(roleOf('ops'))
    await editor.put(role)
    await giveRoles(world, editor, 'ops')
    const put = (revision: string) =>
      world.ports.documents.put({ ...editor.actor, by: heldBy('ops', revision) }, [changeTo(dbOf('orders'))], written)
    await expectRefused(world, 'role_missing', () => put('another revision'))
    await put(role.revision)
  },

  'documents.remove removes one with one audit row, and nothing else': async (world) => {
    const { put, remove } = await withEditor(world)
    await put(changeTo(roleOf('same')), changeTo(dbOf('same')))
    expect(await changes(world.store, () => remove('db', 'same'))).toEqual({
      '-documents db/same': expect.objectContaining({ kind: 'db', name: 'same' }),
      '+audit document.remove done': expect.anything(),
    })
    await expectRefused(world, 'document_changed', () => remove('db', 'same'))
    await expectRefused(world, 'document_changed', () => remove('lock', 'same'))
  },

  'documents.remove keeps a role that somebody holds, and a database of the same name goes': async (world) => {
    const { put, remove } = await withEditor(world)
    await put(changeTo(roleOf('dev')), changeTo(dbOf('dev')))
    await giveRoles(world, await newPerson(world), 'dev')
    await expectRefused(world, 'role_held', () => remove('role', 'dev'))
    await remove('db', 'dev')
  },

  'documents.remove lets a role go when its last holder is gone, and its name is free again': async (world) => {
    const { actor, put, remove } = await withEditor(world)
    const person = await newPerson(world)
    await put(changeTo(roleOf('dev')))
    await giveRoles(world, person, 'dev')
    await world.ports.users.remove(actor, person.user, newEvent('user.remove'), here.rpIds)
    await remove('role', 'dev')
    await put(changeTo(roleOf('dev')))
  },
}
