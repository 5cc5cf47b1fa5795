/** Why a session is allowed or refused: what the decision says, to whom, and what nobody may learn by asking. */
import { expect, test } from 'vitest'
import type { Json } from '../../../core/intent.ts'
import { newDeviceLogin } from '../../device-flow.ts'
import { newAdministrator, newLogin } from '../../edge.ts'
import { call } from '../../people.ts'
import { askFor, beginSession, newProxy, pgDocument, putDocuments, readerRole } from '../../proxies.ts'

const pg1 = { kind: 'db', name: 'pg-1' }
const reader = { db_user: 'reader', db_name: 'orders' }

/** Ada administers and reads pg-1. */
async function newWorld() {
  const { edge, visitor, passkey } = await newAdministrator()
  const { program, tokens } = await newLogin(edge, visitor, passkey)
  const token = tokens.access_token
  const admin = { visitor, passkey, program, token }
  await putDocuments(admin, pgDocument(), pgDocument('far', { labels: { env: 'prod' } }), readerRole())
  edge.store.raw.exec("insert into user_roles select id, 'db-reader' from users")
  const why = (body: Json) => program.call('POST', '/v1/why', token, { body })
  const demote = () => edge.store.raw.exec("delete from user_roles where role in ('editor', 'auditor')")
  return { edge, admin, program, token, why, demote }
}

test('allowed: by which rule, under which constraints, and the command; nothing is written', async () => {
  const { edge, why } = await newWorld()
  const count = () => edge.rows('select count(*) as n from audit')
  const before = count()
  const { status, json } = await why({ resource: pg1, principal: reader })
  expect(status).toBe(200)
  expect(json).toEqual({
    ...{ user: 'Ada', outcome: 'allow', told: 'Ada may open pg-1 (user reader, database orders).' },
    rules: [
      'access: allow.db_labels, allow.db_users, allow.db_names does not match',
      'auditor: allow.db_labels, allow.db_users, allow.db_names does not match',
      'db-reader: allows',
      'editor: allow.db_labels, allow.db_users, allow.db_names does not match',
    ],
    remedies: [
      {
        told: 'It wants a tap of a passkey, on a page that opens first.',
        command: 'sallyport db connect pg-1 --db-user=reader --db-name=orders',
      },
    ],
    constraints: {
      ...{ tap: true, max_ttl: 43_200, pin_source_ip: false, disconnect_expired_cert: false },
      ...{ strict_locks: false },
    },
  })
  expect(count()).toEqual(before)
})

test('refused: the same words as a session is refused with', async () => {
  const { edge, program, token, why, demote } = await newWorld()
  demote()
  const principal = { db_user: 'writer', db_name: 'orders' }
  const { json } = await why({ resource: pg1, principal })
  expect(json).toMatchObject({ outcome: 'refuse', because: 'not_allowed' })
  expect(json.rules).toContain('db-reader: allow.db_users does not match')
  const ask = { ...askFor(await newProxy(edge)), principal }
  const refused = await beginSession(program, token, ask)
  const [{ told, command }] = json.remedies
  expect(refused.json.message).toBe(`${json.told} ${told} Try: ${command}`)
})

test('without a principal: as whom which role reaches it, and what a role denies', async () => {
  const { admin, why } = await newWorld()
  const deny = { ...readerRole('no-admin'), spec: { options: {}, allow: {}, deny: { db_users: ['admin'] } } }
  await putDocuments(admin, deny as never)
  const { json } = await why({ resource: pg1 })
  expect(json).toMatchObject({
    outcome: 'reach',
    reach: [{ role: 'db-reader', effect: 'allow', lists: { db_users: ['reader'], db_names: ['orders'] } }],
  })
})

