import { expect, test } from 'vitest'
import { base64url } from '../../core/lib/bytes.ts'
import { addBody, addPasskey, newVouchKey, removeBody, sessionCookieName } from '../client.ts'
import { lastRefusal, newAdministrator } from '../edge.ts'

/** Everything that a stolen browser profile holds: both cookies. No key. */
test('a cookie thief adds no passkey, whatever he taps with', async () => {
  const { edge, visitor } = await newAdministrator()
  const thief = visitor.copy()
  const [own, planted] = [await edge.authenticator(), await edge.authenticator()]
  expect((await thief.post('/v1/passkeys/finish', await addBody(thief, own, planted))).status).toBe(401)
  expect(lastRefusal(edge)).toBe('credential_unknown')
  const self = await addBody(thief, planted, planted)
  expect((await thief.post('/v1/passkeys/finish', self)).status).toBe(401)
  expect(edge.rows('select id from credentials')).toHaveLength(1)
})

test('a tap that its owner gave for one passkey lets in no other', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const thief = visitor.copy()
  const planted = await edge.authenticator()
  const owners = await addBody(visitor, passkey, await edge.authenticator())
  const challenge = base64url(new Uint8Array(32))
  const registration = await planted.create({ challenge, rp: {}, user: { id: 'AA' } })
  expect((await thief.post('/v1/passkeys/finish', { ...owners, registration })).status).toBe(401)
  const thieves = await addBody(thief, planted, planted, { name: 'Third' })
  expect((await thief.post('/v1/passkeys/finish', { ...thieves, assertion: owners.assertion })).status).toBe(401)
  const { vouch_key } = await newVouchKey()
  expect((await thief.post('/v1/passkeys/finish', { ...owners, vouch_key })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_subject')
  const signature = base64url(new Uint8Array(64).fill(1))
  expect((await thief.post('/v1/passkeys/finish', { ...owners, vouch_signature: signature })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('vouch_wrong')
  expect(edge.rows('select id from credentials')).toHaveLength(1)
})

test('a cookie thief removes no passkey', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const second = await edge.authenticator()
  await addPasskey(visitor, passkey, second)
  const thief = visitor.copy()
  const own = await edge.authenticator()
  const body = await removeBody(thief, own, second.credentialId)
  expect((await thief.post(`/v1/passkeys/${second.credentialId}/remove`, body)).status).toBe(401)
  expect(edge.rows('select id from credentials where removed_at is null')).toHaveLength(2)
})

test('a passkey is not removed by a tap of itself: another must show that its owner can still get in', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const second = await edge.authenticator()
  await addPasskey(visitor, passkey, second)
  const body = await removeBody(visitor, second, second.credentialId)
  expect((await visitor.post(`/v1/passkeys/${second.credentialId}/remove`, body)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_subject')
})

test('a session that was ended adds nothing, with a good tap or without', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const body = await addBody(visitor, passkey, await edge.authenticator())
  const thief = visitor.copy()
  await visitor.post('/v1/logout', {})
  expect(await thief.post('/v1/passkeys/finish', body)).toMatchObject({ status: 401, json: { error: 'sign_in' } })
  thief.cookies.delete(sessionCookieName)
  expect(await thief.post('/v1/passkeys/finish', body)).toMatchObject({ status: 401, json: { error: 'sign_in' } })
  expect(edge.rows('select id from credentials')).toHaveLength(1)
})
