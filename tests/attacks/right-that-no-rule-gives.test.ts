/** What administrators may do are the rules of the roles that they hold: nothing is theirs by the name of a role alone. */
import { expect, test } from 'vitest'
import type { Json } from '../../core/intent.ts'
import { lastRefusal } from '../edge.ts'
import {
  addUser,
  askForTap,
  call,
  entrust,
  invite,
  lockOf,
  newAdmin,
  newInvitation,
  newPerson,
  newReset,
  type Person,
  reset,
  resetWith,
  tapFor,
} from '../people.ts'

const roleOf = (name: string, allow: object, deny: object = {}) => ({
  kind: 'role',
  version: 'v7',
  metadata: { name },
  spec: { options: {}, allow, deny },
})
const rules = (...of: readonly (readonly [resource: string, verb: string])[]) => ({
  rules: of.map(([resource, verb]) => ({ resources: [resource], verbs: [verb] })),
})

const put = (person: Person, documents: readonly object[], force = false) =>
  call(person, 'POST', '/v1/documents', { documents, force } as unknown as Json)

/** The administrator, and somebody who holds `role` alone. */
async function newHolder(role: ReturnType<typeof roleOf>) {
  const admin = await newAdmin()
  expect((await put(admin, [role])).status).toBe(200)
  const holder = await newPerson(admin, 'Lea', [role.metadata.name])
  // What is missing is the right, and not the passkey that may approve it.
  entrust(holder)
  return { admin, holder }
}

const deeds = [
  ['GET', '/v1/users', undefined, 'user', 'list'],
  ['GET', '/v1/logins', undefined, 'session', 'list'],
  ['GET', '/v1/audit', undefined, 'event', 'list'],
  ['GET', '/v1/cluster', undefined, 'cert_authority', 'read'],
  ['GET', '/v1/documents?kind=role', undefined, 'role', 'read'],
  ['POST', '/v1/documents', { documents: [lockOf('Bob')] }, 'lock', 'create'],
  ['POST', '/v1/documents', { documents: [roleOf('other', {})] }, 'role', 'create'],
  ['POST', '/v1/keys/rotate', {}, 'cert_authority', 'rotate'],
] as const

test.each(deeds)('%s %s %j is refused without %s:%s, and done with it', async (method, path, body, resource, verb) => {
  const { admin, holder } = await newHolder(roleOf('one', rules([resource, verb])))
  const { status, text } = await call(holder, method, path, body as Json)
  expect({ status, text }).toMatchObject({ status: 200 })
  const others = deeds.filter(([, , , of, does]) => of !== resource || does !== verb)
  for (const [otherMethod, otherPath, otherBody] of others) {
    const refused = await call(holder, otherMethod, otherPath, otherBody as Json)
    expect(refused).toMatchObject({ status: 403, json: { error: 'forbidden' } })
    expect(lastRefusal(admin.edge)).toBe('role_missing')
  }
})

test('the refusal says which rule is missing', async () => {
  const { holder } = await newHolder(roleOf('one', rules(['lock', 'create'])))
  const { json } = await put(holder, [roleOf('other', {})])
  expect(json.message).toBe(
    'No role of yours allows it to create roles (role:create). Ask an administrator for a role that may do this.',
  )
})

test('one file needs the right to each of its documents, or nothing of it is written', async () => {
  const { admin, holder } = await newHolder(roleOf('one', rules(['lock', 'create'])))
  expect((await put(holder, [lockOf('Bob'), roleOf('other', {})])).status).toBe(403)
  const { json } = await call(admin, 'GET', '/v1/documents?kind=lock')
  expect(json.documents).toEqual([])
})

test('who may create may not replace, nor remove', async () => {
  const { holder } = await newHolder(roleOf('one', rules(['lock', 'create'])))
  const lock = { ...lockOf('Bob'), metadata: { name: 'bob' } }
  expect((await put(holder, [lock])).status).toBe(200)
  const other = { ...lock, spec: { ...lock.spec, message: 'Call the office.' } }
  expect((await put(holder, [other], true)).status).toBe(403)
  expect((await call(holder, 'DELETE', '/v1/documents/lock/bob')).status).toBe(403)
})

