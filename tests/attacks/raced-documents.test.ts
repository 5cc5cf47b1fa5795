import { expect, test } from 'vitest'
import { revisionOf } from '../../core/access/document.ts'
import type { Json } from '../../core/intent.ts'
import type { ClientSessionId, UserId } from '../../core/model.ts'
import { readPolicy } from '../core/access/reading.ts'
import { certificate } from '../core/access/samples.ts'
import { lastRefusal } from '../edge.ts'
import {
  addUser,
  askForTap,
  call,
  lockOf,
  newAdmin,
  newInvitation,
  newPerson,
  type Person,
  putDocuments,
  recentIsEnough,
  tapFor,
} from '../people.ts'
import { race, statuses } from '../race.ts'

const roleOf = (name: string, ttl = '8h') => ({
  kind: 'role',
  version: 'v7',
  metadata: { name },
  spec: { options: { max_session_ttl: ttl }, allow: {}, deny: {} },
})
const documentsOf = ({ edge }: Person) => edge.rows('select kind, name from documents order by kind, name')

test('50 who create one name at once: one does, and one audit row says so', async () => {
  const ada = await newAdmin(recentIsEnough)
  const replies = await race(50, (i) => putDocuments(ada, [roleOf('dev', `${i + 1}m`)]))
  expect(statuses(replies)).toEqual({ 200: 1, 409: 49 })
  expect(documentsOf(ada)).toEqual([{ kind: 'role', name: 'dev' }])
  expect(ada.edge.rows("select seq from audit where kind = 'document.put' and outcome = 'done'")).toHaveLength(1)
})

/** What a call's batch is given once the checks before it are passed. */
function actorOf({ edge }: Person) {
  const [row] = edge.rows('select id, user_id from client_sessions')
  const actor = {
    userId: row?.['user_id'] as UserId,
    sessionId: row?.['id'] as ClientSessionId,
    by: [{ name: 'editor', revision: undefined }],
  }
  const asking = { requestId: 'test', from: { address: '', place: '', browser: '' } }
  return { actor, event: { at: edge.ports.now(), kind: 'document.put', outcome: 'done', asking } as const }
}
const changeTo = (json: Json, expected?: string) => {
  const document = readPolicy(json)
  return { document, revision: revisionOf(document), expected }
}

test('a document that changed between reading and writing is not overwritten', async () => {
  const ada = await newAdmin()
  await putDocuments(ada, [roleOf('dev')])
  const seen = revisionOf(readPolicy(roleOf('dev')))
  await putDocuments(ada, [roleOf('dev', '4h')], true)
  const { actor, event } = actorOf(ada)
  for (const expected of [seen, undefined]) {
    const put = ada.edge.ports.documents.put(actor, [changeTo(roleOf('dev', '2h'), expected)], event)
    await expect(put).rejects.toMatchObject({ code: 'document_changed' })
  }
  expect(ada.edge.rows('select max_session_ttl from documents')).toEqual([{ max_session_ttl: 4 * 3_600_000 }])
})

const meanwhile = {
  role_missing: "delete from user_roles where role = 'editor'",
  token_invalid: 'update client_sessions set ended_at = 1',
}

test.each(Object.entries(meanwhile))(
  'whoever loses his right between check and write changes nothing: %s',
  async (code, sql) => {
    const ada = await newAdmin()
    const { actor, event } = actorOf(ada)
    ada.edge.store.raw.exec(sql)
    const { documents, users } = ada.edge.ports
    await expect(documents.put(actor, [changeTo(roleOf('dev'))], event)).rejects.toMatchObject({ code })
    await expect(documents.remove(actor, { kind: 'role', name: 'dev', expected: 'r' }, event)).rejects.toMatchObject({
      code,
    })
    await expect(users.remove(actor, { name: 'Bob' }, event, ['access.example.com'])).rejects.toMatchObject({ code })
    expect(documentsOf(ada)).toEqual([])
  },
)

test('all or none: one document that cannot be keeps out the others', async () => {
  const ada = await newAdmin()
  await putDocuments(ada, [roleOf('ops')])
  expect((await putDocuments(ada, [roleOf('dev'), roleOf('ops')])).status).toBe(409)
  expect((await putDocuments(ada, [roleOf('dev'), { ...roleOf('x'), kind: 'rule' }])).status).toBe(422)
  expect((await putDocuments(ada, [roleOf('dev'), roleOf('dev')])).status).toBe(422)
  expect(documentsOf(ada)).toEqual([{ kind: 'role', name: 'ops' }])
})

test('a role that somebody holds stays, also when giving and removing are raced', async () => {
  const ada = await newAdmin()
  const { edge } = ada
  await putDocuments(ada, [roleOf('dev'), roleOf('ops')])
  await newPerson(ada, 'Bob', ['dev'])
  expect(await call(ada, 'DELETE', '/v1/documents/role/dev')).toMatchObject({
    status: 409,
    json: { error: 'role_held' },
  })
  const { body } = await newInvitation('Carol', ['ops'])
  const tap = await tapFor(ada, body)
  const [given, removed] = await Promise.all([addUser(ada, body, tap), call(ada, 'DELETE', '/v1/documents/role/ops')])
  expect([given.status, removed.status].filter((status) => status === 200)).toHaveLength(1)
  const orphans = `select role from user_roles where role not in ('access', 'editor', 'auditor')
    and role not in (select name from documents where kind = 'role')`
  expect(edge.rows(orphans)).toEqual([])
  await call(ada, 'DELETE', '/v1/users/Bob')
  expect((await call(ada, 'DELETE', '/v1/documents/role/dev')).status).toBe(200)
})

