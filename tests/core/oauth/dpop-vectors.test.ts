/** RFC 9449's own examples. They have no nonce, which we want: so that alone may speak against them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeProtectedHeader } from 'jose'
import { expect, test } from 'vitest'
import type { Json } from '../../../core/intent.ts'
import { deriveKeys } from '../../../core/keys.ts'
import { base64url, utf8 } from '../../../core/lib/bytes.ts'
import { sha256 } from '../../../core/lib/hash.ts'
import { jwkThumbprint, parsePublicJwk } from '../../../core/lib/jwk.ts'
import { webSignatures } from '../../../core/lib/jws.ts'
import { Lru } from '../../../core/lib/lru.ts'
import { seconds } from '../../../core/model.ts'
import { type ProofKey, verifyDpop } from '../../../core/oauth/dpop.ts'
import { Refusal } from '../../../core/refusal.ts'

interface Example {
  readonly name: string
  readonly proof: string
  readonly claims: { readonly htm: string; readonly htu: string; readonly iat: number; readonly ath?: string }
}

const vectors = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../vectors/oauth/rfc9449-7636-7638.json'), 'utf8'),
) as {
  readonly rfc9449: {
    readonly proofs: readonly Example[]
    readonly jkt: string
    readonly accessToken: string
    readonly ath: string
  }
  readonly rfc7636_appendix_b: { readonly code_verifier: string; readonly code_challenge: string }
}
const { proofs, jkt, accessToken, ath } = vectors.rfc9449

const keys = deriveKeys(new Uint8Array(32).fill(7))

async function refusalOf(
  { proof, claims }: Example,
  changed: { method?: string; url?: string; off?: number; token?: string } = {},
) {
  const { off = 0, method = claims.htm, url = claims.htu } = changed
  const token = changed.token ?? (claims.ath === undefined ? undefined : accessToken)
  const ports = {
    keys,
    now: () => seconds(claims.iat + off),
    proofKeys: new Lru<string, ProofKey>(10),
    signatures: webSignatures,
  }
  const request = { method, url, proof, ...(token !== undefined && { accessToken: token }) }
  const error = await verifyDpop(ports, request).catch((refusal: unknown) => refusal)
  return error instanceof Refusal ? [error.code, error.detail['why'] ?? error.detail['key']] : error
}

test.each(proofs)('verifyDpop: nothing but its missing nonce refuses $name', async (example) => {
  expect(await refusalOf(example)).toEqual(['dpop_nonce', jkt])
})

test.each(proofs)('verifyDpop: each other check still tells $name from a wrong one', async (example) => {
  expect(await refusalOf(example, { method: 'PUT' })).toEqual(['dpop_invalid', 'htm'])
  expect(await refusalOf(example, { url: 'https://server.example.com/other' })).toEqual(['dpop_invalid', 'htu'])
  expect(await refusalOf(example, { token: `${accessToken}x` })).toEqual(['dpop_invalid', 'ath'])
  expect(await refusalOf(example, { off: 31 })).toEqual(['dpop_clock', jkt])
  const altered = { ...example, proof: example.proof.replace(/.{4}$/, 'AAAA') }
  expect(await refusalOf(altered)).toEqual(['dpop_invalid', 'signature'])
})

test('jwkThumbprint: the key of the examples has the thumbprint that RFC 9449 says', () => {
  for (const { proof } of proofs) {
    const jwk = parsePublicJwk(decodeProtectedHeader(proof).jwk as unknown as Json)
    expect(jwk && jwkThumbprint(jwk)).toBe(jkt)
  }
})

test('ath: the hash of the example’s access token', () => {
  expect(base64url(sha256(utf8(accessToken)))).toBe(ath)
})

test('code_challenge: RFC 7636 appendix B', () => {
  const { code_verifier, code_challenge } = vectors.rfc7636_appendix_b
  expect(base64url(sha256(utf8(code_verifier)))).toBe(code_challenge)
})
