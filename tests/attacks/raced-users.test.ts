/** Several at one user: what was read must still be so when it is written, and whoever comes too late is told. */
import { expect, test } from 'vitest'
import type { Json } from '../../core/intent.ts'
import { lastRefusal } from '../edge.ts'
import {
  addUser,
  askForTapOf,
  call,
  callOnce,
  entrust,
  invite,
  newAdmin,
  newInvitation,
  newPerson,
  type Person,
  putDocuments,
  recentIsEnough,
  recover,
  tapFor,
  tapOn,
  userOf,
} from '../people.ts'
import { race, statuses } from '../race.ts'

const roleOf = (name: string, allow: Json = {}): Json => ({
  kind: 'role',
  version: 'v7',
  metadata: { name },
  spec: { allow },
})
const administrative = { rules: [{ resources: ['lock'], verbs: ['create'] }] }

const changed = { status: 409, json: { error: 'document_changed' } }

const rolesOf = ({ edge }: Person, name: string) =>
  edge
    .rows(
      `select role from user_roles inner join users on id = user_id where name = '${name}' and removed_at is null order by role`,
    )
    .map(({ role }) => role)

/** A request with its tap, to be sent later. */
async function tapped(person: Person, body: Json) {
  const asked = await askForTapOf(person, 'documentsPut', '/v1/documents', body)
  if (asked.status !== 200) throw new Error(`the ticket was answered ${asked.status}: ${asked.text}`)
  const tap = await tapOn(person, asked.json.ticket)
  return () => callOnce(person, 'POST', '/v1/documents', body, tap)
}

const revisionOf = async (person: Person, name: string) =>
  (await call(person, 'GET', `/v1/documents?kind=user&name=${name}`)).json.documents[0].revision as string

test('of two administrators who edit one user at once exactly one wins, and the other is told, 20 times', async () => {
  await race(20, async () => {
    const ada = await newAdmin()
    const grace = await recover(ada.edge, 'Grace')
    await invite(ada, 'Bob', ['access'])
    const replaces = await revisionOf(ada, 'Bob')
    const edits = await Promise.all([
      tapped(ada, { documents: [userOf('Bob', { roles: ['access', 'auditor'] })], replaces }),
      tapped(grace, { documents: [userOf('Bob', { roles: ['access'], traits: { logins: ['bob'] } })], replaces }),
    ])
    const replies = await Promise.all(edits.map((send) => send()))
    expect(statuses(replies)).toEqual({ 200: 1, 409: 1 })
    expect(replies.find(({ status }) => status === 409)).toMatchObject(changed)
    const [{ traits } = {}] = ada.edge.rows("select traits from users where name = 'Bob'")
    const byAda = replies[0]?.status === 200
    expect([rolesOf(ada, 'Bob'), traits]).toEqual(
      byAda ? [['access', 'auditor'], null] : [['access'], '{"logins":["bob"]}'],
    )
  })
})

test('a tap for what somebody held before changes nothing, also with force', async () => {
  const ada = await newAdmin()
  await invite(ada, 'Bob', ['access'])
  const late = await tapped(ada, { documents: [userOf('Bob', { traits: { logins: ['bob'] } })], force: true })
  expect((await putDocuments(ada, [userOf('Bob', { roles: ['access', 'auditor'] })], true)).status).toBe(200)
  expect(await late()).toMatchObject(changed)
  expect(rolesOf(ada, 'Bob')).toEqual(['access', 'auditor'])
})

test('who came under the same name in between is another, also with the same roles', async () => {
  const ada = await newAdmin()
  await invite(ada, 'Bob', ['access'])
  const replaces = await revisionOf(ada, 'Bob')
  const wider = userOf('Bob', { roles: ['access', 'auditor'] })
  const late = await tapped(ada, { documents: [wider], force: true })
  expect((await call(ada, 'DELETE', '/v1/documents/user/Bob')).status).toBe(200)
  await invite(ada, 'Bob', ['access'])
  expect(await late()).toMatchObject(changed)
  expect(await call(ada, 'POST', '/v1/documents', { documents: [wider], replaces })).toMatchObject(changed)
  expect(rolesOf(ada, 'Bob')).toEqual(['access'])
})

