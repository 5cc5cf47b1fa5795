/**
 * Signatures of Node's own, at once: Web Cryptography's trip over the thread pool costs Node several times the signature. Deno and Bun
 * have the same functions. The same keys, algorithms and encodings as core/lib/jws.ts, which a test holds them to.
 */
import { KeyObject, sign, verify } from 'node:crypto'
import type { Signatures } from '../core/lib/jws.ts'

const native = new WeakMap<CryptoKey, KeyObject>()

function nativeOf(key: CryptoKey): KeyObject {
  const known = native.get(key)
  if (known) return known
  const made = KeyObject.from(key as Parameters<typeof KeyObject.from>[0])
  native.set(key, made)
  return made
}

const hashOf = ({ algorithm: { name } }: CryptoKey): string | null => (name === 'ECDSA' ? 'sha256' : null)

export const nodeSignatures: Signatures = {
  sign: (key, data) => new Uint8Array(sign(hashOf(key), data, { key: nativeOf(key), dsaEncoding: 'ieee-p1363' })),
  verify: (key, signature, data) =>
    verify(hashOf(key), data, { key: nativeOf(key), dsaEncoding: 'ieee-p1363' }, signature),
}
