/**
 * Signatures of Node's own, at once: Web Cryptography's trip over the thread pool costs Node several times the signature. Deno and Bun
 * have the same functions. The same keys, algorithms and encodings as core/lib/jws.ts, which a test holds them to.
 *
 * Keys go in bare, and new ones as PEM: for an object with options in its place Node throws and catches up to four errors a call. What
 * is checked goes in as DER: to turn r || s into DER costs OpenSSL a third of what the check costs.
 */
import { createPublicKey, KeyObject, sign, verify } from 'node:crypto'
import { type Bytes, concat, fromBase64url } from '../core/lib/bytes.ts'
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

/** The SubjectPublicKeyInfo before the point of P-256 (RFC 5480 section 2), and before a key of Ed25519 (RFC 8410 section 4), in hex. */
const heads = { EC: '3059301306072a8648ce3d020106082a8648ce3d03010703420004', OKP: '302a300506032b6570032100' }

function importJwk(jwk: PublicJwk): KeyObject | undefined {
  const head = heads[jwk.kty].match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? []
  const spki = concat(head, ...(jwk.kty === 'EC' ? [jwk.x, jwk.y] : [jwk.x]).map(coordinateOf))
  try {
    return createPublicKey(
      `-----BEGIN PUBLIC KEY-----\n${btoa(String.fromCharCode(...spki))}\n-----END PUBLIC KEY-----\n`,
    )
  } catch {
    return undefined
  }
}

const coordinateOf = (text: string): Bytes => fromBase64url(text) ?? new Uint8Array(0)

const verifierOf = ({ kty }: PublicJwk, key: KeyObject): Verifier =>
  kty === 'OKP'
    ? (signature, data) => verify(null, data, key, signature)
    : (signature, data) => signature.length === 2 * coordinate && verify('sha256', data, key, derOf(signature))

const coordinate = 32

/** ECDSA-Sig-Value (RFC 3279 section 2.2.3) of r || s: for P-256 each length fits one byte. */
function derOf(raw: Uint8Array): Bytes {
  const der = new Uint8Array(2 + 2 * (3 + coordinate))
  const end = writeInteger(raw.subarray(coordinate), der, writeInteger(raw.subarray(0, coordinate), der, 2))
  der[0] = 0x30
  der[1] = end - 2
  return der.subarray(0, end)
}

/** Without leading zeros, but for the one that keeps it from being negative. Where it ends in `der`. */
function writeInteger(bytes: Uint8Array, der: Bytes, at: number): number {
  let first = 0
  while (first < bytes.length - 1 && bytes[first] === 0) first++
  const sign = (bytes[first] as number) < 0x80 ? 0 : 1
  der[at] = 0x02
  der[at + 1] = sign + bytes.length - first
  der.set(bytes.subarray(first), at + 2 + sign)
  return at + 2 + sign + bytes.length - first
}