test('50 who create one user at once: one does', async () => {
  const ada = await newAdmin(recentIsEnough)
  const replies = await race(50, (i) => putDocuments(ada, [userOf('Bob', { traits: { logins: [`bob-${i}`] } })]))
  expect(statuses(replies)).toEqual({ 200: 1, 409: 49 })
  expect(ada.edge.rows("select id from users where name = 'Bob'")).toHaveLength(1)
})

test('one is invited and written down at once: one is there, 20 times', async () => {
  await race(20, async () => {
    const ada = await newAdmin()
    const { body } = await newInvitation('Bob', ['access'])
    const tap = await tapFor(ada, body)
    const put = await tapped(ada, { documents: [userOf('bob', { roles: ['auditor'] })] })
    const replies = await Promise.all([addUser(ada, body, tap), put()])
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 409])
    expect(ada.edge.rows("select id from users where name_key = 'bob'")).toHaveLength(1)
  })
})

test('a role that goes while it is given: one of both is refused, 20 times', async () => {
  await race(20, async () => {
    const ada = await newAdmin(recentIsEnough)
    await putDocuments(ada, [roleOf('dev'), userOf('Bob')])
    const [given, removed] = await Promise.all([
      putDocuments(ada, [userOf('Bob', { roles: ['dev'] })], true),
      call(ada, 'DELETE', '/v1/documents/role/dev'),
    ])
    expect([given.status, removed.status].filter((status) => status === 200)).toHaveLength(1)
    expect(rolesOf(ada, 'Bob')).toEqual(given.status === 200 ? ['dev'] : [])
  })
})

test('a role that is not there is refused by name; one of the same file is there', async () => {
  const ada = await newAdmin()
  const eve = userOf('Eve', { roles: ['access', 'gone'] })
  expect(await putDocuments(ada, [eve])).toMatchObject({
    status: 422,
    json: { error: 'role_unknown', message: expect.stringContaining('There is no role "gone", which Eve is to hold.') },
  })
  expect((await putDocuments(ada, [eve, roleOf('gone')])).status).toBe(200)
  expect(rolesOf(ada, 'Eve')).toEqual(['access', 'gone'])
})

/** Somebody who may write users and no roles. */
async function newDesk() {
  const ada = await newAdmin()
  const desk = { rules: [{ resources: ['user'], verbs: ['*'] }] }
  await putDocuments(ada, [roleOf('desk', desk), roleOf('later'), roleOf('wide', administrative), userOf('Bob')])
  const lea = await newPerson(ada, 'Lea', ['desk'])
  entrust(lea)
  return { ada, lea }
}

const missing = { status: 403, json: { error: 'forbidden' } }

test('who may write users and no roles hands no administrative right on, takes none away, and makes no editor of a puppet', async () => {
  const { ada, lea } = await newDesk()
  await invite(ada, 'Max', ['editor'])
  for (const document of [
    userOf('Puppet', { roles: ['editor'] }),
    userOf('Bob', { roles: ['wide'] }),
    userOf('Max', { roles: ['access'] }),
  ]) {
    expect(await putDocuments(lea, [document], true)).toMatchObject(missing)
    expect(lastRefusal(ada.edge)).toBe('role_missing')
  }
  expect(
    (await putDocuments(lea, [userOf('Max', { roles: ['editor'], traits: { logins: ['max'] } })], true)).status,
  ).toBe(200)
  expect((await putDocuments(lea, [userOf('Bob', { roles: ['later'] }), userOf('Plain', {})], true)).status).toBe(200)
  expect(rolesOf(ada, 'Max')).toEqual(['editor'])
})

test('nor a role that denies what another allows: without it somebody could do more', async () => {
  const { ada, lea } = await newDesk()
  const never: Json = { kind: 'role', version: 'v7', metadata: { name: 'never' }, spec: { deny: administrative } }
  await putDocuments(ada, [never, userOf('Max', { roles: ['never', 'wide'] })])
  expect(await putDocuments(lea, [userOf('Max', { roles: ['wide'] })], true)).toMatchObject(missing)
})

