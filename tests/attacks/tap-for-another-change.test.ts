/** A tap approves one request of one moment: another body, path, query, state of what is there, or key is another request. */
import { expect, test } from 'vitest'
import type { OperationName } from '../../core/api/operations.ts'
import { challengeOf, type Json } from '../../core/intent.ts'
import { base64url } from '../../core/lib/bytes.ts'
import { intentIn } from '../client.ts'
import { lastRefusal } from '../edge.ts'
import {
  askForTapOf,
  callOnce,
  entrust,
  lockOf,
  newAdmin,
  newPerson,
  type Person,
  putDocuments,
  tapHeaderOf,
  tapOn,
} from '../people.ts'
import { race, statuses } from '../race.ts'

const roleOf = (name: string, ttl = '1h'): Json => ({
  kind: 'role',
  version: 'v7',
  metadata: { name },
  spec: { options: { max_session_ttl: ttl } },
})
const putting = (...documents: Json[]): Json => ({ documents, force: true })
const put = (person: Person, body: Json, tap?: string) => callOnce(person, 'POST', '/v1/documents', body, tap)
const remove = (person: Person, path: string, tap?: string) => callOnce(person, 'DELETE', path, undefined, tap)

async function tapOf(person: Person, operation: OperationName, target: string, body?: Json): Promise<string> {
  const { status, text, json } = await askForTapOf(person, operation, target, body)
  if (status !== 200) throw new Error(`taps answered ${status}: ${text}`)
  return tapOn(person, json.ticket)
}

const ttls = ({ edge }: Person) =>
  edge.rows('select name, max_session_ttl / 60000 as minutes from documents order by name')

test('without a tap nothing is changed, and the answer says what to ask for', async () => {
  const ada = await newAdmin()
  expect(await put(ada, putting(roleOf('dev')))).toMatchObject({
    status: 403,
    json: { error: 'tap_required', operation: 'documentsPut' },
  })
  expect(lastRefusal(ada.edge)).toBe('tap_missing')
  expect(ttls(ada)).toEqual([])
})

test('another body: nothing of it comes in', async () => {
  const ada = await newAdmin()
  const tap = await tapOf(ada, 'documentsPut', '/v1/documents', putting(roleOf('dev')))
  for (const body of [
    putting(roleOf('dev', '2h')),
    putting(roleOf('dev'), roleOf('ops')),
    putting(roleOf('ops')),
    { documents: [roleOf('dev')], force: false },
    { ...(putting(roleOf('dev')) as object), more: 1 },
  ]) {
    expect((await put(ada, body, tap)).status).toBe(401)
    expect(lastRefusal(ada.edge)).toBe('wrong_subject')
  }
  expect(ttls(ada)).toEqual([])
  expect((await put(ada, putting(roleOf('dev')), tap)).status).toBe(200)
})

test('another path, another query', async () => {
  const ada = await newAdmin()
  await putDocuments(ada, [roleOf('dev'), roleOf('ops')])
  const tap = await tapOf(ada, 'documentRemove', '/v1/documents/role/dev')
  for (const path of ['/v1/documents/role/ops', '/v1/documents/role/dev?force=true', '/v1/users/dev']) {
    expect((await remove(ada, path, tap)).status).toBe(401)
    expect(lastRefusal(ada.edge)).toBe('wrong_subject')
  }
  expect(ttls(ada)).toHaveLength(2)
  expect((await remove(ada, '/v1/documents/role/dev', tap)).status).toBe(200)
  // What is refused there stands before the tap: nobody is told that it is gone by a tap.
  const forced = await tapOf(ada, 'documentRemove', '/v1/documents/role/ops?force=true')
  expect((await remove(ada, '/v1/documents/role/ops', forced)).status).toBe(401)
  expect((await remove(ada, '/v1/documents/role/ops?force=true', forced)).status).toBe(200)
})

test('another state: two administrators edit one role at once, and the second hears of it', async () => {
  const ada = await newAdmin()
  await putDocuments(ada, [roleOf('dev', '1h')])
  const [first, second] = [putting(roleOf('dev', '2h')), putting(roleOf('dev', '3h'))]
  const taps = [
    await tapOf(ada, 'documentsPut', '/v1/documents', first),
    await tapOf(ada, 'documentsPut', '/v1/documents', second),
  ]
  expect((await put(ada, first, taps[0])).status).toBe(200)
  expect(await put(ada, second, taps[1])).toMatchObject({ status: 409, json: { error: 'document_changed' } })
  expect(ttls(ada)).toEqual([{ name: 'dev', minutes: 120 }])
  // Nor when it is as it was, and the role was made anew.
  await putDocuments(ada, [roleOf('dev', '1h')], true)
  const removal = await tapOf(ada, 'documentRemove', '/v1/documents/role/dev')
  await putDocuments(ada, [roleOf('dev', '4h')], true)
  expect(await remove(ada, '/v1/documents/role/dev', removal)).toMatchObject({ status: 409 })
  expect(ttls(ada)).toEqual([{ name: 'dev', minutes: 240 }])
})

