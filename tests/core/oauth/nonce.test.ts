/** DPoP nonces (RFC 9449 section 8): good for the window that they were made in and the next one. */
import { describe, expect, test } from 'vitest'
import { deriveKeys } from '../../../core/keys.ts'
import { fromBase64url } from '../../../core/lib/bytes.ts'
import { webSignatures } from '../../../core/lib/jws.ts'
import { Lru } from '../../../core/lib/lru.ts'
import { minutes, seconds } from '../../../core/model.ts'
import { type ProofKey, verifyDpop } from '../../../core/oauth/dpop.ts'
import { nonceAt } from '../../../core/oauth/nonce.ts'
import { newProofKey, proofOf } from '../../program.ts'

const keys = deriveKeys(new Uint8Array(32).fill(7))
const window = minutes(5)
const start = 6_000_000 * window
const key = await newProofKey()
const request = { method: 'POST', url: 'https://access.example.com/oauth/token' }

async function outcome(nonce: string | undefined, at: number): Promise<unknown> {
  const proof = await proofOf(key, { ...request, nonce, iat: at / seconds(1) })
  const ports = { keys, now: () => at, proofKeys: new Lru<string, ProofKey>(1), signatures: webSignatures }
  return verifyDpop(ports, { ...request, proof }).then(
    () => 'good',
    ({ code }: { code: string }) => code,
  )
}

describe('nonceAt', () => {
  test('is the same for a whole window, and another in the next', () => {
    const nonce = nonceAt(keys.nonce, start)
    expect(fromBase64url(nonce)).toHaveLength(20)
    expect(nonceAt(keys.nonce, start + window - 1)).toBe(nonce)
    expect(nonceAt(keys.nonce, start + window)).not.toBe(nonce)
    expect(nonceAt(keys.nonce, start - 1)).not.toBe(nonce)
  })

  test('is the same on every process of the cluster, and another on another cluster', () => {
    expect(nonceAt(deriveKeys(new Uint8Array(32).fill(7)).nonce, start)).toBe(nonceAt(keys.nonce, start))
    expect(nonceAt(deriveKeys(new Uint8Array(32).fill(8)).nonce, start)).not.toBe(nonceAt(keys.nonce, start))
  })
})

describe('verifyDpop', () => {
  test('takes a nonce of this window and of the one before, to the last millisecond', async () => {
    const nonce = nonceAt(keys.nonce, start)
    for (const at of [start, start + window - 1, start + window, start + 2 * window - 1])
      expect(await outcome(nonce, at), `${at - start}`).toBe('good')
  })

  test('asks for a new one from the window after the next on, and for one of a time to come', async () => {
    const nonce = nonceAt(keys.nonce, start)
    for (const at of [start + 2 * window, start + 100 * window, start - 1])
      expect(await outcome(nonce, at), `${at - start}`).toBe('dpop_nonce')
  })

  test('asks for one where there is none, and where it is not one of ours', async () => {
    const nonce = nonceAt(keys.nonce, start)
    const foreign = nonceAt(deriveKeys(new Uint8Array(32).fill(8)).nonce, start)
    const altered = `${nonce.slice(0, -2)}${nonce.endsWith('AA') ? 'BA' : 'AA'}`
    for (const wrong of [undefined, '', foreign, altered, nonce.slice(1), `${nonce}A`, `${nonce}=`, '!'.repeat(27)])
      expect(await outcome(wrong, start), wrong).toBe('dpop_nonce')
  })
})
