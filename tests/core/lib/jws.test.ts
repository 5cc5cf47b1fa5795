import fc from 'fast-check'
import { compactVerify, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../../core/intent.ts'
import { type Bytes, base64url, utf8 } from '../../../core/lib/bytes.ts'
import { parsePublicJwk } from '../../../core/lib/jwk.ts'
import { parseJws, parseJwsHeader, type Signatures, signJws, webSignatures } from '../../../core/lib/jws.ts'
import { nodeSignatures } from '../../../worker/node-signatures.ts'

const engines: Record<string, Signatures> = { 'Web Cryptography': webSignatures, 'node:crypto': nodeSignatures }
const algorithms = { ES256: { name: 'ECDSA', namedCurve: 'P-256' }, EdDSA: { name: 'Ed25519' } }

const newPair = async (alg: keyof typeof algorithms) =>
  (await crypto.subtle.generateKey(algorithms[alg], true, ['sign', 'verify'])) as CryptoKeyPair

async function verifierOf(engine: Signatures, { publicKey }: CryptoKeyPair) {
  const jwk = parsePublicJwk((await crypto.subtle.exportKey('jwk', publicKey)) as Json)
  const verify = jwk && (await engine.verifier(jwk))
  if (!verify) throw new Error('no key')
  return async (signature: Bytes, data: Bytes) => verify(signature, data)
}

describe.each(Object.entries(engines))('%s', (_, engine) => {
  describe.each(['ES256', 'EdDSA'] as const)('%s', (alg) => {
    test('signs what jose verifies, and verifies what jose signs', async () => {
      const pair = await newPair(alg)
      const { privateKey, publicKey } = pair
      const ours = await signJws(engine, privateKey, { alg, typ: 'JWT' }, { sub: 'ü' })
      const { payload, protectedHeader } = await compactVerify(ours, publicKey, { algorithms: [alg] })
      expect(protectedHeader).toEqual({ alg, typ: 'JWT' })
      expect(new TextDecoder().decode(payload)).toBe('{"sub":"ü"}')
      const parsed = parseJws(await new SignJWT({ sub: 'x' }).setProtectedHeader({ alg }).sign(privateKey))
      if (parsed.kind !== 'value') throw new Error('not read')
      const verify = await verifierOf(engine, pair)
      expect(await verify(parsed.value.signature, parsed.value.signed)).toBe(true)
    })

    test('refuses another key, other data, and every signature that is altered, cut or grown', async () => {
      const pair = await newPair(alg)
      const [verify, other] = [await verifierOf(engine, pair), await verifierOf(engine, await newPair(alg))]
      const data = utf8('data')
      const signature = await engine.sign(pair.privateKey, data)
      expect(signature).toHaveLength(64)
      expect(await other(signature, data)).toBe(false)
      expect(await verify(signature, utf8('date'))).toBe(false)
      for (let i = 0; i < 64; i++) {
        const altered = signature.slice()
        altered[i] = (altered[i] as number) ^ 1
        expect(await verify(altered, data)).toBe(false)
      }
      for (const wrong of [
        new Uint8Array(0),
        new Uint8Array(64),
        signature.slice(1),
        new Uint8Array([...signature, 0]),
      ])
        expect(await verify(wrong, data)).toBe(false)
    })
  })
})

test('node:crypto and Web Cryptography agree on every r and s, whatever they begin with', async () => {
  const pair = await newPair('ES256')
  const [native, web] = [await verifierOf(nodeSignatures, pair), await verifierOf(webSignatures, pair)]
  const data = utf8('data')
  // One in 128 begins with a zero, one in two with a byte from 0x80 on: DER spells both in another way.
  for (let i = 0; i < 600; i++) {
    const signature = await nodeSignatures.sign(pair.privateKey, data)
    expect(await native(signature, data)).toBe(true)
    expect(await web(signature, data)).toBe(true)
  }
  const zero = new Uint8Array(32)
  const some = new Uint8Array(32).fill(1)
  const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex')
  for (const [r, s] of [zero, some, order].flatMap((a) => [zero, some, order].map((b) => [a, b] as const))) {
    const made = new Uint8Array([...r, ...s])
    expect(await native(made, data)).toBe(false)
    expect(await web(made, data)).toBe(false)
  }
})

test.each(Object.entries(engines))('%s takes no point that is off its curve', async (_, { verifier }) => {
  const coordinate = base64url(new Uint8Array(32).fill(1))
  expect(await verifier({ kty: 'EC', crv: 'P-256', x: coordinate, y: coordinate })).toBeUndefined()
})

describe('parseJws', () => {
  const part = (json: unknown) => base64url(utf8(JSON.stringify(json)))
  const [head, body, seal] = [part({ alg: 'ES256' }), part({}), base64url(new Uint8Array(64))]

  test.each([
    ['two parts', `${head}.${body}`],
    ['four parts', `${head}.${body}.${seal}.`],
    ['no signature', `${head}.${body}.`],
    ['no payload', `${head}..${seal}`],
    ['padding', `${head}.${body}=.${seal}`],
    ['a space', `${head}. ${body}.${seal}`],
    ['no header', `.${body}.${seal}`],
  ])('refuses %s', (_, text) => {
    expect(parseJws(text).kind).toBe('invalid')
  })

  test.each([
    ['no JSON', base64url(utf8('{'))],
    ['padding', `${head}=`],
    ['a critical extension', part({ alg: 'ES256', crit: ['x'] })],
    ['a payload that is not encoded', part({ alg: 'ES256', b64: false })],
  ])('refuses a header: %s', (_, text) => {
    expect(parseJwsHeader(text).kind).toBe('invalid')
  })

  test('a header that is no object has no members', () => {
    expect(parseJwsHeader(part([1]))).toMatchObject({ kind: 'value', value: {} })
  })

  test('never throws', () => {
    const word = fc.oneof(fc.string(), fc.constantFrom(head, body, seal, '.', ''))
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (words) => {
        parseJws(words.join('.'))
        parseJwsHeader(words.join('.'))
      }),
    )
  })
})
