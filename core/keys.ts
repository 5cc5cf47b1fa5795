import { type Bytes, base64url, fromBase64url } from './lib/bytes.ts'
import { derive, hmacKey, type MacKey } from './lib/hash.ts'
import { type Sealer, sealerOf } from './lib/seal.ts'
import { type NonceKey, nonceKeyOf } from './oauth/nonce.ts'

/** What the edge derives from `SALLYPORT_KEY`. Each key has one use and its own name in HKDF. */
export interface Keys {
  /** HMAC-SHA-256: seals tickets. */
  readonly ticket: MacKey
  /** HMAC-SHA-256: how the operator proves to a deployed edge that he holds `SALLYPORT_KEY`. */
  readonly operator: MacKey
  /** HMAC-SHA-256: refresh tokens. */
  readonly refresh: MacKey
  /** HMAC-SHA-256: DPoP nonces. */
  readonly nonce: NonceKey
  /** HMAC-SHA-256: copies of public facts outside the database. */
  readonly copies: MacKey
  /** AES-256-GCM: signing keys at rest. */
  readonly sealer: Sealer
  /** AES-256-GCM: the keys of authenticator apps at rest. */
  readonly factors: Sealer
  /** HMAC-SHA-256: the names that passwords are tried for, as tickets and the database know them. */
  readonly names: MacKey
  /** HMAC-SHA-256: the passkeys that are made up for names which have none. */
  readonly madeUp: MacKey
  /** Public: lies in the database, so that a wrong key is told before anything is written under it. */
  readonly check: string
}

export const deriveKeys = (secret: Bytes): Keys => ({
  ticket: hmacKey(derive(secret, 'sallyport ticket key v1')),
  operator: hmacKey(derive(secret, 'sallyport operator key v1')),
  refresh: hmacKey(derive(secret, 'sallyport refresh key v1')),
  nonce: nonceKeyOf(hmacKey(derive(secret, 'sallyport nonce key v1'))),
  copies: hmacKey(derive(secret, 'sallyport copies key v1')),
  sealer: sealerOf(derive(secret, 'sallyport seal key v1')),
  factors: sealerOf(derive(secret, 'sallyport factor seal key v1')),
  names: hmacKey(derive(secret, 'sallyport name key v1')),
  madeUp: hmacKey(derive(secret, 'sallyport made-up key v1')),
  check: base64url(derive(secret, 'sallyport key check v1')),
})

/** `SALLYPORT_KEY`: 32 random bytes as base64url, 43 characters. */
export function parseSecret(text: string): Bytes | undefined {
  const secret = fromBase64url(text.trim())
  return secret?.length === 32 ? secret : undefined
}
