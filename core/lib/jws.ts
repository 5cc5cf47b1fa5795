/**
 * JWS in its compact form (RFC 7515 section 7.1), for what is signed and checked at every request. Which key and which algorithm is
 * the caller's to say: nothing in a header chooses. Elsewhere jose does it; it knows Web Cryptography only, whose thread costs
 * Node more than a signature does, so what signs is a port here.
 */
import { type Json, membersOf } from '../intent.ts'
import { type Bytes, base64url, fromBase64url, textOf, utf8 } from './bytes.ts'
import { importPublicJwk, type PublicJwk } from './jwk.ts'
import { invalid, type Parsed, value } from './parsed.ts'

/** Ed25519 (RFC 8032), and ECDSA with P-256 and SHA-256 as r || s (RFC 7518 section 3.4): which of them is the key's own. */
export interface Signatures {
  sign(key: CryptoKey, data: Bytes): Bytes | Promise<Bytes>
  /** undefined: a point that is not on its curve. */
  verifier(jwk: PublicJwk): Verifier | undefined | Promise<Verifier | undefined>
}

/** Checks what a key signed. */
export type Verifier = (signature: Bytes, data: Bytes) => boolean | Promise<boolean>

const parametersOf = ({ algorithm: { name } }: CryptoKey) => (name === 'ECDSA' ? { name, hash: 'SHA-256' } : { name })

export const webSignatures: Signatures = {
  sign: async (key, data) => new Uint8Array(await crypto.subtle.sign(parametersOf(key), key, data)),
  verifier: async (jwk) => {
    const key = await importPublicJwk(jwk)
    return key && ((signature, data) => crypto.subtle.verify(parametersOf(key), key, signature, data))
  },
}

export type JwsHeader = { readonly [member: string]: Json }

export interface Jws {
  /** As it came: base64url. */
  readonly head: string
  readonly payload: Bytes
  /** What the signature is over. */
  readonly signed: Bytes
  readonly signature: Bytes
}

/** Its three parts, the last two in their one spelling; the signature is not checked. */
export function parseJws(text: string): Parsed<Jws> {
  const [head = '', body = '', seal = '', ...others] = text.split('.')
  const [payload, signature] = [fromBase64url(body), fromBase64url(seal)]
  if (others.length > 0 || head === '' || !payload?.length || !signature?.length) return invalid('jws: form')
  return value({ head, payload, signed: utf8(`${head}.${body}`), signature }, text.length)
}

/** In its one spelling. `crit` is refused: no extension is known. */
export function parseJwsHeader(head: string): Parsed<JwsHeader> {
  const bytes = fromBase64url(head)
  const members = bytes && parseMembers(bytes)
  if (!members || 'crit' in members || 'b64' in members) return invalid('jws: header')
  return value(members, head.length)
}

function parseMembers(bytes: Bytes): JwsHeader | undefined {
  try {
    return membersOf(JSON.parse(textOf(bytes) ?? '') as Json)
  } catch {
    return undefined
  }
}

export async function signJws(signatures: Signatures, key: CryptoKey, header: object, claims: object): Promise<string> {
  const signed = `${base64url(utf8(JSON.stringify(header)))}.${base64url(utf8(JSON.stringify(claims)))}`
  return `${signed}.${base64url(await signatures.sign(key, utf8(signed)))}`
}
