import { expect, test } from 'vitest'
import type { Json } from '../../core/intent.ts'
import { hours, seconds } from '../../core/model.ts'
import { thumbprintOf, type Vouch, vouchIsRight } from '../../core/vouch.ts'
import { newVouchKey } from '../client.ts'
import { lastRefusal, type TestEdge } from '../edge.ts'
import { acceptBody, addUser, askForTap, call, invite, newAdmin, newInvitation, newPerson, tapFor } from '../people.ts'
import { race, statuses } from '../race.ts'

async function invited() {
  const ada = await newAdmin()
  const { edge } = ada
  const bob = await invite(ada, 'Bob')
  const finish = (body: Awaited<ReturnType<typeof acceptBody>>, by: ReturnType<TestEdge['visitor']>) =>
    by.post('/v1/invites/finish', body)
  const accepted = async (visitor = edge.visitor()) => acceptBody(visitor, await edge.authenticator(), bob)
  return { edge, ada, bob, finish, accepted }
}
const passkeys = (edge: TestEdge) => edge.rows('select id from credentials').length

test('an invite works once', async () => {
  const { edge, bob, finish, accepted } = await invited()
  const visitor = edge.visitor()
  const [body, late] = [await accepted(visitor), await accepted(visitor)]
  expect((await finish(body, visitor)).status).toBe(200)
  for (const again of [body, late]) {
    expect(await finish(again, visitor)).toMatchObject({ status: 410, json: { error: 'link_invalid' } })
    expect(lastRefusal(edge)).toBe('link_invalid')
  }
  for (const step of ['check', 'begin']) {
    expect((await edge.visitor().post(`/v1/invites/${step}`, { invite: bob.id })).status).toBe(410)
  }
  expect(passkeys(edge)).toBe(2)
})

test('50 people with one link at once: one passkey, one session', async () => {
  const { edge, finish, accepted } = await invited()
  const before = edge.rows('select id from sessions').length
  const answers = await race(50, async () => {
    const visitor = edge.visitor()
    return { visitor, body: await accepted(visitor) }
  })
  const replies = await race(50, (i) => {
    const { body, visitor } = answers[i]!
    return finish(body, visitor)
  })
  expect(statuses(replies)).toEqual({ 200: 1, 410: 49 })
  expect(passkeys(edge)).toBe(2)
  expect(edge.rows('select id from sessions')).toHaveLength(before + 1)
})

test('an invite ends after an hour', async () => {
  const { edge, finish, accepted } = await invited()
  const visitor = edge.visitor()
  edge.advance(hours(1) - seconds(1))
  const body = await accepted(visitor)
  edge.advance(seconds(1))
  expect((await finish(body, visitor)).status).toBe(410)
  expect(passkeys(edge)).toBe(1)
})

test.each([59, 172_801, -1, 0])('no invite lives for %i seconds', async (ttl) => {
  const ada = await newAdmin()
  const { body } = await newInvitation('Bob', [], { ttl })
  expect(await askForTap(ada, body)).toMatchObject({ status: 422, json: { error: 'invite_ttl' } })
  expect(lastRefusal(ada.edge)).toBe('invite_ttl')
})

test.each(['', 'x', 'A'.repeat(43), "' or 1=1 --"])('the invite %j is none', async (id) => {
  const { edge, bob, accepted, finish } = await invited()
  for (const step of ['check', 'begin'])
    expect((await edge.visitor().post(`/v1/invites/${step}`, { invite: id })).status).toBe(410)
  const visitor = edge.visitor()
  expect((await finish({ ...(await accepted(visitor)), invite: id }, visitor)).status).toBe(410)
  expect((await edge.visitor().post('/v1/invites/check', { invite: bob.id })).status).toBe(200)
})

test('without the private half of the link nobody registers, though he knows the invite, its key and the tap', async () => {
  const { edge, ada, bob } = await invited()
  const [visitor, passkey] = [edge.visitor(), await edge.authenticator()]
  for (const signing of [await newVouchKey(), (await invite(ada, 'Carol')).key]) {
    const body = await acceptBody(visitor, passkey, bob, signing)
    expect(await visitor.post('/v1/invites/finish', body)).toMatchObject({ status: 401, json: { error: 'refused' } })
    expect(lastRefusal(edge)).toBe('vouch_wrong')
  }
  expect(passkeys(edge)).toBe(1)
})

test('the whole database holds nothing that registers somebody', async () => {
  const { edge, bob } = await invited()
  const tables = edge.rows("select name from sqlite_master where type = 'table'").map(({ name }) => String(name))
  const everything = JSON.stringify(tables.map((table) => edge.rows(`select * from "${table}"`)))
  expect(everything).toContain(bob.key.vouch_key.x)
  // Every text of 86 letters, which is what a signature is, tried as one.
  const signatures = new Set(everything.match(/[\w-]{86}/g))
  const [visitor, passkey] = [edge.visitor(), await edge.authenticator()]
  for (const signature of [...signatures, '', 'A'.repeat(86)]) {
    const body = { ...(await acceptBody(visitor, passkey, bob)), signature }
    expect((await visitor.post('/v1/invites/finish', body)).status).toBe(401)
    expect(lastRefusal(edge)).toBe('vouch_wrong')
  }
  expect(passkeys(edge)).toBe(1)
})

