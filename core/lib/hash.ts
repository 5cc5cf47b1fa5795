/**
 * SHA-256, HMAC and HKDF, of noble's (audited, no dependencies), because they answer at once: Web Cryptography answers
 * through a thread, which on Node costs more than the hash, and a login makes eight of them.
 */
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac as nobleHmac } from '@noble/hashes/hmac.js'
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { type Bytes, equalBytes, utf8 } from './bytes.ts'

export const sha256 = (bytes: Uint8Array): Bytes => new Uint8Array(nobleSha256(bytes))

/** A secret for HMAC-SHA-256 that can be used and not read. */
export interface MacKey {
  readonly mac: (bytes: Uint8Array) => Bytes
}

export function hmacKey(secret: Uint8Array): MacKey {
  // Keyed once: on short texts the key is half of an HMAC's work.
  const keyed = nobleHmac.create(nobleSha256, secret)
  return { mac: (bytes) => new Uint8Array(keyed.clone().update(bytes).digest()) }
}

export const hmac = (key: MacKey, bytes: Uint8Array): Bytes => key.mac(bytes)

/** Compares in constant time. */
export const hmacIsRight = (key: MacKey, mac: Uint8Array, bytes: Uint8Array): boolean => equalBytes(mac, key.mac(bytes))

/** HKDF-SHA-256 (RFC 5869) without salt: the input is already uniform. `info` names what the 32 bytes are for. */
export const derive = (secret: Uint8Array, info: string): Bytes =>
  new Uint8Array(hkdf(nobleSha256, secret, undefined, utf8(info), 32))
