import { createHash, createHmac, hkdfSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { utf8 } from '../../../core/lib/bytes.ts'
import { derive, hmac, hmacIsRight, hmacKey, sha256 } from '../../../core/lib/hash.ts'

const secret = utf8('a secret of more than 32 bytes, as nothing here says how long it is')
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test('sha256 of "abc" is that of FIPS 180-4, and of a view only what the view shows', async () => {
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  expect(hex(await sha256(utf8('abc')))).toBe(abc)
  expect(hex(await sha256(utf8('xabcx').subarray(1, 4)))).toBe(abc)
  expect(hex(await sha256(new Uint8Array(0)))).toBe(createHash('sha256').digest('hex'))
})

test('hmac is RFC 4231 case 2', async () => {
  const key = await hmacKey(utf8('Jefe'))
  expect(hex(await hmac(key, utf8('what do ya want for nothing?')))).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  )
})

test('hmacIsRight refuses each altered bit, a cut code, a longer one and none', async () => {
  const key = await hmacKey(secret)
  const message = utf8('message')
  const mac = await hmac(key, message)
  expect(hex(mac)).toBe(createHmac('sha256', secret).update('message').digest('hex'))
  expect(await hmacIsRight(key, mac, message)).toBe(true)
  for (let bit = 0; bit < 256; bit++) {
    const other = mac.slice()
    other[bit >> 3]! ^= 1 << (bit & 7)
    expect(await hmacIsRight(key, other, message), `bit ${bit}`).toBe(false)
  }
  for (const length of [0, 16, 31]) expect(await hmacIsRight(key, mac.slice(0, length), message)).toBe(false)
  expect(await hmacIsRight(key, new Uint8Array([...mac, 0]), message)).toBe(false)
  expect(await hmacIsRight(key, mac, utf8('Message'))).toBe(false)
})

test('hmacKey keeps the secret in, and no later change of the bytes changes it', () => {
  const given = new Uint8Array(secret)
  const key = hmacKey(given)
  const before = hmac(key, utf8('message'))
  given.fill(0)
  expect(hmac(key, utf8('message'))).toEqual(before)
  expect(Object.keys(key)).toEqual(['mac'])
  expect(JSON.stringify(key)).toBe('{}')
})

test('derive is HKDF-SHA-256 without salt, and its info is part of the result', async () => {
  const expected = Buffer.from(hkdfSync('sha256', secret, new Uint8Array(0), 'one use', 32)).toString('hex')
  expect(hex(await derive(secret, 'one use'))).toBe(expected)
  expect(hex(await derive(secret, 'another use'))).not.toBe(expected)
})