test('nobody is invited with a role that is not there, nor with one that went between tap and request', async () => {
  const ada = await newAdmin(recentIsEnough)
  const { body } = await newInvitation('Bob', ['access', 'root'])
  const refused = { status: 422, json: { error: 'role_unknown' } }
  expect(await askForTap(ada, body)).toMatchObject(refused)
  const role = { kind: 'role', version: 'v7', metadata: { name: 'root' }, spec: {} }
  expect((await putDocuments(ada, [role])).status).toBe(200)
  const tap = await tapFor(ada, body)
  expect((await call(ada, 'DELETE', '/v1/documents/role/root')).status).toBe(200)
  expect(await addUser(ada, body, tap)).toMatchObject(refused)
  expect(ada.edge.rows('select name from users')).toEqual([{ name: 'Ada' }])
})

test.each(['access', 'editor', 'auditor'])('the preset %s can be neither replaced nor removed', async (name) => {
  const ada = await newAdmin()
  const put = await putDocuments(ada, [roleOf(name)], true)
  expect(put).toMatchObject({ status: 422, json: { error: 'document_invalid' } })
  expect(put.json.message).toContain('built in')
  expect((await call(ada, 'DELETE', `/v1/documents/role/${name}`)).status).toBe(409)
  expect(lastRefusal(ada.edge)).toBe('role_preset')
})

const invalid: Record<string, [document: Json, told: string]> = {
  'a field that nobody knows': [
    { ...roleOf('dev'), spec: { allow: { login: ['root'] } } },
    'documents[0].spec.allow.login',
  ],
  'a deny rule with a misspelt field': [
    { ...roleOf('dev'), spec: { deny: { db_name: ['x'] } } },
    'documents[0].spec.deny.db_name',
  ],
  'a pattern, which would match nothing': [
    { ...roleOf('dev'), spec: { deny: { db_names: ['^x'] } } },
    'documents[0].spec.deny.db_names',
  ],
  'another kind': [{ ...roleOf('dev'), kind: 'token' }, 'documents[0].kind'],
  'a version of the future': [{ ...roleOf('dev'), version: 'v99' }, 'documents[0].version'],
  'no name': [{ ...roleOf('dev'), metadata: {} }, 'documents[0].metadata.name'],
  'a name with a path in it': [{ ...roleOf('dev'), metadata: { name: '../x' } }, 'documents[0].metadata.name'],
  'a lock on a name that nobody can have': [
    { ...lockOf('\u202eadA'), metadata: { name: 'x' } },
    'documents[0].spec.target.user',
  ],
  'a lock with an end that is no day': [
    lockOf('Bob', { expires: '2030-02-30T00:00:00Z' }),
    'documents[0].spec.expires',
  ],
  'a text instead of a document': ['role', 'documents[0]: '],
}

test.each(Object.entries(invalid))('a document with %s is refused by its field', async (_, [document, told]) => {
  const ada = await newAdmin()
  const reply = await putDocuments(ada, [document])
  expect(reply).toMatchObject({ status: 422, json: { error: 'document_invalid' } })
  expect(reply.json.message).toContain(told)
  expect(documentsOf(ada)).toEqual([])
})

test('a hundred documents at once, and no more; 256 KiB, and no more', async () => {
  const ada = await newAdmin()
  const many = Array.from({ length: 101 }, (_, i) => lockOf(`User ${i}`)).map((one, i) => ({
    ...one,
    metadata: { name: `lock-${i}` },
  }))
  expect((await putDocuments(ada, many)).status).toBe(400)
  expect(documentsOf(ada)).toEqual([])
  expect((await putDocuments(ada, many.slice(1))).status).toBe(200)
  expect(documentsOf(ada)).toHaveLength(100)
  const large = lockOf('Bob', { message: 'x'.repeat(256 * 1024) })
  expect(await putDocuments(ada, [large])).toMatchObject({ status: 413, json: { error: 'body_too_large' } })
})

test('50 who create one database at once: one does', async () => {
  const ada = await newAdmin(recentIsEnough)
  const db = {
    kind: 'db',
    version: 'v3',
    metadata: { name: 'orders' },
    spec: { protocol: 'postgres', uri: 'db.example.com:5432', tls: { ca_cert: certificate } },
  }
  expect(statuses(await race(50, () => putDocuments(ada, [db])))).toEqual({ 200: 1, 409: 49 })
})

test('documents of one who is no editor change nothing, also with force', async () => {
  const ada = await newAdmin()
  const bob = await newPerson(ada, 'Bob', ['access', 'auditor'])
  expect((await putDocuments(bob, [roleOf('dev')], true)).status).toBe(403)
  expect(lastRefusal(ada.edge)).toBe('role_missing')
  expect(documentsOf(ada)).toEqual([])
})
