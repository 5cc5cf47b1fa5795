import { expect, test } from 'vitest'
import { login, sessionCookieName } from '../client.ts'
import { newAdministrator } from '../edge.ts'

test('whatever anybody can have refused fills the audit table only to its limit, from one address', async () => {
  const { edge, passkey } = await newAdministrator({ noiseAMinute: 5 })
  const rows = () => edge.rows('select seq from audit').length
  const [before, thief] = [rows(), edge.visitor()]
  thief.cookies.set(sessionCookieName, `${'A'.repeat(22)}.${'A'.repeat(43)}`)
  for (let i = 0; i < 4; i++) {
    await thief.post('/v1/first-administrator/begin', { secret: 'x', name: '' })
    await thief.post('/v1/passkeys/x/remove/begin', {})
    await thief.post('/v1/sessions/x/end', {})
    await thief.post('/v1/logout', {})
    await thief.post('/v1/login/begin', {}, { origin: 'https://evil.example' })
    await login(thief, passkey, { badSignature: true })
  }
  expect(rows()).toBe(before + 5)
  expect((await login(edge.visitor(), passkey)).status).toBe(200)
  expect(rows()).toBe(before + 6)
  edge.advance(60_000)
  await login(thief, passkey, { badSignature: true })
  expect(rows()).toBe(before + 7)
})

test('a success is written down however much noise its address makes', async () => {
  const { edge, passkey } = await newAdministrator({ noiseAMinute: 1 })
  const visitor = edge.visitor()
  for (let i = 0; i < 3; i++) await login(visitor, passkey, { badSignature: true })
  expect((await login(visitor, passkey)).status).toBe(200)
  expect(edge.rows("select seq from audit where kind = 'login' and outcome = 'done'")).toHaveLength(1)
})

test('who shares an address with a thief can still sign out and end sessions', async () => {
  const { passkey, visitor } = await newAdministrator({ failuresAMinute: 3 })
  await login(visitor, passkey)
  const thief = visitor.copy()
  thief.cookies.delete(sessionCookieName)
  for (let i = 0; i < 4; i++) await thief.post('/v1/login/finish', { ticket: 'x', assertion: answer })
  expect((await thief.post('/v1/login/begin', {})).status).toBe(429)
  expect((await visitor.post('/v1/logout', {})).status).toBe(200)
  expect((await visitor.get('/account')).status).toBe(302)
})

const answer = { id: 'AA', response: { clientDataJSON: 'AA', authenticatorData: 'AA', signature: 'AA' } }