test('a signature for one passkey lets in no other', async () => {
  const { edge, accepted, finish } = await invited()
  const visitor = edge.visitor()
  const [owners, thieves] = [await accepted(visitor), await accepted(visitor)]
  expect((await finish({ ...thieves, signature: owners.signature }, visitor)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('vouch_wrong')
  expect((await finish({ ...owners, registration: thieves.registration }, visitor)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('registration_wrong')
  expect((await finish(owners, visitor)).status).toBe(200)
})

test('a ticket of another browser, or of another invite, registers nobody', async () => {
  const { edge, ada, accepted, finish } = await invited()
  const visitor = edge.visitor()
  const body = await accepted(visitor)
  for (const thief of [edge.visitor(), await other(edge)]) {
    expect((await finish(body, thief)).status).toBe(401)
    expect(lastRefusal(edge)).toBe('wrong_holder')
  }
  const carols = await acceptBody(visitor, await edge.authenticator(), await invite(ada, 'Carol'))
  expect((await finish({ ...body, ticket: carols.ticket }, visitor)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_user')
  expect(passkeys(edge)).toBe(1)
})

async function other(edge: TestEdge) {
  const visitor = edge.visitor()
  await visitor.post('/v1/login/begin', {})
  return visitor
}

/** Who can write the database, and knows the private half of some invite: he was invited himself. */
type Swap = (edge: TestEdge, rows: { readonly bob: string; readonly carol: string }) => void
const column =
  (name: string): Swap =>
  (edge, { bob, carol }) =>
    edge.store.raw
      .prepare(`update invites set ${name} = (select ${name} from invites where id = ?) where id = ?`)
      .run(carol, bob)

const swaps: Record<string, { swap: Swap; why: string }> = {
  'the request of another': { swap: column('request'), why: 'request' },
  'the tap of another': { swap: column('tap'), why: 'request' },
  'request and tap of another': {
    swap: (...rows) => [column('request'), column('tap')].forEach((swap) => void swap(...rows)),
    why: 'key',
  },
  'the key of another': { swap: column('key'), why: 'key' },
  'more roles in its request': {
    swap: (edge) => edge.store.raw.exec(`update invites set request = json_set(request, '$.roles[0]', 'editor')`),
    why: 'request',
  },
  'an administrator as its user': {
    swap: (edge) => edge.store.raw.exec(`update invites set user_id = (select id from users where name = 'Ada')`),
    why: 'user',
  },
}

test.each(Object.entries(swaps))('an invite whose row was given %s registers nobody', async (_, { swap, why }) => {
  const { edge, ada, bob, accepted, finish } = await invited()
  const carol = await invite(ada, 'Carol', ['auditor'])
  swap(edge, { bob: bob.id, carol: carol.id })
  const visitor = edge.visitor()
  expect((await finish(await accepted(visitor), visitor)).status).toBe(401)
  expect(edge.rows("select code, json_extract(detail, '$.why') as why from audit order by seq desc limit 1")).toEqual([
    { code: 'vouch_wrong', why },
  ])
  expect(passkeys(edge)).toBe(1)
})

test('the invite of a user who was removed is dead, also when his name is taken again', async () => {
  const { edge, ada, bob, finish, accepted } = await invited()
  const visitor = edge.visitor()
  const body = await accepted(visitor)
  expect((await call(ada, 'DELETE', '/v1/users/Bob')).status).toBe(200)
  expect((await finish(body, visitor)).status).toBe(410)
  await invite(ada, 'Bob')
  expect((await finish(body, visitor)).status).toBe(410)
  expect((await edge.visitor().post('/v1/invites/check', { invite: bob.id })).status).toBe(410)
})

test('a key of one invite makes no second one', async () => {
  const ada = await newAdmin()
  const { key, body } = await newInvitation('Bob')
  expect((await addUser(ada, body, await tapFor(ada, body))).status).toBe(200)
  const second = { ...body, name: 'Eve', invite_key: { ...key.vouch_key } }
  expect((await addUser(ada, second, await tapFor(ada, second))).status).toBe(401)
  expect(ada.edge.rows('select id from users')).toHaveLength(2)
})

test('the stored vouch verifies again from its row alone, and lets in nobody else', async () => {
  const ada = await newAdmin()
  const { edge } = ada
  await newPerson(ada, '  Bob ')
  const [row] = edge.rows('select user_id, id, fingerprint, vouch, may_vouch from credentials where vouch is not null')
  const { key, signature, tap, request } = JSON.parse(String(row?.['vouch'])) as Vouch & { request: Json }
  const named = (request as { invite_key: Vouch['key'] }).invite_key
  expect(thumbprintOf(named)).toBe(thumbprintOf(key))
  const subject = {
    user: String(row?.['user_id']),
    credential_id: String(row?.['id']),
    public_key_hash: String(row?.['fingerprint']),
    may_vouch: false,
  }
  expect(await vouchIsRight(key, signature, tap.intent, subject)).toBe(true)
  for (const wrong of [{ may_vouch: true }, { user: 'another' }, { public_key_hash: 'A'.repeat(43) }])
    expect(await vouchIsRight(key, signature, tap.intent, { ...subject, ...wrong })).toBe(false)
  expect(row?.['may_vouch']).toBe(0)
})
