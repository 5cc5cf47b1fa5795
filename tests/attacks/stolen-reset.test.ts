import { expect, test } from 'vitest'
import { hours, seconds } from '../../core/model.ts'
import { newVouchKey } from '../client.ts'
import { lastRefusal, type TestEdge } from '../edge.ts'
import { acceptBody, askForTap, call, invite, newAdmin, newPerson, newReset, reset } from '../people.ts'
import { race, statuses } from '../race.ts'

async function resetBob() {
  const ada = await newAdmin()
  const { edge } = ada
  const bob = await newPerson(ada, 'Bob')
  const link = await reset(ada, 'Bob')
  const finish = (body: Awaited<ReturnType<typeof acceptBody>>, by: ReturnType<TestEdge['visitor']>) =>
    by.post('/v1/invites/finish', body)
  const accepted = async (visitor = edge.visitor()) => acceptBody(visitor, await edge.authenticator(), link)
  return { edge, ada, bob, link, finish, accepted }
}
const passkeys = (edge: TestEdge) => edge.rows('select id from credentials where removed_at is null').length

test('the link of a reset works once', async () => {
  const { edge, link, finish, accepted } = await resetBob()
  const visitor = edge.visitor()
  const [body, late] = [await accepted(visitor), await accepted(visitor)]
  expect((await finish(body, visitor)).status).toBe(200)
  for (const again of [body, late]) {
    expect(await finish(again, visitor)).toMatchObject({ status: 410, json: { error: 'link_invalid' } })
    expect(lastRefusal(edge)).toBe('link_invalid')
  }
  for (const step of ['check', 'begin'])
    expect((await edge.visitor().post(`/v1/invites/${step}`, { invite: link.id })).status).toBe(410)
  expect(passkeys(edge)).toBe(2)
})

test('50 people with one link at once: one passkey', async () => {
  const { edge, finish, accepted } = await resetBob()
  const answers = await race(50, async () => {
    const visitor = edge.visitor()
    return { visitor, body: await accepted(visitor) }
  })
  const replies = await race(50, (i) => finish(answers[i]!.body, answers[i]!.visitor))
  expect(statuses(replies)).toEqual({ 200: 1, 410: 49 })
  expect(passkeys(edge)).toBe(2)
})

test('it ends after eight hours, or when a newer one is made', async () => {
  const { edge, ada, finish, accepted } = await resetBob()
  const visitor = edge.visitor()
  edge.advance(hours(8) - seconds(1))
  const body = await accepted(visitor)
  edge.advance(seconds(1))
  expect((await finish(body, visitor)).status).toBe(410)
  const again = await newAdmin()
  await newPerson(again, 'Bob')
  const older = await reset(again, 'Bob')
  await reset(again, 'Bob')
  expect((await again.edge.visitor().post('/v1/invites/check', { invite: older.id })).status).toBe(410)
  expect(ada.edge).toBe(edge)
})

test.each([59, 86_401, -1, 0])(
  'no link of a reset lives for %i seconds, and nobody is asked to tap for one',
  async (ttl) => {
    const ada = await newAdmin()
    await newPerson(ada, 'Bob')
    const { body } = await newReset('Bob', { ttl })
    expect(await askForTap(ada, body, 'userReset')).toMatchObject({ status: 422, json: { error: 'reset_ttl' } })
  },
)

test('without the private half nobody registers, though he has read the whole database', async () => {
  const { edge, ada, link } = await resetBob()
  const [visitor, passkey] = [edge.visitor(), await edge.authenticator()]
  for (const signing of [await newVouchKey(), (await invite(ada, 'Carol')).key]) {
    const body = await acceptBody(visitor, passkey, link, signing)
    expect(await visitor.post('/v1/invites/finish', body)).toMatchObject({ status: 401, json: { error: 'refused' } })
    expect(lastRefusal(edge)).toBe('vouch_wrong')
  }
  const tables = edge.rows("select name from sqlite_master where type = 'table'").map(({ name }) => String(name))
  const everything = JSON.stringify(tables.map((table) => edge.rows(`select * from "${table}"`)))
  expect(everything).toContain(link.key.vouch_key.x)
  for (const signature of new Set(everything.match(/[\w-]{86}/g))) {
    const body = { ...(await acceptBody(visitor, passkey, link)), signature }
    expect((await visitor.post('/v1/invites/finish', body)).status).toBe(401)
    expect(lastRefusal(edge)).toBe('vouch_wrong')
  }
  expect(passkeys(edge)).toBe(1)
})

/** Who can write the database, and knows the private half of some link: he was reset himself. */
const swaps: Record<string, { sql: string; why: string }> = {
  'an administrator as its user': {
    sql: "update invites set user_id = (select id from users where name = 'Ada')",
    why: 'user',
  },
  'another user with his name': {
    sql: "update users set name = 'Robert', name_key = 'robert' where name = 'Bob'; update users set name = 'Bob', name_key = 'bob' where name = 'Ada'; update invites set user_id = (select id from users where name = 'Bob')",
    why: 'user',
  },
  'another request': { sql: `update invites set request = json_set(request, '$.ttl', 1)`, why: 'request' },
  'the path of an invite': {
    sql: `update invites set tap = json_set(tap, '$.intent.subject.path', '/v1/users')`,
    why: 'key',
  },
}

test.each(Object.entries(swaps))('a link whose row was given %s registers nobody', async (_, { sql, why }) => {
  const { edge, accepted, finish } = await resetBob()
  edge.store.raw.exec(sql)
  const visitor = edge.visitor()
  expect((await finish(await accepted(visitor), visitor)).status).toBe(401)
  expect(edge.rows("select code, json_extract(detail, '$.why') as why from audit order by seq desc limit 1")).toEqual([
    { code: 'vouch_wrong', why },
  ])
  expect(passkeys(edge)).toBe(1)
})

test('a tap for something else makes no link, whatever the row says', async () => {
  const { edge, link } = await resetBob()
  edge.store.raw.exec(`update invites set tap = json_set(tap, '$.intent.subject.path', '/v1/me/factors/remove')`)
  expect((await edge.visitor().post('/v1/invites/check', { invite: link.id })).status).toBe(410)
})

test('what the link lets in lets nobody else in, whatever was there before', async () => {
  const { edge, finish, accepted } = await resetBob()
  edge.store.raw.exec('update credentials set may_vouch = 1')
  const visitor = edge.visitor()
  expect((await finish(await accepted(visitor), visitor)).status).toBe(200)
  expect(edge.rows('select may_vouch from credentials where removed_at is null order by may_vouch')).toEqual([
    { may_vouch: 0 },
    { may_vouch: 1 },
  ])
})

test('the link of a user who was removed meanwhile is dead', async () => {
  const { edge, ada, finish, accepted } = await resetBob()
  const visitor = edge.visitor()
  const body = await accepted(visitor)
  expect((await call(ada, 'DELETE', '/v1/users/Bob')).status).toBe(200)
  await invite(ada, 'Bob')
  expect((await finish(body, visitor)).status).toBe(410)
})
