import { expect, test } from 'vitest'
import { addPasskey, newVouchKey, removePasskey } from '../client.ts'
import { lastRefusal, newAdministrator } from '../edge.ts'

test('a passkey that exists is not registered again, under its own id or another', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const second = await edge.authenticator()
  expect((await addPasskey(visitor, passkey, second)).status).toBe(200)
  for (const again of [passkey, second]) {
    const reply = await addPasskey(visitor, passkey, again, { name: 'Again' })
    expect(reply).toMatchObject({ status: 409, json: { error: 'passkey_exists' } })
    expect(lastRefusal(edge)).toBe('passkey_exists')
  }
  expect(edge.rows('select id from credentials')).toHaveLength(2)
})

test('a removed passkey does not come back', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const second = await edge.authenticator()
  await addPasskey(visitor, passkey, second)
  await removePasskey(visitor, passkey, second.credentialId)
  expect((await addPasskey(visitor, passkey, second, { name: 'Back' })).status).toBe(409)
})

test('two passkeys of one person do not share a name', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  await addPasskey(visitor, passkey, await edge.authenticator(), { name: 'Blue' })
  const { vouch_key } = await newVouchKey()
  const reply = await visitor.post('/v1/passkeys/begin', { name: 'Blue', vouch_key })
  expect(reply).toMatchObject({ status: 409, json: { error: 'name_taken' } })
})
