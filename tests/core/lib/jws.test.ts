import fc from 'fast-check'
import { compactVerify, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { base64url, utf8 } from '../../../core/lib/bytes.ts'
import { parseJws, type Signatures, signJws, webSignatures } from '../../../core/lib/jws.ts'
import { nodeSignatures } from '../../../worker/node-signatures.ts'

const engines: Record<string, Signatures> = { 'Web Cryptography': webSignatures, 'node:crypto': nodeSignatures }
const algorithms = { ES256: { name: 'ECDSA', namedCurve: 'P-256' }, EdDSA: { name: 'Ed25519' } }

const newPair = async (alg: keyof typeof algorithms) =>
  (await crypto.subtle.generateKey(algorithms[alg], true, ['sign', 'verify'])) as CryptoKeyPair

describe.each(Object.entries(engines))('%s', (_, engine) => {
  describe.each(['ES256', 'EdDSA'] as const)('%s', (alg) => {
    test('signs what jose verifies, and verifies what jose signs', async () => {
      const { privateKey, publicKey } = await newPair(alg)
      const ours = await signJws(engine, privateKey, { alg, typ: 'JWT' }, { sub: 'ü' })
      const { payload, protectedHeader } = await compactVerify(ours, publicKey, { algorithms: [alg] })
      expect(protectedHeader).toEqual({ alg, typ: 'JWT' })
      expect(new TextDecoder().decode(payload)).toBe('{"sub":"ü"}')
      const parsed = parseJws(await new SignJWT({ sub: 'x' }).setProtectedHeader({ alg }).sign(privateKey))
      if (parsed.kind !== 'value') throw new Error('not read')
      expect(await engine.verify(publicKey, parsed.value.signature, parsed.value.signed)).toBe(true)
    })

    test('refuses another key, other data, and every signature that is altered, cut or grown', async () => {
      const [{ privateKey, publicKey }, other] = [await newPair(alg), await newPair(alg)]
      const data = utf8('data')
      const signature = await engine.sign(privateKey, data)
      expect(signature).toHaveLength(64)
      expect(await engine.verify(other.publicKey, signature, data)).toBe(false)
      expect(await engine.verify(publicKey, signature, utf8('date'))).toBe(false)
      for (let i = 0; i < 64; i++) {
        const altered = signature.slice()
        altered[i] = (altered[i] as number) ^ 1
        expect(await engine.verify(publicKey, altered, data)).toBe(false)
      }
      for (const wrong of [
        new Uint8Array(0),
        new Uint8Array(64),
        signature.slice(1),
        new Uint8Array([...signature, 0]),
      ])
        expect(await engine.verify(publicKey, wrong, data)).toBe(false)
    })
  })
})

test('node:crypto and Web Cryptography agree on every r and s, whatever zeros they begin with', async () => {
  const { publicKey, privateKey } = await newPair('ES256')
  const data = utf8('data')
  const heads = [0x00, 0x01, 0x7f, 0x80, 0xff]
  const right = await nodeSignatures.sign(privateKey, data)
  // r and s begin with a byte from 0x80 on in one signature of two; short ones come with patience alone.
  for (let i = 0; i < 600; i++) {
    const signature = await nodeSignatures.sign(privateKey, data)
    expect(await nodeSignatures.verify(publicKey, signature, data)).toBe(true)
  }
  for (const [r, s] of heads.flatMap((a) => heads.map((b) => [a, b] as const))) {
    const altered = right.slice()
    altered[0] = r
    altered[32] = s
    const known = await webSignatures.verify(publicKey, altered, data)
    expect(await nodeSignatures.verify(publicKey, altered, data)).toBe(known)
  }
})

describe('parseJws', () => {
  const part = (json: unknown) => base64url(utf8(JSON.stringify(json)))
  const [head, body, seal] = [part({ alg: 'ES256' }), part({}), base64url(new Uint8Array(64))]

  test.each([
    ['two parts', `${head}.${body}`],
    ['four parts', `${head}.${body}.${seal}.`],
    ['no signature', `${head}.${body}.`],
    ['no payload', `${head}..${seal}`],
    ['padding', `${head}=.${body}.${seal}`],
    ['a space', `${head}. ${body}.${seal}`],
    ['a header that is no JSON', `${base64url(utf8('{'))}.${body}.${seal}`],
    ['a critical extension', `${part({ alg: 'ES256', crit: ['x'] })}.${body}.${seal}`],
    ['a payload that is not encoded', `${part({ alg: 'ES256', b64: false })}.${body}.${seal}`],
  ])('refuses %s', (_, text) => {
    expect(parseJws(text).kind).toBe('invalid')
  })

  test('a header that is no object has no members', () => {
    expect(parseJws(`${part([1])}.${body}.${seal}`)).toMatchObject({ kind: 'value', value: { header: {} } })
  })

  test('never throws', () => {
    const word = fc.oneof(fc.string(), fc.constantFrom(head, body, seal, '.', ''))
    fc.assert(fc.property(fc.array(word, { maxLength: 6 }), (words) => void parseJws(words.join('.'))))
  })
})
