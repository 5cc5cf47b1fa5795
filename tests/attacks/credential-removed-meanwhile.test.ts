import { expect, test } from 'vitest'
import { addBody, addPasskey, loginBody, removeBody, removePasskey } from '../client.ts'
import { lastRefusal, newAdministrator, signIn } from '../edge.ts'

test('a passkey that is removed between begin and finish logs nobody in, though its key is still in memory', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const second = await edge.authenticator()
  await addPasskey(visitor, passkey, second)
  await signIn(edge, second)
  const late = edge.visitor()
  const body = await loginBody(late, second)
  expect((await removePasskey(visitor, passkey, second.credentialId)).status).toBe(200)
  expect((await late.post('/v1/login/finish', body)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('credential_changed')
})

test('its sessions end with it', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const second = await edge.authenticator()
  await addPasskey(visitor, passkey, second)
  const open = await signIn(edge, second)
  expect((await open.get('/account')).status).toBe(200)
  await removePasskey(visitor, passkey, second.credentialId)
  expect((await open.get('/account')).status).toBe(302)
  expect((await visitor.get('/account')).status).toBe(200)
})

test('a tap that it gave before adds nothing and removes nothing', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const second = await edge.authenticator()
  await addPasskey(visitor, passkey, second)
  const adding = await addBody(visitor, second, await edge.authenticator(), { name: 'Third' })
  const removing = await removeBody(visitor, second, passkey.credentialId)
  await removePasskey(visitor, passkey, second.credentialId)
  expect((await visitor.post('/v1/passkeys/finish', adding)).status).toBe(401)
  expect((await visitor.post(`/v1/passkeys/${passkey.credentialId}/remove`, removing)).status).toBe(401)
  expect(edge.rows('select id from credentials where removed_at is null')).toEqual([{ id: passkey.credentialId }])
})
