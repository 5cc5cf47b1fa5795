import { expect, test } from 'vitest'
import { addBody, addPasskey, removePasskey } from '../client.ts'
import { lastRefusal, newAdministrator } from '../edge.ts'

/** An administrator with a second passkey that admits nobody. */
async function scene() {
  const { edge, passkey, visitor } = await newAdministrator()
  const lesser = await edge.authenticator()
  await addPasskey(visitor, passkey, lesser)
  edge.store.raw.prepare('update credentials set may_vouch = 0 where id = ?').run(lesser.credentialId)
  return { edge, passkey, lesser, visitor }
}

test('it admits no passkey that may', async () => {
  const { edge, lesser, visitor } = await scene()
  const body = await addBody(visitor, lesser, await edge.authenticator(), { name: 'Third' })
  expect((await visitor.post('/v1/passkeys/finish', body)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('credential_changed')
  expect(edge.rows('select id from credentials')).toHaveLength(2)
})

test('it removes none that may, not even when the tap was asked for before it lost its right', async () => {
  const { edge, passkey, lesser, visitor } = await scene()
  const begin = await visitor.post(`/v1/passkeys/${passkey.credentialId}/remove/begin`, {})
  expect(begin).toMatchObject({ status: 409, json: { error: 'last_passkey' } })
  edge.store.raw.prepare('update credentials set may_vouch = 1').run()
  const { ticket, options } = (await visitor.post(`/v1/passkeys/${passkey.credentialId}/remove/begin`, {})).json
  edge.store.raw.prepare('update credentials set may_vouch = 0 where id = ?').run(lesser.credentialId)
  const body = { ticket, assertion: await lesser.get(options) }
  expect((await visitor.post(`/v1/passkeys/${passkey.credentialId}/remove`, body)).status).toBe(404)
  expect(edge.rows('select id from credentials where removed_at is null')).toHaveLength(2)
})

test('one that may removes it', async () => {
  const { passkey, lesser, visitor } = await scene()
  expect((await removePasskey(visitor, passkey, lesser.credentialId)).status).toBe(200)
})
