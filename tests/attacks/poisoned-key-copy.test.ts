import { expect, test } from 'vitest'
import type { CredentialId } from '../../core/model.ts'
import { importPublicKey } from '../../core/tap/public-key.ts'
import { publicKeyCopies } from '../../storage/kv.ts'
import { lastRefusal, newAdministrator } from '../edge.ts'

test('who can write the copies of keys, in KV or memory, still logs in as nobody', async () => {
  const copies = publicKeyCopies()
  const { edge, passkey } = await newAdministrator({ publicKeys: copies })
  const thief = await edge.authenticator()
  const publicKey = await importPublicKey(thief.cosePublicKey)
  const victim = await edge.ports.credentials.find(passkey.credentialId as CredentialId)
  if (!publicKey || !victim) throw new Error('the scene is incomplete')
  await copies.keep(victim.id, { userId: victim.userId, publicKey })

  const visitor = edge.visitor()
  const { ticket, options } = (await visitor.post('/v1/login/begin', {})).json
  const signed = await thief.get(options, { userHandle: victim.userId })
  const reply = await visitor.post('/v1/login/finish', { ticket, assertion: { ...signed, id: victim.id } })
  expect(reply.status).toBe(401)
  expect(lastRefusal(edge)).toBe('credential_changed')
})
