import { expect, test } from 'vitest'
import type { Authenticator, CreationOptions } from '../authenticator.ts'
import { registerFirst } from '../client.ts'
import { newAdministrator, newEdge, type TestEdge } from '../edge.ts'

test('a used link makes no second administrator', async () => {
  const edge = await newEdge()
  const secret = await edge.offer()
  expect((await registerFirst(edge.visitor(), secret, await edge.authenticator())).status).toBe(200)
  for (const path of ['check', 'begin']) {
    const reply = await edge.visitor().post(`/v1/first-administrator/${path}`, { secret, name: 'Eve' })
    expect(reply).toMatchObject({ status: 410, json: { error: 'link_invalid' } })
  }
  expect(edge.rows('select id from users')).toHaveLength(1)
})

test('a newer link kills the one before', async () => {
  const edge = await newEdge()
  const [old, fresh] = [await edge.offer(), await edge.offer()]
  const check = async (secret: string) =>
    (await edge.visitor().post('/v1/first-administrator/check', { secret })).status
  expect([await check(old), await check(fresh)]).toEqual([410, 200])
})

test('a link lives one hour', async () => {
  const edge = await newEdge()
  const secret = await edge.offer()
  edge.advance(3_600_000)
  const reply = await edge.visitor().post('/v1/first-administrator/check', { secret })
  expect(reply).toMatchObject({ status: 410 })
})

test('no link is offered when there is an administrator, and a page offers no button', async () => {
  const { edge } = await newAdministrator()
  expect(await edge.offer()).toBe('')
  expect((await edge.visitor().get('/first-administrator')).text).not.toMatch(/Register a passkey/)
})

test('50 people with one link at once: one administrator', async () => {
  const edge = await newEdge()
  const secret = await edge.offer()
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => answerOf(edge, secret, `Person ${i}`)))
  const replies = await Promise.all(
    answers.map(({ visitor, body }) => visitor.post('/v1/first-administrator/finish', body)),
  )
  expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(edge.rows('select id from users')).toHaveLength(1)
  expect(edge.rows('select id from credentials')).toHaveLength(1)
  expect(edge.rows('select id from sessions')).toHaveLength(1)
})

test('a ceremony that began with one link does not end with another', async () => {
  const edge = await newEdge()
  const { visitor, body } = await answerOf(edge, await edge.offer(), 'Eve')
  const secret = await edge.offer()
  for (const given of [body, { ...body, secret }]) {
    expect((await visitor.post('/v1/first-administrator/finish', given)).status).toBeGreaterThan(400)
  }
  expect(edge.rows('select id from users')).toEqual([])
})

async function answerOf(edge: TestEdge, secret: string, name: string) {
  const visitor = edge.visitor()
  const passkey: Authenticator = await edge.authenticator()
  const { ticket, options } = (await visitor.post('/v1/first-administrator/begin', { secret, name })).json
  return { visitor, body: { secret, ticket, registration: await passkey.create(options as CreationOptions) } }
}
