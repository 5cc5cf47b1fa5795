import { type Bytes, utf8 } from './bytes.ts'

export const sha256 = async (bytes: Uint8Array<ArrayBuffer>): Promise<Bytes> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))

const hmacSha256 = { name: 'HMAC', hash: 'SHA-256' }

export const hmacKey = (secret: Bytes): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', secret, hmacSha256, false, ['sign', 'verify'])

export const hmac = async (key: CryptoKey, bytes: Bytes): Promise<Bytes> =>
  new Uint8Array(await crypto.subtle.sign('HMAC', key, bytes))

/** Compares in constant time (the verify of Web Cryptography). */
export const hmacIsRight = (key: CryptoKey, mac: Bytes, bytes: Bytes): Promise<boolean> =>
  crypto.subtle.verify('HMAC', key, mac, bytes)

/** HKDF-SHA-256 (RFC 5869) without salt: the input is already uniform. `info` names what the 32 bytes are for. */
export async function derive(secret: Bytes, info: string): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits'])
  const how = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: utf8(info) }
  return new Uint8Array(await crypto.subtle.deriveBits(how, key, 256))
}
