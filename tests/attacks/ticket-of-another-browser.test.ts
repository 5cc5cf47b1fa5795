import { expect, test } from 'vitest'
import { addBody, ceremonyCookieName, loginBody, sessionCookieName } from '../client.ts'
import { lastRefusal, newAdministrator } from '../edge.ts'

test('a login that began in one browser ends in no other', async () => {
  const { edge, passkey } = await newAdministrator()
  const [one, other] = [edge.visitor(), edge.visitor()]
  const body = await loginBody(one, passkey)
  await other.post('/v1/login/begin', {})
  for (const thief of [other, edge.visitor()]) {
    expect((await thief.post('/v1/login/finish', body)).status).toBe(401)
    expect(lastRefusal(edge)).toBe('wrong_holder')
    expect(thief.cookies.has(sessionCookieName)).toBe(false)
  }
  expect((await one.post('/v1/login/finish', body)).status).toBe(200)
})

test('a session cookie without the ceremony cookie ends no ceremony', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const body = await addBody(visitor, passkey, await edge.authenticator())
  const thief = visitor.copy()
  thief.cookies.delete(ceremonyCookieName)
  expect((await thief.post('/v1/passkeys/finish', body)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_holder')
})
