/**
 * A grant in an X.509 certificate, for clients that bring TLS of their own. The program makes the key and signs the certificate with it:
 * what counts of it is the grant, which the edge has signed and which names the key, and that the handshake has shown the key. So there
 * is no authority whose key could be stolen, and the certificate says nothing beyond the grant.
 */
import { base64url, textOf } from '../lib/bytes.ts'
import { keyOf, parseCertificate } from '../lib/certificate.ts'
import { derOf } from '../lib/der.ts'
import { type EcJwk, jwkThumbprint } from '../lib/jwk.ts'
import type { Holder } from '../model.ts'
import { Refusal } from '../refusal.ts'

/** Holds the grant as a UTF8String. Made of a UUID, under the arc that is there for that. */
export const grantExtension = '1.2.840.113556.1.8000.2554.28110.20652.38920.19145.46295.11013543.11459471'
export const utf8String = 0x0c

export interface CertifiedGrant {
  /** As the edge signed it; not checked here. */
  readonly jwt: string
  /** RFC 7638 thumbprint of the certificate's key: P-256. */
  readonly jkt: Holder
}

/** `der`: as a handshake brought it, which has shown its key. @throws Refusal grant_invalid */
export function readGrantCertificate(der: Uint8Array): CertifiedGrant {
  const invalid = (why: string) => new Refusal('grant_invalid', { why })
  const parsed = parseCertificate(der)
  if (parsed.kind !== 'value') throw invalid(parsed.kind === 'invalid' ? `certificate: ${parsed.why}` : 'certificate')
  const { publicKey, extensions } = parsed.value
  const jwk = p256Of(publicKey)
  if (!jwk) throw invalid('certificate: no P-256 key')
  const extension = extensions.get(grantExtension)
  if (!extension) throw invalid('certificate: no grant in it')
  const jwt = textOf(derOf(extension.value, utf8String)?.content ?? new Uint8Array([0xff]))
  if (jwt === undefined || !/^[A-Za-z0-9_.-]+$/.test(jwt)) throw invalid('certificate: malformed')
  return { jwt, jkt: jwkThumbprint(jwk) as Holder }
}

/** Uncompressed (SEC 1 section 2.3.3): the one form in which TLS and libraries write it. */
function p256Of(publicKey: Uint8Array<ArrayBuffer>): EcJwk | undefined {
  const { kind, curve, bits } = keyOf(publicKey)
  if (kind !== 'ECDSA' || curve?.[0] !== 'P-256' || bits?.length !== 65 || bits[0] !== 4) return undefined
  return { kty: 'EC', crv: 'P-256', x: base64url(bits.slice(1, 33)), y: base64url(bits.slice(33)) }
}
