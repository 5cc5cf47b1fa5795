import { expect, test } from 'vitest'
import { login } from '../client.ts'
import { newAdministrator } from '../edge.ts'

test('ten failures a minute from one address, then 429 with Retry-After; others and the next minute are free', async () => {
  const { edge, passkey } = await newAdministrator({ failuresAMinute: 10 })
  const thief = edge.visitor()
  for (let i = 0; i < 10; i++) expect((await login(thief, passkey, { badSignature: true })).status).toBe(401)
  const limited = await thief.post('/v1/login/begin', {})
  expect(limited).toMatchObject({ status: 429, json: { error: 'too_many_attempts' } })
  expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(Number(limited.headers.get('retry-after'))).toBeLessThanOrEqual(60)
  const rows = () => edge.rows('select seq from audit').length
  const before = rows()
  await thief.post('/v1/login/finish', {})
  expect(rows()).toBe(before)
  expect((await login(edge.visitor(), passkey)).status).toBe(200)
  edge.advance(60_000)
  expect((await login(thief, passkey)).status).toBe(200)
})

test('successes do not count: an office behind one address signs in as often as it likes', async () => {
  const { edge, passkey, visitor } = await newAdministrator({ failuresAMinute: 3 })
  for (let i = 0; i < 12; i++) expect((await login(visitor, passkey)).status).toBe(200)
  expect(edge.rows('select id from sessions')).toHaveLength(13)
})
