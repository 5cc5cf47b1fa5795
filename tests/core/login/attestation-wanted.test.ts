import { expect, test } from 'vitest'
import { addPasskey } from '../../client.ts'
import { newAdmin } from '../../people.ts'
import { prefer } from '../../preferences.ts'

test('while a preference names authenticators, one of which nothing is proven is not registered', async () => {
  const admin = await newAdmin()
  await prefer(admin, { webauthn: { allowed_aaguids: ['ee882879-721c-4913-9775-3dfcce97072a'] } })
  const reply = await addPasskey(admin.visitor, admin.passkey, await admin.edge.authenticator())
  expect(reply.status).not.toBe(200)
  expect(admin.edge.rows('select id from credentials')).toHaveLength(1)
})
