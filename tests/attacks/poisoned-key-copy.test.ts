import { expect, test } from 'vitest'
import { base64url } from '../../core/lib/bytes.ts'
import type { CredentialId } from '../../core/model.ts'
import { importPublicKey } from '../../core/tap/public-key.ts'
import { publicKeyCopies } from '../../storage/kv.ts'
import { addPasskey, touch } from '../client.ts'
import { lastRefusal, newAdministrator, newEdge, signIn } from '../edge.ts'

test('who can write the copies of keys, in KV or memory, still logs in as nobody', async () => {
  const copies = publicKeyCopies()
  const { edge, passkey } = await newAdministrator({ publicKeys: copies })
  const thief = await edge.authenticator()
  const publicKey = await importPublicKey(thief.cosePublicKey)
  const victim = await edge.ports.credentials.find(passkey.credentialId as CredentialId)
  if (!publicKey || !victim) throw new Error('the scene is incomplete')
  await copies.keep(victim.id, { userId: victim.userId, kind: 'passkey', publicKey })

  const visitor = edge.visitor()
  const { ticket, options } = (await visitor.post('/v1/login/begin', {})).json
  const signed = await thief.get(options, { userHandle: victim.userId })
  const reply = await visitor.post('/v1/login/finish', { ticket, assertion: { ...signed, id: victim.id } })
  expect(reply.status).toBe(401)
  expect(lastRefusal(edge)).toBe('assertion_wrong')
})

test('nor does one who writes there that a passkey is a security key, which need not verify anybody', async () => {
  const copies = publicKeyCopies()
  const { edge, passkey, visitor } = await newAdministrator({ publicKeys: copies })
  const id = passkey.credentialId as CredentialId
  const victim = await edge.ports.credentials.find(id)
  const publicKey = await importPublicKey(passkey.cosePublicKey)
  if (!publicKey || !victim) throw new Error('the scene is incomplete')
  const added = await edge.authenticator()
  await copies.keep(id, { userId: victim.userId, kind: 'security_key', publicKey })
  expect((await addPasskey(visitor, passkey, added, { tap: touch })).status).toBe(401)
  expect(edge.rows('select id from credentials')).toHaveLength(1)
  expect(lastRefusal(edge)).toBe('assertion_wrong')
})

test('nor does he keep anybody out: the owner gets in, and the copy is right again', async () => {
  const kv = new Map<string, string>()
  const store = {
    get: async (key: string) => kv.get(key) ?? null,
    put: async (key: string, text: string) => void kv.set(key, text),
  }
  const { edge, passkey } = await newAdministrator({ publicKeys: publicKeyCopies(store) })
  await signIn(edge, passkey)
  const name = `key:${passkey.credentialId}`
  const right = kv.get(name)
  const thief = await edge.authenticator()
  const poisons = [
    `${passkey.userHandle}.${base64url(thief.cosePublicKey)}`,
    right?.replace(/^[^.]+/, 'AAAAAAAAAAAAAAAAAAAAAA'),
    'nonsense',
  ]
  for (const poison of poisons) {
    kv.set(name, poison ?? '')
    const elsewhere = await newEdge({ publicKeys: publicKeyCopies(store), store: edge.store })
    await signIn(elsewhere, passkey)
    expect(kv.get(name)).toBe(right)
  }
})
