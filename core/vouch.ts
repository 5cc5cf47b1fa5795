/**
 * A vouch: why a credential was let in. A tap of an earlier credential names a one-time P-256 key; that key signs an
 * intent which names the new credential. So one tap is enough, it comes before the new passkey is made (nobody is left
 * with a passkey that was never let in), and the chain still names each credential by the hash of its key.
 * Root credentials have none: their fingerprints stand in the proxies' own configuration.
 */
import { challengeOf, type Intent, type Json, type VouchSubject } from './intent.ts'
import { base64url, fromBase64url, utf8 } from './lib/bytes.ts'
import { sha256 } from './lib/hash.ts'
import type { Tap } from './tap/verify.ts'

/** Public half of a one-time key (RFC 7517, RFC 7518 section 6.2), nothing but these four members. */
export type VouchKey = {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
}

/** As stored with the credential that it lets in. */
export interface Vouch {
  readonly v: 1
  readonly tap: Tap
  readonly key: VouchKey
  /** ECDSA with SHA-256 over the challenge of `vouchIntent(...)`, 64 bytes (r || s), base64url. */
  readonly signature: string
}

const p256 = { name: 'ECDSA', namedCurve: 'P-256' }
const ecdsaSha256 = { name: 'ECDSA', hash: 'SHA-256' }

/** RFC 7638, SHA-256, base64url. */
export function thumbprintOf({ crv, kty, x, y }: VouchKey): string {
  return base64url(sha256(utf8(JSON.stringify({ crv, kty, x, y }))))
}

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
  const verifier = await importVouchKey(key)
  if (raw?.length !== 64 || verifier === undefined) return false
  return crypto.subtle.verify(ecdsaSha256, verifier, raw, challengeOf(vouchIntent(tapped, subject)))
}

async function importVouchKey({ kty, crv, x, y }: VouchKey): Promise<CryptoKey | undefined> {
  try {
    return await crypto.subtle.importKey('jwk', { kty, crv, x, y }, p256, false, ['verify'])
  } catch {
    return undefined
  }
}

/** The two coordinates as base64url of 32 bytes each, and no other member: a thumbprint must mean one key. */
export function parseVouchKey(json: Json | undefined): VouchKey | undefined {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined
  const { kty, crv, x, y, ...others } = json as { readonly [member: string]: Json }
  const isCoordinate = (text: Json | undefined): text is string =>
    typeof text === 'string' && fromBase64url(text)?.length === 32
  if (kty !== 'EC' || crv !== 'P-256' || !isCoordinate(x) || !isCoordinate(y) || Object.keys(others).length > 0)
    return undefined
  return { kty, crv, x, y }
}
