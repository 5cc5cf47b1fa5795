/**
 * JWS in its compact form (RFC 7515 section 7.1), for what is signed and checked at every request. Which key and which algorithm is
 * the caller's to say: nothing in a header chooses. Elsewhere jose does it; it knows Web Cryptography only, whose thread costs
 * Node more than a signature does, so what signs is a port here.
 */
import { type Json, membersOf } from '../intent.ts'
import { type Bytes, base64url, fromBase64url, textOf, utf8 } from './bytes.ts'
import { invalid, type Parsed, value } from './parsed.ts'

/** Ed25519 (RFC 8032), and ECDSA with P-256 and SHA-256 as r || s (RFC 7518 section 3.4): which of them is the key's own. */
export interface Signatures {
  sign(key: CryptoKey, data: Bytes): Bytes | Promise<Bytes>
  verify(key: CryptoKey, signature: Bytes, data: Bytes): boolean | Promise<boolean>
}

const parametersOf = ({ algorithm: { name } }: CryptoKey) => (name === 'ECDSA' ? { name, hash: 'SHA-256' } : { name })

export const webSignatures: Signatures = {
  sign: async (key, data) => new Uint8Array(await crypto.subtle.sign(parametersOf(key), key, data)),
  verify: (key, signature, data) => crypto.subtle.verify(parametersOf(key), key, signature, data),
}

export interface Jws {
  readonly header: { readonly [member: string]: Json }
  readonly payload: Bytes
  /** What the signature is over. */
  readonly signed: Bytes
  readonly signature: Bytes
}

/** Reads its three parts, each in its one spelling; the signature is not checked. `crit` is refused: no extension is known. */
export function parseJws(text: string): Parsed<Jws> {
  const [head = '', body = '', seal = '', ...others] = text.split('.')
  const [header, payload, signature] = [head, body, seal].map(fromBase64url)
  if (others.length > 0 || !header?.length || !payload?.length || !signature?.length) return invalid('jws: form')
  const members = parseHeader(header)
  if (members === undefined || 'crit' in members || 'b64' in members) return invalid('jws: header')
  return value({ header: members, payload, signed: utf8(`${head}.${body}`), signature }, text.length)
}

function parseHeader(bytes: Bytes): Jws['header'] | undefined {
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
