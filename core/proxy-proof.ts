/**
 * How a proxy shows the edge that it is a registered one: a short JWT by its own Ed25519 key for exactly this request and body.
 * It carries no power beyond what proxies may ask: a snapshot, and to tell what happened.
 */
import { compactVerify, decodeProtectedHeader, SignJWT } from 'jose'
import { type Json, membersOf } from './intent.ts'
import { base64url, textOf } from './lib/bytes.ts'
import { sha256 } from './lib/hash.ts'
import { importPublicJwk, jwkThumbprint, type OkpJwk } from './lib/jwk.ts'
import { type Instant, seconds } from './model.ts'
import { Refusal } from './refusal.ts'

const type = 'proxy+jwt'
const clockSkew = seconds(30)
const longest = 2048

export interface ProxyRequest {
  readonly method: string
  /** The edge's own address of it. */
  readonly url: string
  readonly body: Uint8Array
}

/** A proxy's id is the RFC 7638 thumbprint of its key: whoever has the id can check the proof. */
export const proxyIdOf = (jwk: OkpJwk): string => jwkThumbprint(jwk)

export const proxyJwk = (x: string): OkpJwk => ({ kty: 'OKP', crv: 'Ed25519', x })

export function proveRequest(
  key: CryptoKey,
  id: string,
  { method, url, body }: ProxyRequest,
  now: Instant,
): Promise<string> {
  const claims = { htm: method, htu: url, bh: base64url(sha256(body)), iat: Math.floor(now / 1000) }
  return new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', typ: type, kid: id }).sign(key)
}

/** Which proxy the proof says it is of; undefined where it says none. Nothing is checked yet. */
export function claimedProxy(proof: string | undefined): string | undefined {
  if (proof === undefined || proof.length > longest) return undefined
  try {
    const { kid, typ, alg } = decodeProtectedHeader(proof)
    return typ === type && alg === 'EdDSA' ? kid : undefined
  } catch {
    return undefined
  }
}

/** @throws Refusal proxy_unproven */
export async function verifyProxyProof(jwk: OkpJwk, proof: string, asked: ProxyRequest, now: Instant): Promise<void> {
  const key = await importPublicJwk(jwk)
  const verified = key && (await compactVerify(proof, key, { algorithms: ['EdDSA'] }).catch(() => undefined))
  const { htm, htu, bh, iat } = membersOf(JSON.parse(textOf(verified?.payload ?? new Uint8Array()) || 'null') as Json)
  const isForThis = htm === asked.method && htu === asked.url && bh === base64url(sha256(asked.body))
  if (!verified || !isForThis) throw new Refusal('proxy_unproven', { why: verified ? 'another request' : 'signature' })
  if (typeof iat !== 'number' || Math.abs(now - seconds(iat)) > clockSkew)
    throw new Refusal('proxy_unproven', { why: 'clock' })
}
