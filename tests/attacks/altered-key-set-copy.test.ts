import { expect, test } from 'vitest'
import { makeKeyring } from '../../core/issue/keyring.ts'
import { base64url, utf8 } from '../../core/lib/bytes.ts'
import { hmac, hmacKey } from '../../core/lib/hash.ts'
import { textCopies } from '../../storage/kv.ts'
import { newEdge } from '../edge.ts'

const name = 'copy:jwks'

/** Two isolates of one cluster with one KV: the first writes the copy, the second has nothing in memory. */
async function scene() {
  const content = new Map<string, string>()
  const kv = {
    get: async (key: string) => content.get(key) ?? null,
    put: async (key: string, text: string) => void content.set(key, text),
  }
  const { ports } = await newEdge()
  const isolate = () => makeKeyring({ ...ports, copies: textCopies(kv) })
  const right = await isolate().published()
  return { ports, kv, content, isolate, right, copy: content.get(name) ?? '' }
}

const planted = base64url(utf8(JSON.stringify([{ kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43), kid: 'planted' }])))
const sealedByThief = base64url(hmac(hmacKey(new Uint8Array(32)), utf8(`jwks\0${planted}`)))

const poisons: Record<string, (copy: string) => string> = {
  'a key set of his own without a seal': () => planted,
  'a key set of his own under the right one’s seal': (copy) => `${planted}.${copy.split('.')[1]}`,
  'a key set of his own under a seal of his own': () => `${planted}.${sealedByThief}`,
  'the right one without its seal': (copy) => copy.split('.')[0] ?? '',
  'the right one with a letter changed': (copy) => copy.replace(/^W3/, 'Wz'),
  nonsense: () => 'nonsense',
  nothing: () => '',
  'a seal alone': (copy) => `.${copy.split('.')[1]}`,
}

test.each(Object.entries(poisons))('who writes %s into KV publishes no key', async (_, poison) => {
  const { content, isolate, right, copy } = await scene()
  content.set(name, poison(copy))
  expect(content.get(name)).not.toBe(copy)
  expect(await isolate().published()).toEqual(right)
  expect(content.get(name)).toBe(copy)
})

test('and no copy, right or wrong, says which tokens are good: that is the database’s to say', async () => {
  const { content, isolate, right } = await scene()
  content.set(name, `${planted}.${sealedByThief}`)
  expect(await isolate().verifier('planted')).toBeUndefined()
  expect(await isolate().verifier(right[0]?.kid ?? '')).toBeDefined()
})

test('a right copy is used, so the database is not asked', async () => {
  const { ports, kv, right } = await scene()
  const signingKeys = { ...ports.signingKeys, list: () => Promise.reject(new Error('asked')) }
  expect(await makeKeyring({ ...ports, signingKeys, copies: textCopies(kv) }).published()).toEqual(right)
})
