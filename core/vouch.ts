/**
 * A vouch: why a credential was let in. A tap of an earlier credential names a one-time P-256 key; that key signs an
 * intent which names the new credential. So one tap is enough, it comes before the new passkey is made (nobody is left
 * with a passkey that was never let in), and the chain still names each credential by the hash of its key.
 * Root credentials have none: their fingerprints stand in the proxies' own configuration.
 */
import { challengeOf, type Intent, type Json, type VouchSubject } from './intent.ts'
import { base64url, fromBase64url } from './lib/bytes.ts'
import { type EcJwk, importPublicJwk, jwkThumbprint, parsePublicJwk } from './lib/jwk.ts'
import type { Tap } from './tap/verify.ts'

/** Public half of a one-time key (RFC 7517, RFC 7518 section 6.2), nothing but these four members. */
export type VouchKey = EcJwk

/** As stored with the credential that it lets in. */
export interface Vouch {
  readonly v: 1
  readonly tap: Tap
  readonly key: VouchKey
  /** ECDSA with SHA-256 over the challenge of `vouchIntent(...)`, 64 bytes (r || s), base64url. */
  readonly signature: string
  /** Of an invite: the request that was tapped, by its hash. It is what names the key. */
  readonly request?: Json
}

const ecdsaSha256 = { name: 'ECDSA', hash: 'SHA-256' }

export const thumbprintOf: (key: VouchKey) => string = jwkThumbprint

/** What the one-time key signs. It follows from the tapped intent, so that browser and edge need not exchange it. */
export function vouchIntent(tapped: Intent, subject: VouchSubject): Intent<'vouch'> {
  return { ...tapped, purpose: 'vouch', subject }
}

export async function signVouch(key: CryptoKey, tapped: Intent, subject: VouchSubject): Promise<string> {
  const signature = await crypto.subtle.sign(ecdsaSha256, key, challengeOf(vouchIntent(tapped, subject)))
  return base64url(new Uint8Array(signature))
}

/** Whether `signature` is the one-time key's over a vouch for this subject. The tap itself is checked by verifyTap. */
export async function vouchIsRight(
  key: VouchKey,
  signature: string,
  tapped: Intent,
  subject: VouchSubject,
): Promise<boolean> {
  const raw = fromBase64url(signature)
  const verifier = await importPublicJwk(key)
  if (raw?.length !== 64 || verifier === undefined) return false
  return crypto.subtle.verify(ecdsaSha256, verifier, raw, challengeOf(vouchIntent(tapped, subject)))
}

/** The two coordinates as base64url of 32 bytes each, and no other member: a thumbprint must mean one key. */
export function parseVouchKey(json: Json | undefined): VouchKey | undefined {
  const jwk = parsePublicJwk(json)
  return jwk?.kty === 'EC' && Object.keys(json as object).length === Object.keys(jwk).length ? jwk : undefined
}