test('deny beats allow, whichever role says it', async () => {
  const admin = await newAdmin()
  const denying = roleOf('no-locks', {}, rules(['lock', '*']))
  expect((await put(admin, [roleOf('one', rules(['*', '*'])), denying])).status).toBe(200)
  const lea = await newPerson(admin, 'Lea', ['one', 'no-locks'])
  expect((await put(lea, [lockOf('Bob')])).status).toBe(403)
  expect((await call(lea, 'GET', '/v1/users')).status).toBe(200)
  const { json } = await call(lea, 'GET', '/v1/documents')
  const kinds = (json.documents as readonly { readonly document: { readonly kind: string } }[]).map(
    ({ document }) => document.kind,
  )
  expect(kinds).toContain('role')
  expect(kinds).not.toContain('lock')
})

test('nobody changes or removes a role that he holds himself', async () => {
  const { admin, holder } = await newHolder(roleOf('one', rules(['role', '*'])))
  const wider = roleOf('one', rules(['*', '*']))
  expect(await put(holder, [wider], true)).toMatchObject({ status: 409, json: { error: 'own_role' } })
  expect((await call(holder, 'DELETE', '/v1/documents/role/one')).status).toBe(409)
  expect((await put(admin, [wider], true)).status).toBe(200)
})

test('a role that was changed meanwhile gives what it says now', async () => {
  const { admin, holder } = await newHolder(roleOf('one', rules(['user', 'list'])))
  expect((await call(holder, 'GET', '/v1/users')).status).toBe(200)
  expect((await put(admin, [roleOf('one', {})], true)).status).toBe(200)
  expect((await call(holder, 'GET', '/v1/users')).status).toBe(403)
})

const refusedFor = { status: 403, json: { error: 'forbidden' } }
/** A role that gets rules between tap and request. */
const widen = (admin: Person) => put(admin, [roleOf('later', rules(['lock', 'create']))], true)

test('who may only invite hands no administrative right on, by a built-in role or by a written one', async () => {
  const { admin, holder } = await newHolder(roleOf('desk', rules(['user', 'create'])))
  expect((await put(admin, [roleOf('wide', rules(['lock', 'create'])), roleOf('later', {})])).status).toBe(200)
  for (const role of ['editor', 'wide']) {
    const { body } = await newInvitation('Puppet', ['access', role])
    expect(await askForTap(holder, body)).toMatchObject(refusedFor)
    expect(lastRefusal(admin.edge)).toBe('role_missing')
  }
  await invite(holder, 'Plain', ['access', 'later'])
  const { body } = await newInvitation('Late', ['later'])
  const tap = await tapFor(holder, body)
  expect((await widen(admin)).status).toBe(200)
  expect(await addUser(holder, body, tap)).toMatchObject(refusedFor)
  expect(lastRefusal(admin.edge)).toBe('role_missing')
  await invite(admin, 'Eve', ['editor'])
})

test('who may only reset takes over nobody who administers', async () => {
  const { admin, holder } = await newHolder(roleOf('desk', rules(['user', 'update'])))
  expect((await put(admin, [roleOf('later', {})])).status).toBe(200)
  await newPerson(admin, 'Max', ['editor'])
  await newPerson(admin, 'Bob', ['later'])
  const { body } = await newReset('Max')
  expect(await askForTap(holder, body, 'userReset')).toMatchObject(refusedFor)
  expect(lastRefusal(admin.edge)).toBe('role_missing')
  await reset(holder, 'Bob')
  const late = await newReset('Bob')
  const tap = await tapFor(holder, late.body, holder, 'userReset')
  expect((await widen(admin)).status).toBe(200)
  expect(await resetWith(holder, late.body, tap)).toMatchObject(refusedFor)
  expect(lastRefusal(admin.edge)).toBe('role_missing')
  await reset(admin, 'Max')
})
