/** The key under a header that has been seen is not read again; everything else of a proof is. */
import { expect, test } from 'vitest'
import { deriveKeys } from '../../../core/keys.ts'
import { type Signatures, webSignatures } from '../../../core/lib/jws.ts'
import { Lru } from '../../../core/lib/lru.ts'
import { seconds } from '../../../core/model.ts'
import { type ProofKey, verifyDpop } from '../../../core/oauth/dpop.ts'
import { nonceAt } from '../../../core/oauth/nonce.ts'
import { newProofKey, type ProofParts, proofOf } from '../../program.ts'

const keys = deriveKeys(new Uint8Array(32).fill(7))
const at = 1_800_000_000_000
const request = { method: 'POST', url: 'https://access.example.com/oauth/token' }
const nonce = nonceAt(keys.nonce, at)

/** `read`: how many headers were read. */
function newVerifier() {
  const counted = { read: 0 }
  const signatures: Signatures = {
    ...webSignatures,
    verifier: (jwk) => {
      counted.read += 1
      return webSignatures.verifier(jwk)
    },
  }
  const ports = { keys, now: () => at, proofKeys: new Lru<string, ProofKey>(10), signatures }
  return { counted, verify: (proof: string) => verifyDpop(ports, { ...request, proof }) }
}
const proven = (key: Awaited<ReturnType<typeof newProofKey>>, more: Partial<ProofParts> = {}) =>
  proofOf(key, { ...request, nonce, iat: at / seconds(1), ...more })

test('a header that has signed is read once', async () => {
  const { counted, verify } = newVerifier()
  const key = await newProofKey()
  for (let i = 0; i < 3; i++) expect((await verify(await proven(key))).jkt).toBe(key.jkt)
  expect(counted.read).toBe(1)
})

test('another key that signs under a remembered header is refused', async () => {
  const { verify } = newVerifier()
  const [key, thief] = [await newProofKey(), await newProofKey()]
  await verify(await proven(key))
  const forged = await proven({ ...thief, jwk: key.jwk })
  await expect(verify(forged)).rejects.toMatchObject({ code: 'dpop_invalid', detail: { why: 'signature' } })
})

test('a claim that is wrong is refused under a remembered header', async () => {
  const { verify } = newVerifier()
  const key = await newProofKey()
  await verify(await proven(key))
  await expect(verify(await proven(key, { method: 'GET' }))).rejects.toMatchObject({ detail: { why: 'htm' } })
})

test('a header under which nothing was signed is not remembered', async () => {
  const { counted, verify } = newVerifier()
  const [key, thief] = [await newProofKey(), await newProofKey()]
  const forged = () => proven({ ...thief, jwk: key.jwk })
  await expect(verify(await forged())).rejects.toMatchObject({ code: 'dpop_invalid' })
  await expect(verify(await forged())).rejects.toMatchObject({ code: 'dpop_invalid' })
  expect(counted.read).toBe(2)
})

test('a long header is read each time: strangers fill no memory', async () => {
  const { counted, verify } = newVerifier()
  const key = await newProofKey()
  const long = () => proven(key, { header: { kid: 'x'.repeat(300) } })
  for (let i = 0; i < 2; i++) expect((await verify(await long())).jkt).toBe(key.jkt)
  expect(counted.read).toBe(2)
})
