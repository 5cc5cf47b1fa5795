import { expect, test } from 'vitest'
import { login } from '../client.ts'
import { lastRefusal, newAdministrator } from '../edge.ts'

test('an unknown passkey hears what a known one with a wrong signature hears', async () => {
  const { edge, passkey } = await newAdministrator()
  const stranger = await edge.authenticator()
  stranger.userHandle = passkey.userHandle
  const unknown = await login(edge.visitor(), stranger)
  expect(lastRefusal(edge)).toBe('credential_unknown')
  const wrong = await login(edge.visitor(), passkey, { badSignature: true })
  const told = ({ status, json }: typeof wrong) => ({ status, error: json.error, message: json.message })
  expect(told(unknown)).toEqual(told(wrong))
  expect(unknown.status).toBe(401)
})

test('a passkey of one user is no key to another: the user handle must be its own', async () => {
  const { edge, passkey } = await newAdministrator()
  for (const userHandle of ['AAAAAAAAAAAAAAAAAAAAAA', null]) {
    expect((await login(edge.visitor(), passkey, { userHandle })).status).toBe(401)
    expect(lastRefusal(edge)).toBe('wrong_user')
  }
})
