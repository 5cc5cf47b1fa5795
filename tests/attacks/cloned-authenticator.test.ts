import { expect, test } from 'vitest'
import { login, loginBody } from '../client.ts'
import { lastRefusal, newAdministrator, sessionsOf } from '../edge.ts'

test('a counter that stands or goes back is refused', async () => {
  const { edge, passkey } = await newAdministrator()
  expect((await login(edge.visitor(), passkey, { counter: 7 })).status).toBe(200)
  for (const counter of [7, 6, 1, 0]) {
    expect((await login(edge.visitor(), passkey, { counter })).status).toBe(401)
    expect(lastRefusal(edge)).toBe('counter_regressed')
  }
  expect((await login(edge.visitor(), passkey, { counter: 8 })).status).toBe(200)
})

test('only whoever has shown the key hears that it counted on: of a wrong signature the counter says nothing', async () => {
  const { edge, passkey } = await newAdministrator()
  expect((await login(edge.visitor(), passkey, { counter: 7 })).status).toBe(200)
  const told = /approved something else in between/
  expect((await login(edge.visitor(), passkey, { counter: 7 })).json).toMatchObject({
    error: 'refused',
    message: expect.stringMatching(told),
  })
  const visitor = edge.visitor()
  const body = await loginBody(visitor, passkey, { counter: 7 })
  const other = await loginBody(edge.visitor(), passkey, { counter: 7 })
  const response = { ...body.assertion.response, signature: other.assertion.response.signature }
  const wrong = { ...body, assertion: { ...body.assertion, response } }
  const { json } = await visitor.post('/v1/login/finish', wrong)
  expect(json.error).toBe('refused')
  expect(json.message).not.toMatch(told)
})

test('50 clones that repeat one counter, each with its own ticket: one session', async () => {
  const { edge, passkey } = await newAdministrator()
  const visitors = Array.from({ length: 50 }, () => edge.visitor())
  const bodies = await Promise.all(visitors.map((visitor) => loginBody(visitor, passkey, { counter: 9 })))
  const before = sessionsOf(edge)
  const replies = await Promise.all(visitors.map((visitor, i) => visitor.post('/v1/login/finish', bodies[i] ?? {})))
  expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(replies.filter(({ status }) => status === 401)).toHaveLength(49)
  expect(sessionsOf(edge)).toBe(before + 1)
})

test('an authenticator that counts nothing always says 0, and is let in each time', async () => {
  const { edge, passkey } = await newAdministrator()
  for (let i = 0; i < 3; i++) expect((await login(edge.visitor(), passkey, { counter: 0 })).status).toBe(200)
})
