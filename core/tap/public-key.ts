/** COSE_Key (RFC 9052 section 7, RFC 9053) to a key that verifies, for the three algorithms that we ask for. */
import { type Bytes, base64url } from '../lib/bytes.ts'
import { type CborMap, parseCbor } from '../lib/cbor.ts'
import { sha256 } from '../lib/hash.ts'
import { type Signatures, type Verifier, webSignatures } from '../lib/jws.ts'
import type { Fingerprint } from '../model.ts'

/** In order of preference: ES256 (every authenticator has it), EdDSA with Ed25519, RS256 (Windows Hello on older TPMs). */
export const algorithms = [-7, -8, -257] as const
type Algorithm = (typeof algorithms)[number]

export interface PublicKey {
  readonly algorithm: Algorithm
  /** The COSE_Key that it was read from. */
  readonly cose: Bytes
  /** Takes a signature of ECDSA as r || s. */
  readonly verify: Verifier
  readonly fingerprint: Fingerprint
}

const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
const label = { kty: 1, alg: 3, crv: -1, x: -2, y: -3, n: -1, e: -2 }

export const fingerprintOf = (cose: Bytes): Fingerprint => base64url(sha256(cose)) as Fingerprint

/**
 * undefined: not a key of ours (shape, curve, size), or a point that is not on the curve. `signatures`: where the runtime has some that
 * are faster than Web Cryptography's.
 */
export async function importPublicKey(cose: Bytes, signatures = webSignatures): Promise<PublicKey | undefined> {
  const parsed = parseCbor(cose)
  if (parsed.kind !== 'value' || parsed.used !== cose.length || !(parsed.value instanceof Map)) return undefined
  const map = parsed.value as CborMap
  const algorithm = algorithms.find((known) => known === map.get(label.alg))
  if (algorithm === undefined) return undefined
  try {
    const verify = await importers[algorithm](map, signatures)
    return verify && { algorithm, cose, verify, fingerprint: fingerprintOf(cose) }
  } catch {
    return undefined
  }
}

const coordinateAt = (map: CborMap, at: number): string | undefined => {
  const found = map.get(at)
  return found instanceof Uint8Array && found.length === 32 ? base64url(found) : undefined
}

type Importer = (map: CborMap, signatures: Signatures) => Promise<Verifier | undefined>

const importers: Record<Algorithm, Importer> = {
  [-7]: async (map, signatures) => {
    const [x, y] = [coordinateAt(map, label.x), coordinateAt(map, label.y)]
    if (map.get(label.kty) !== 2 || map.get(label.crv) !== 1 || !x || !y) return undefined
    return signatures.verifier({ kty: 'EC', crv: 'P-256', x, y })
  },
  [-8]: async (map, signatures) => {
    const x = coordinateAt(map, label.x)
    if (map.get(label.kty) !== 1 || map.get(label.crv) !== 6 || !x) return undefined
    return signatures.verifier({ kty: 'OKP', crv: 'Ed25519', x })
  },
  [-257]: async (map) => {
    const [n, e] = [map.get(label.n), map.get(label.e)]
    if (map.get(label.kty) !== 3 || !(n instanceof Uint8Array) || !(e instanceof Uint8Array)) return undefined
    const bits = n.length * 8 - Math.clz32(n[0] as number) + 24
    const strong = n[0] !== 0 && bits >= 2048 && bits <= 4096
    if (!strong || base64url(e) !== 'AQAB') return undefined
    const key = await crypto.subtle.importKey('jwk', { kty: 'RSA', n: base64url(n), e: 'AQAB' }, rsa, false, ['verify'])
    return (signature, data) => crypto.subtle.verify(rsa, key, signature, data)
  },
}

export async function signatureIsRight(key: PublicKey, signature: Bytes, data: Bytes): Promise<boolean> {
  const given = key.algorithm === -7 ? fromDer(signature) : signature
  return given !== undefined && key.verify(given, data)
}

/** Ecdsa-Sig-Value (RFC 3279 section 2.2.3) for P-256 to the 64 bytes r || s. DER only. */
export function fromDer(der: Uint8Array): Bytes | undefined {
  if (der[0] !== 0x30 || der[1] !== der.length - 2 || der.length > 72) return undefined
  const raw = new Uint8Array(64)
  let at = 2
  for (const end of [32, 64]) {
    const length = der[at + 1] ?? 0
    const number = der.subarray(at + 2, at + 2 + length)
    if (der[at] !== 0x02 || length < 1 || number.length !== length || (number[0] as number) > 0x7f) return undefined
    const padded = number[0] === 0 && length > 1
    if (padded && (number[1] as number) < 0x80) return undefined
    const magnitude = padded ? number.subarray(1) : number
    if (magnitude.length > 32) return undefined
    raw.set(magnitude, end - magnitude.length)
    at += 2 + length
  }
  return at === der.length ? raw : undefined
}
