/**
 * Signatures of Node's own, at once: Web Cryptography's trip over the thread pool costs Node several times the signature. Deno and Bun
 * have the same functions. The same keys, algorithms and encodings as core/lib/jws.ts, which a test holds them to.
 *
 * Keys go in bare, and what is checked as DER: for a key with options around it Node throws and catches two errors a call, and to turn
 * r || s into DER costs OpenSSL a third of what the check costs.
 */
import { createPublicKey, KeyObject, sign, verify } from 'node:crypto'
import { type Bytes, concat } from '../core/lib/bytes.ts'
import type { PublicJwk } from '../core/lib/jwk.ts'
import type { Signatures, Verifier } from '../core/lib/jws.ts'

const native = new WeakMap<CryptoKey, KeyObject>()

function nativeOf(key: CryptoKey): KeyObject {
  const known = native.get(key)
  if (known) return known
  const made = KeyObject.from(key as Parameters<typeof KeyObject.from>[0])
  native.set(key, made)
  return made
}

export const nodeSignatures: Signatures = {
  sign: (key, data) =>
    new Uint8Array(
      key.algorithm.name === 'ECDSA'
        ? sign('sha256', data, { key: nativeOf(key), dsaEncoding: 'ieee-p1363' })
        : sign(null, data, nativeOf(key)),
    ),
  verifier: (jwk) => {
    const key = importJwk(jwk)
    return key && verifierOf(jwk, key)
  },
}

function importJwk(jwk: PublicJwk): KeyObject | undefined {
  try {
    return createPublicKey({ key: { ...jwk }, format: 'jwk' })
  } catch {
    return undefined
  }
}

const verifierOf = ({ kty }: PublicJwk, key: KeyObject): Verifier =>
  kty === 'OKP'
    ? (signature, data) => verify(null, data, key, signature)
    : (signature, data) => signature.length === 2 * coordinate && verify('sha256', data, key, derOf(signature))

const coordinate = 32

/** ECDSA-Sig-Value (RFC 3279 section 2.2.3) of r || s: for P-256 each length fits one byte. */
function derOf(raw: Uint8Array): Bytes {
  const [r, s] = [integer(raw.subarray(0, coordinate)), integer(raw.subarray(coordinate))]
  return concat([0x30, r.length + s.length], r, s)
}

/** Without leading zeros, but for the one that keeps it from being negative. */
function integer(bytes: Uint8Array): Bytes {
  const first = bytes.findIndex((byte) => byte !== 0)
  const digits = bytes.subarray(first < 0 ? bytes.length - 1 : first)
  const sign = (digits[0] as number) < 0x80 ? [] : [0]
  return concat([0x02, sign.length + digits.length], sign, digits)
}
