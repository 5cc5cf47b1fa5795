/** Public keys as JWK (RFC 7517): the two kinds that clients and we sign with, read strictly, and their one name. */
import type { Json } from '../intent.ts'
import { base64url, fromBase64url, utf8 } from './bytes.ts'
import { sha256 } from './hash.ts'

export type EcJwk = { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string }
/** RFC 8037. */
export type OkpJwk = { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string }
export type PublicJwk = EcJwk | OkpJwk

/** What a signature of such a key may be called: RFC 9864 says Ed25519 for what RFC 8037 called EdDSA. */
const algorithms = { EC: ['ES256'], OKP: ['EdDSA', 'Ed25519'] }
export const jwsAlgorithms: readonly string[] = Object.values(algorithms).flat()
export const algorithmsOf = ({ kty }: PublicJwk): string[] => algorithms[kty]

/** RFC 7638, SHA-256, base64url: 43 characters. */
export const jwkThumbprint = (jwk: PublicJwk): string => base64url(sha256(utf8(canonicalJwk(jwk))))

/** The required members alone, in lexical order. */
function canonicalJwk(jwk: PublicJwk): string {
  if (jwk.kty === 'OKP') return JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x })
  return JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y })
}

/** undefined: another kind, a private key, or not in its one spelling. Other members (kid, use) are left out. */
export function parsePublicJwk(json: Json | undefined): PublicJwk | undefined {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined
  const { kty, crv, x, y, d, k } = json as { readonly [member: string]: Json }
  if (d !== undefined || k !== undefined || !isCoordinate(x)) return undefined
  if (kty === 'OKP' && crv === 'Ed25519') return { kty, crv, x }
  if (kty === 'EC' && crv === 'P-256' && isCoordinate(y)) return { kty, crv, x, y }
  return undefined
}

export const isCoordinate = (text: Json | undefined): text is string =>
  typeof text === 'string' && text.length === 43 && fromBase64url(text)?.length === 32

const parameters = { EC: { name: 'ECDSA', namedCurve: 'P-256' }, OKP: { name: 'Ed25519' } } as const

/** undefined: a point that is not on the curve. */
export async function importPublicJwk(jwk: PublicJwk): Promise<CryptoKey | undefined> {
  try {
    return await crypto.subtle.importKey('jwk', { ...jwk }, parameters[jwk.kty], false, ['verify'])
  } catch {
    return undefined
  }
}