test('a role that gets rules between tap and request is not handed on by it', async () => {
  const { ada, lea } = await newDesk()
  const late = await tapped(lea, { documents: [userOf('Bob', { roles: ['later'] })], force: true })
  expect((await putDocuments(ada, [roleOf('later', administrative)], true)).status).toBe(200)
  expect(await late()).toMatchObject(missing)
  expect(rolesOf(ada, 'Bob')).toEqual([])
})

test('a file that gives rules to a role gives them to nobody whom its writer could not give them to', async () => {
  const { ada, lea } = await newDesk()
  const roles = { rules: [{ resources: ['role'], verbs: ['create'] }] }
  expect(
    (await putDocuments(ada, [roleOf('maker', roles), userOf('Lea', { roles: ['desk', 'maker'] })], true)).status,
  ).toBe(200)
  expect(
    await putDocuments(lea, [roleOf('mine', administrative), userOf('Bob', { roles: ['mine'] })], true),
  ).toMatchObject(missing)
  expect((await putDocuments(lea, [roleOf('mine'), userOf('Bob', { roles: ['mine'] })], true)).status).toBe(200)
})

test('who may read no users sees none among documents, and who may write none writes none', async () => {
  const ada = await newAdmin()
  const roles = { rules: [{ resources: ['role'], verbs: ['*'] }] }
  await putDocuments(ada, [roleOf('roles', roles)])
  const lea = await newPerson(ada, 'Lea', ['roles'])
  entrust(lea)
  const kinds = (await call(lea, 'GET', '/v1/documents')).json.documents.map(
    ({ document }: { document: { kind: string } }) => document.kind,
  )
  expect(new Set(kinds)).toEqual(new Set(['role']))
  expect((await call(lea, 'GET', '/v1/documents?kind=user')).status).toBe(403)
  expect(await putDocuments(lea, [userOf('Bob')])).toMatchObject(missing)
  expect(await call(lea, 'DELETE', '/v1/documents/user/Ada')).toMatchObject(missing)
  expect(lastRefusal(ada.edge)).toBe('role_missing')
})

test('two administrators who take the editor from each other at once: one stays, 20 times', async () => {
  await race(20, async () => {
    const ada = await newAdmin()
    const grace = await recover(ada.edge, 'Grace')
    const sends = await Promise.all([
      tapped(ada, { documents: [userOf('Grace', { roles: ['access'] })], force: true }),
      tapped(grace, { documents: [userOf('Ada', { roles: ['access'] })], force: true }),
    ])
    const replies = await Promise.all(sends.map((send) => send()))
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(ada.edge.rows("select user_id from user_roles where role = 'editor'")).toHaveLength(1)
  })
})

test('the last editor whose passkey may vouch stays one: another takes it from nobody', async () => {
  const ada = await newAdmin(recentIsEnough)
  const bob = await newPerson(ada, 'Bob', ['editor'])
  const lea = await newPerson(ada, 'Lea', ['access'])
  // A passkey that may vouch, of somebody who gives no roles, is no administrator's.
  entrust(lea)
  const demoted = userOf('Ada', { roles: ['access'] })
  expect(await putDocuments(bob, [demoted], true)).toMatchObject({ status: 409, json: { error: 'last_vouching' } })
  expect(lastRefusal(ada.edge)).toBe('last_vouching')
  // She may have less, and traits.
  expect(
    (await putDocuments(bob, [userOf('Ada', { roles: ['editor'], traits: { logins: ['ada'] } })], true)).status,
  ).toBe(200)
  // Whoever takes her place may do it in the same file.
  expect((await putDocuments(bob, [demoted, userOf('Lea', { roles: ['editor'] })], true)).status).toBe(200)
  expect(rolesOf(ada, 'Ada')).toEqual(['access'])
  // One whose passkey vouches for nothing may go.
  expect((await putDocuments(lea, [userOf('Bob', { roles: [] })], true)).status).toBe(200)
})
