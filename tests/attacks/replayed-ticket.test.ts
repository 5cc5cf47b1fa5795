import { expect, test } from 'vitest'
import { loginBody } from '../client.ts'
import { lastRefusal, newAdministrator, sessionsOf } from '../edge.ts'

test('a ticket and its assertion, sent again, open nothing', async () => {
  const { edge, passkey } = await newAdministrator()
  const visitor = edge.visitor()
  const body = await loginBody(visitor, passkey)
  expect((await visitor.post('/v1/login/finish', body)).status).toBe(200)
  const before = sessionsOf(edge)
  expect(await visitor.post('/v1/login/finish', body)).toMatchObject({ status: 401, json: { error: 'refused' } })
  expect(lastRefusal(edge)).toBe('ticket_spent')
  expect(sessionsOf(edge)).toBe(before)
})

test('a spent ticket is refused for a fresh assertion too', async () => {
  const { edge, passkey } = await newAdministrator()
  const visitor = edge.visitor()
  const { ticket, options } = (await visitor.post('/v1/login/begin', {})).json
  const answer = async () => ({ ticket, assertion: await passkey.get(options) })
  expect((await visitor.post('/v1/login/finish', await answer())).status).toBe(200)
  expect((await visitor.post('/v1/login/finish', await answer())).status).toBe(401)
  expect(lastRefusal(edge)).toBe('ticket_spent')
})

test('32 at once: one session', async () => {
  const { edge, passkey } = await newAdministrator()
  const visitor = edge.visitor()
  const body = await loginBody(visitor, passkey)
  const before = sessionsOf(edge)
  const replies = await Promise.all(Array.from({ length: 32 }, () => visitor.copy().post('/v1/login/finish', body)))
  expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(replies.filter(({ status }) => status === 401)).toHaveLength(31)
  expect(sessionsOf(edge)).toBe(before + 1)
})

test('a ticket that lived a minute is dead, spent or not', async () => {
  const { edge, passkey } = await newAdministrator()
  const visitor = edge.visitor()
  const body = await loginBody(visitor, passkey)
  edge.advance(60_000)
  expect((await visitor.post('/v1/login/finish', body)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('ticket_expired')
})
