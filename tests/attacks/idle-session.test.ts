import { expect, test } from 'vitest'
import { hours, minutes } from '../../core/model.ts'
import { addBody } from '../client.ts'
import { lastRefusal, newAdministrator } from '../edge.ts'

test('a cookie that was not used for an hour opens nothing', async () => {
  const { edge, visitor } = await newAdministrator()
  edge.advance(hours(1))
  expect((await visitor.get('/account')).headers.get('location')).toBe('/?next=/account')
  expect(visitor.cookies.has('__Host-sallyport')).toBe(false)
})

test('a page once in an hour keeps it, twelve hours and no longer', async () => {
  const { edge, visitor } = await newAdministrator()
  for (let passed = 0; passed < hours(12) - minutes(59); passed += minutes(59)) {
    expect((await visitor.get('/account')).status).toBe(200)
    edge.advance(minutes(59))
  }
  edge.advance(minutes(59))
  expect((await visitor.get('/account')).status).toBe(302)
})

test('a ceremony that began before ends nothing after', async () => {
  const { edge, visitor, passkey } = await newAdministrator()
  edge.advance(minutes(58))
  const thief = visitor.copy()
  const body = await addBody(thief, passkey, await edge.authenticator())
  edge.store.raw.exec(`update sessions set last_seen_at = ${edge.ports.now() - hours(1)}`)
  expect((await thief.post('/v1/passkeys/finish', body)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('session_missing')
})