test('a lock is told, and to whoever may lift it with its command', async () => {
  const { admin, why, demote } = await newWorld()
  const lock = {
    kind: 'lock',
    version: 'v2',
    metadata: { name: 'busy' },
    spec: { target: { db: 'pg-1' }, message: 'Moving.' },
  }
  await putDocuments(admin, lock as never)
  const locked = { outcome: 'refuse', because: 'locked', told: 'This resource is locked: Moving.' }
  expect((await why({ resource: pg1, principal: reader })).json).toMatchObject({
    ...locked,
    rules: ['lock busy: in force'],
    remedies: [{ command: 'sallyport admin locks rm busy' }],
  })
  expect((await why({ resource: pg1 })).json).toMatchObject({ told: locked.told })
  demote()
  expect((await why({ resource: pg1, principal: reader })).json).toMatchObject({ ...locked, remedies: [] })
})

test('to whoever may read roles: which role would allow it', async () => {
  const { admin, why } = await newWorld()
  const writer = readerRole('db-writer') as { spec: { allow: object } }
  const allow = { ...writer.spec.allow, db_users: ['writer'] }
  await putDocuments(admin, { ...writer, spec: { ...writer.spec, allow } } as never)
  const { json } = await why({ resource: pg1, principal: { db_user: 'writer', db_name: 'orders' } })
  expect(json.remedies.at(-1)).toEqual({
    told: 'The role db-writer would allow it.',
    command: 'sallyport admin get role/db-writer',
  })
})

test('what no role reaches and what is not there are one answer, of why and of a session', async () => {
  const { edge, program, token, why, demote } = await newWorld()
  expect((await why({ resource: { kind: 'db', name: 'far' }, principal: reader })).json.outcome).toBe('refuse')
  demote()
  const proxy = await newProxy(edge)
  const answers = async (name: string, kind: 'db' | 'node' = 'db') => {
    const resource = { kind, name }
    const asked = [await why({ resource }), ...(kind === 'db' ? [await why({ resource, principal: reader })] : [])]
    const begun = kind === 'db' ? [await beginSession(program, token, askFor(proxy, name))] : []
    return [...asked, ...begun].map(({ status, json: { error, message } }) => ({ status, error, message }))
  }
  expect(await answers('far')).toEqual(await answers('none'))
  expect((await answers('far'))[0]).toMatchObject({ status: 404, error: 'resource_unknown' })
  // One of another kind: not that it is there as a database.
  expect(await answers('pg-1', 'node')).toEqual(await answers('none', 'node'))
})

test('about somebody else: by roles and traits, for who may read users and roles', async () => {
  const { edge, why } = await newWorld()
  edge.store.raw.exec(
    "insert into users (id, name, name_key, created_at, traits) values ('bob', 'Bob', 'bob', 0, '{\"db_users\":[\"bobby\"]}')",
  )
  edge.store.raw.exec("insert into user_roles values ('bob', 'access')")
  expect((await why({ resource: pg1, principal: reader, user: 'bob' })).json).toMatchObject({
    ...{ user: 'Bob', outcome: 'refuse', because: 'not_allowed' },
    remedies: [{}, { told: 'The role db-reader would allow it.' }],
  })
  edge.store.raw.exec("insert into user_roles values ('bob', 'db-reader')")
  expect((await why({ resource: pg1, principal: reader, user: 'bob' })).json).toMatchObject({
    user: 'Bob',
    outcome: 'allow',
  })
  expect(await why({ resource: pg1, principal: reader, user: 'nobody' })).toMatchObject({
    status: 404,
    json: { error: 'user_unknown' },
  })
})

test.each(['user', 'role'])(
  'about somebody else: refused without a rule to read a %s, and about oneself by name too',
  async (kind) => {
    const { edge, admin, why } = await newWorld()
    const both = ['user', 'role'].filter((one) => one !== kind)
    const half = {
      ...readerRole('half'),
      spec: { options: {}, allow: { rules: [{ resources: both, verbs: ['read'] }] }, deny: {} },
    }
    await putDocuments(admin, half as never)
    edge.store.raw.exec(
      "delete from user_roles where role = 'editor'; insert into user_roles select id, 'half' from users",
    )
    for (const user of ['Ada', 'nobody']) {
      expect(await why({ resource: pg1, user })).toMatchObject({
        status: 403,
        json: { error: 'forbidden', message: expect.stringContaining(`${kind}:read`) },
      })
    }
  },
)

