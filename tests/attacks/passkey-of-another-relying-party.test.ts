/** A key that signs for a relying party that is not its own: an authenticator that is none, or a page that relays. */
import { expect, test } from 'vitest'
import { addPasskey, login } from '../client.ts'
import { lastRefusal } from '../edge.ts'
import { newAdmin } from '../people.ts'
import { prefer } from '../preferences.ts'

const both = { webauthn: { rp_id: 'example.com', former_rp_ids: ['access.example.com'] } }

test('a passkey of before that signs for today’s relying party is refused, though both are taken', async () => {
  const admin = await newAdmin()
  await prefer(admin, both)
  const reply = await login(admin.edge.visitor(), admin.passkey, { rpId: 'example.com' })
  expect(reply).toMatchObject({ status: 401, json: { error: 'refused' } })
  expect(lastRefusal(admin.edge)).toBe('credential_changed')
})

test('nobody registers for a relying party of before', async () => {
  const admin = await newAdmin()
  await prefer(admin, both)
  const create = { rpId: 'access.example.com' }
  const reply = await addPasskey(admin.visitor, admin.passkey, await admin.edge.authenticator(), { create })
  expect(reply).toMatchObject({ status: 401, json: { error: 'refused' } })
  const [refused] = admin.edge.rows("select code, detail from audit where outcome = 'refused' order by seq desc")
  expect(refused?.['code']).toBe('registration_wrong')
  expect(JSON.parse(String(refused?.['detail']))).toEqual({ why: 'a relying party of before' })
  expect(admin.edge.rows('select id from credentials')).toHaveLength(1)
})
