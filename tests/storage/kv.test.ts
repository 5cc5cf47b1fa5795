import { expect, test } from 'vitest'
import { base64url } from '../../core/lib/bytes.ts'
import type { CredentialId, UserId } from '../../core/model.ts'
import type { KnownKey } from '../../core/ports.ts'
import { importPublicKey } from '../../core/tap/public-key.ts'
import { type Kv, publicKeyCopies } from '../../storage/kv.ts'
import { newAuthenticator } from '../authenticator.ts'

const id = 'credential' as CredentialId

async function newKey(): Promise<KnownKey> {
  const { cosePublicKey } = await newAuthenticator({ origin: 'https://access.example.com', rpId: 'access.example.com' })
  return { userId: 'ada' as UserId, kind: 'passkey', publicKey: (await importPublicKey(cosePublicKey))! }
}

function newKv(content = new Map<string, string>()) {
  const kv: Kv = {
    get: async (name) => content.get(name) ?? null,
    put: async (name, value) => void content.set(name, value),
  }
  return { kv, content }
}

test('publicKeyCopies: what is kept is found again, in memory and by another process through KV', async () => {
  const { kv } = newKv()
  const known = await newKey()
  const copies = publicKeyCopies(kv)
  expect(await copies.find(id)).toBeUndefined()
  await copies.keep(id, known)
  expect(await copies.find(id)).toBe(known)
  const found = await publicKeyCopies(kv).find(id)
  expect(found?.userId).toBe(known.userId)
  expect(found?.publicKey.fingerprint).toBe(known.publicKey.fingerprint)
})

test('publicKeyCopies: a key that stays the same is written to KV once', async () => {
  const { kv, content } = newKv()
  const known = await newKey()
  const copies = publicKeyCopies(kv)
  await copies.keep(id, known)
  content.clear()
  await copies.keep(id, known)
  expect(content.size).toBe(0)
  await copies.keep(id, await newKey())
  expect(content.size).toBe(1)
})

test('publicKeyCopies: a copy that was tampered with is no copy', async () => {
  const cose = base64url((await newKey()).publicKey.cose)
  for (const text of [
    '',
    '.',
    'ada',
    'ada.',
    'ada.!!!',
    `ada.${cose.slice(0, -4)}`,
    `ada.${cose}AAAA`,
    `ada.${cose}=`,
  ]) {
    const { kv } = newKv(new Map([[`key:${id}`, text]]))
    expect(await publicKeyCopies(kv).find(id), text).toBeUndefined()
  }
})

test('publicKeyCopies: an id that is too long for a name in KV lives in memory alone', async () => {
  const long = 'x'.repeat(1364) as CredentialId
  const { kv, content } = newKv()
  const copies = publicKeyCopies(kv)
  await copies.keep(long, await newKey())
  expect(content.size).toBe(0)
  expect(await copies.find(long)).toBeDefined()
  expect(await publicKeyCopies(kv).find(long)).toBeUndefined()
})

test('publicKeyCopies: a KV that cannot be read is as one that has no copy', async () => {
  const failing: Kv = { ...newKv().kv, get: async () => Promise.reject(new Error('KV GET failed: 500')) }
  expect(await publicKeyCopies(failing).find(id)).toBeUndefined()
})

test('publicKeyCopies: a KV that takes no write (it takes one a second for a name) undoes no login', async () => {
  const failing: Kv = { ...newKv().kv, put: async () => Promise.reject(new Error('KV PUT failed: 429')) }
  const copies = publicKeyCopies(failing)
  await copies.keep(id, await newKey())
  expect(await copies.find(id)).toBeDefined()
})