test('a headless login asks about itself and about nobody else, and reads no events', async () => {
  const { ada, person, edge } = await newDeviceLogin()
  await putDocuments(ada, pgDocument())
  edge.store.raw.exec("insert into user_roles select id, 'editor' from users where name = 'Bob'")
  const ask = (body: Json) => call(person, 'POST', '/v1/why', body)
  expect(await ask({ resource: pg1, user: 'Ada' })).toMatchObject({ status: 403, json: { error: 'headless_login' } })
  // The rules of its roles let it read nothing, so that it is there is not told.
  expect(await ask({ resource: pg1 })).toMatchObject({ status: 404, json: { error: 'resource_unknown' } })
  expect((await call(person, 'GET', '/v1/why/events/1')).json.error).toBe('headless_login')
})

test.each([
  [{ resource: pg1, principal: { db_user: 'reader' } }, 'invalid_target'],
  [{ resource: { kind: 'role', name: 'x' } }, 'bad_request'],
] as const)('%j is refused', async (body, error) => {
  const { why } = await newWorld()
  expect(await why(body as unknown as Json)).toMatchObject({ status: 400, json: { error } })
})

test('an event: what was decided then, by its number and by the request that was refused', async () => {
  const { edge, program, token } = await newWorld()
  const ask = { ...askFor(await newProxy(edge)), principal: { db_user: 'writer', db_name: 'orders' } }
  const refused = await beginSession(program, token, ask)
  const { request_id: id, message } = refused.json
  const replay = (of: string) => program.call('GET', `/v1/why/events/${of}`, token)
  // What roles say by now changes nothing.
  edge.store.raw.exec("delete from documents where kind = 'role'")
  const { json } = await replay(id)
  expect(json.events).toEqual([
    {
      ...{ seq: expect.any(Number), at: expect.stringMatching(/Z$/), request_id: id, kind: 'session.approve' },
      ...{ outcome: 'refused', code: 'session_refused', user: 'Ada', resource: 'pg-1', because: 'not_allowed' },
      told: message,
      rules: expect.arrayContaining(['db-reader: allow.db_users does not match']),
    },
  ])
  expect((await replay(String(json.events[0].seq))).json).toEqual(json)
})

test('an event: whoever may not read the log sees what was decided on his sessions, and nothing of anybody else or of logins', async () => {
  const { edge, program, token, demote } = await newWorld()
  const ask = { ...askFor(await newProxy(edge)), principal: { db_user: 'writer', db_name: 'orders' } }
  const { request_id: own } = (await beginSession(program, token, ask)).json
  edge.store.raw.exec(
    "insert into audit (at, kind, outcome, code, user_id, request_id, address, place, browser) select 0, 'login', 'refused', 'code_wrong', id, 'login-1', '', '', '' from users",
  )
  edge.store.raw.exec(
    "insert into audit (at, kind, outcome, user_id, request_id, address, place, browser) values (0, 'session.grant', 'done', 'bob', 'bobs', '', '', '')",
  )
  const replay = (of: string) => program.call('GET', `/v1/why/events/${of}`, token)
  for (const id of [own, 'login-1', 'bobs']) expect((await replay(id)).status, id).toBe(200)
  expect((await replay('login-1')).json.events[0].told).toContain('That did not work.')
  demote()
  expect((await replay(own)).status).toBe(200)
  for (const id of ['login-1', 'bobs', 'none', '999999']) {
    expect(await replay(id), id).toMatchObject({ status: 404, json: { error: 'event_unknown' } })
  }
})
