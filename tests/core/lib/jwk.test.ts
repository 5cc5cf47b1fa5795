import fc from 'fast-check'
import { calculateJwkThumbprint } from 'jose'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../../core/intent.ts'
import { algorithmsOf, importPublicJwk, jwkThumbprint, parsePublicJwk } from '../../../core/lib/jwk.ts'

/** RFC 8037 appendix A.2 and A.3: the key and its thumbprint. */
const okp = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' } as const
const okpThumbprint = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k'
/** RFC 9449 section 4.1 and 6.1: a DPoP proof’s key and its `jkt`. */
const ec = {
  kty: 'EC',
  crv: 'P-256',
  x: 'l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs',
  y: '9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA',
} as const
const ecThumbprint = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I'

describe('jwkThumbprint (RFC 7638)', () => {
  test('is that of RFC 8037 appendix A.3, and of RFC 9449 section 6.1', () => {
    expect(jwkThumbprint(okp)).toBe(okpThumbprint)
    expect(jwkThumbprint(ec)).toBe(ecThumbprint)
  })

  test('is what jose says, whatever the order of members and whatever else is among them', async () => {
    for (const { kty, crv, ...rest } of [okp, ec]) {
      const jumbled = { ...rest, use: 'sig', crv, kid: 'x', kty }
      const parsed = parsePublicJwk(jumbled)
      expect(parsed && jwkThumbprint(parsed)).toBe(await calculateJwkThumbprint(jumbled))
    }
  })
})

describe('parsePublicJwk', () => {
  test('leaves out what is no part of the key', () => {
    expect(parsePublicJwk({ ...ec, kid: '1', use: 'sig', alg: 'ES256', key_ops: ['verify'] })).toStrictEqual(ec)
    expect(parsePublicJwk({ ...okp, y: ec.y })).toStrictEqual(okp)
  })

  const other = (json: Json, more: object): Json => ({ ...(json as object), ...more }) as Json
  test.each<[string, Json | undefined]>([
    ['nothing', undefined],
    ['null', null],
    ['text', JSON.stringify(ec)],
    ['a list', [ec]],
    ['an empty object', {}],
    ['a private EC key', other(ec, { d: ec.x })],
    ['a private OKP key', other(okp, { d: okp.x })],
    ['a private part that is null', other(okp, { d: null })],
    ['a secret', other(ec, { k: 'c2VjcmV0' })],
    ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0' }],
    ['an RSA key', { kty: 'RSA', n: ec.x, e: 'AQAB' }],
    ['another curve', other(ec, { crv: 'P-384' })],
    ['secp256k1', other(ec, { crv: 'secp256k1' })],
    ['X25519', other(okp, { crv: 'X25519' })],
    ['an EC key that says Ed25519', other(ec, { crv: 'Ed25519' })],
    ['an OKP key that says P-256', other(okp, { crv: 'P-256' })],
    ['another letter case', other(okp, { kty: 'okp' })],
    ['no y', { kty: 'EC', crv: 'P-256', x: ec.x }],
    ['padding', other(okp, { x: `${okp.x}=` })],
    ['the standard alphabet', other(ec, { x: ec.x.replaceAll('-', '+') })],
    ['bits in the tail', other(okp, { x: `${okp.x.slice(0, -1)}p` })],
    ['31 bytes', other(okp, { x: okp.x.slice(0, 42) })],
    ['33 bytes', other(okp, { x: `${okp.x}A` })],
    ['white space', other(okp, { x: ` ${okp.x}` })],
    ['a coordinate that is a number', other(ec, { y: 7 })],
  ])('answers undefined for %s', (_what, json) => {
    expect(parsePublicJwk(json)).toBeUndefined()
  })

  test('never throws, and what it reads keeps its one spelling', () => {
    const text = fc.oneof(fc.string(), fc.constantFrom('EC', 'OKP', 'P-256', 'Ed25519', ec.x, ec.y))
    const jwk = fc.record({ kty: text, crv: text, x: text, y: text, d: text }, { requiredKeys: [] })
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), jwk), (json) => {
        const parsed = parsePublicJwk(json as Json)
        if (parsed) expect(parsePublicJwk(parsed)).toEqual(parsed)
      }),
    )
  })
})

describe('importPublicJwk', () => {
  test('imports both kinds for checking only', async () => {
    for (const jwk of [okp, ec])
      expect(await importPublicJwk(jwk)).toMatchObject({ type: 'public', usages: ['verify'] })
    expect([okp, ec].map(algorithmsOf)).toEqual([['EdDSA', 'Ed25519'], ['ES256']])
  })

  test('answers undefined for a point that is not on the curve', async () => {
    expect(await importPublicJwk({ ...ec, y: ec.x })).toBeUndefined()
    expect(await importPublicJwk({ ...ec, x: 'A'.repeat(43), y: 'A'.repeat(43) })).toBeUndefined()
  })
})
