/** The algorithm of a proof follows from its key; what the header calls it must be one of that key's names. */
import { expect, test } from 'vitest'
import { deriveKeys } from '../../../core/keys.ts'
import { webSignatures } from '../../../core/lib/jws.ts'
import { Lru } from '../../../core/lib/lru.ts'
import { seconds } from '../../../core/model.ts'
import { metadataOf } from '../../../core/oauth/discovery.ts'
import { type ProofKey, verifyDpop } from '../../../core/oauth/dpop.ts'
import { nonceAt } from '../../../core/oauth/nonce.ts'
import { newEdge } from '../../edge.ts'
import { newProofKey, proofOf } from '../../program.ts'

const keys = deriveKeys(new Uint8Array(32).fill(7))
const at = 1_800_000_000_000
const request = { method: 'POST', url: 'https://access.example.com/oauth/token' }
const [ec, okp] = [await newProofKey('ES256'), await newProofKey('EdDSA')]

test.each([
  ['ES256', ec],
  ['EdDSA', okp],
  ['Ed25519', okp],
] as const)('verifyDpop takes %s of a key that signs so', async (alg, key) => {
  const proof = await proofOf(key, {
    ...request,
    nonce: nonceAt(keys.nonce, at),
    iat: at / seconds(1),
    header: { alg },
  })
  const ports = { keys, now: () => at, proofKeys: new Lru<string, ProofKey>(1), signatures: webSignatures }
  expect((await verifyDpop(ports, { ...request, proof })).jkt).toBe(key.jkt)
})

test('the metadata names what verifyDpop takes', async () => {
  const { site } = await newEdge()
  expect(metadataOf(site).dpop_signing_alg_values_supported).toEqual(['ES256', 'EdDSA', 'Ed25519'])
})