test('a tap to create a role does not replace one that came meanwhile', async () => {
  const ada = await newAdmin()
  const body = putting(roleOf('dev'))
  const tap = await tapOf(ada, 'documentsPut', '/v1/documents', body)
  await putDocuments(ada, [roleOf('dev', '5h')])
  expect(await put(ada, body, tap)).toMatchObject({ status: 409, json: { error: 'document_changed' } })
  expect(ttls(ada)).toEqual([{ name: 'dev', minutes: 300 }])
})

test('a second use, and 50 at once: one put, one audit row, one tap kept', async () => {
  const ada = await newAdmin()
  const body = putting(roleOf('dev'))
  const tap = await tapOf(ada, 'documentsPut', '/v1/documents', body)
  const replies = await race(50, () => put(ada, body, tap))
  // Who reads after the first is done finds everything as it wants it.
  const { 200: done = 0, 401: spent = 0, 409: late = 0 } = statuses(replies)
  expect(done + spent + late).toBe(50)
  expect(ada.edge.rows("select seq from audit where kind = 'document.put' and outcome = 'done'")).toHaveLength(1)
  expect(ada.edge.rows('select intent_id from approvals')).toHaveLength(1)
  const rotation = await tapOf(ada, 'keysRotate', '/v1/keys/rotate', {})
  expect((await callOnce(ada, 'POST', '/v1/keys/rotate', {}, rotation)).status).toBe(200)
  expect((await callOnce(ada, 'POST', '/v1/keys/rotate', {}, rotation)).status).not.toBe(200)
})

test('another key: of another user, and one that may not vouch where that is wanted', async () => {
  const ada = await newAdmin()
  const bob = await newPerson(ada, 'Bob', ['editor'])
  const body = putting(roleOf('dev'))
  expect(await askForTapOf(bob, 'documentsPut', '/v1/documents', body)).toMatchObject({
    status: 403,
    json: { error: 'tap_impossible', message: expect.stringContaining('admin passkeys entrust') },
  })
  entrust(bob)
  const { ticket } = (await askForTapOf(bob, 'documentsPut', '/v1/documents', body)).json
  entrust(bob, false)
  const sign = async ({ passkey }: Person) =>
    tapHeaderOf(ticket, (await passkey.get({ challenge: base64url(challengeOf(intentIn(ticket))) })) as never)
  expect((await put(bob, body, await sign(bob))).status).toBe(401)
  expect(lastRefusal(ada.edge)).toBe('credential_changed')
  expect((await put(bob, body, await sign(ada))).status).toBe(401)
  expect(lastRefusal(ada.edge)).toBe('wrong_user')
  expect(ttls(ada)).toEqual([])
})

test('whoever may administer locks with any passkey, and only that: nothing is replaced, nothing else comes along', async () => {
  const ada = await newAdmin()
  const [bob] = [await newPerson(ada, 'Bob', ['editor']), await newPerson(ada, 'Eve')]
  const lock = { ...lockOf('Eve'), metadata: { name: 'eve' } }
  const body = putting(lock)
  expect((await put(bob, body, await tapOf(bob, 'documentsPut', '/v1/documents', body))).status).toBe(200)
  for (const documents of [
    [{ ...lock, spec: { ...lock.spec, expires: '2027-01-16T00:00:00Z' } }],
    [{ ...lock, metadata: { name: 'eve-2' } }, roleOf('dev')],
  ])
    expect((await askForTapOf(bob, 'documentsPut', '/v1/documents', putting(...documents))).status).toBe(403)
  expect((await askForTapOf(bob, 'documentRemove', '/v1/documents/lock/eve')).status).toBe(403)
})

test('the tap of a removal is for the very user, not for a namesake who came since', async () => {
  const ada = await newAdmin()
  await newPerson(ada, 'Bob')
  const tap = await tapOf(ada, 'userRemove', '/v1/users/Bob')
  ada.edge.store.raw.exec("update users set name = 'Robert', name_key = 'robert' where name = 'Bob'")
  ada.edge.store.raw.exec("insert into users (id, name, name_key, created_at) values ('another', 'Bob', 'bob', 0)")
  expect((await remove(ada, '/v1/users/Bob', tap)).status).toBe(404)
  expect(ada.edge.rows('select name from users where removed_at is null order by name')).toHaveLength(3)
})
