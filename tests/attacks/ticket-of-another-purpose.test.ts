import { expect, test } from 'vitest'
import { addBody, addPasskey, loginBody, removeBody } from '../client.ts'
import { lastRefusal, newAdministrator } from '../edge.ts'

test('a tap for a login adds no passkey and removes none', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const second = await edge.authenticator()
  const adding = await addBody(visitor, passkey, second)
  const forLogin = await loginBody(visitor, passkey)
  expect((await visitor.post('/v1/passkeys/finish', { ...adding, ...forLogin })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_purpose')
  expect((await visitor.post('/v1/passkeys/finish', adding)).status).toBe(200)

  const forLoginAgain = await loginBody(visitor, passkey)
  expect((await visitor.post(`/v1/passkeys/${second.credentialId}/remove`, forLoginAgain)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_purpose')
})

test('a tap for an addition or a removal is no login', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const second = await edge.authenticator()
  const { ticket, assertion } = await addBody(visitor, passkey, second)
  expect((await visitor.post('/v1/login/finish', { ticket, assertion })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_purpose')

  expect((await addPasskey(visitor, passkey, second)).status).toBe(200)
  const removing = await removeBody(visitor, passkey, second.credentialId)
  expect((await visitor.post('/v1/login/finish', removing)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_purpose')
})

test('a tap for the removal of one passkey removes no other', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const [second, third] = [await edge.authenticator(), await edge.authenticator()]
  await addPasskey(visitor, passkey, second)
  await addPasskey(visitor, passkey, third, { name: 'Third' })
  const body = await removeBody(visitor, passkey, second.credentialId)
  expect((await visitor.post(`/v1/passkeys/${third.credentialId}/remove`, body)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_subject')
})
