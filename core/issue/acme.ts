/** What ACME wants made and signed: requests (RFC 8555 section 6.2), the answer to a challenge over TLS (RFC 8737), and the request of a certificate. */
import 'reflect-metadata'
import {
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { calculateJwkThumbprint, exportJWK, type FlattenedJWS, FlattenedSign } from 'jose'
import type { Json } from '../intent.ts'
import { type Bytes, base64url, concat, utf8 } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'
import { hours } from '../model.ts'
import type { Ports } from '../ports.ts'
import { type Issued, life, newKeys, serial, signing } from './x509.ts'

/** P-256, all of them. */
export interface AccountKey {
  readonly privateKey: CryptoKey
  readonly jwk: { readonly kty: string; readonly crv: string; readonly x: string; readonly y: string }
  readonly thumbprint: string
}

export async function accountKey({ privateKey, publicKey }: CryptoKeyPair): Promise<AccountKey> {
  const { kty = '', crv = '', x = '', y = '' } = await exportJWK(publicKey)
  const jwk = { kty, crv, x, y }
  return { privateKey, jwk, thumbprint: await calculateJwkThumbprint(jwk) }
}

interface Signed {
  readonly url: string
  readonly nonce: string
  /** The account's URL. undefined: it is asked for, by its key itself. */
  readonly kid: string | undefined
}

/** `payload` undefined: POST-as-GET (section 6.3). */
export function signRequest(key: AccountKey, signed: Signed, payload: Json | undefined): Promise<FlattenedJWS> {
  const { url, nonce, kid } = signed
  const by = kid === undefined ? { jwk: key.jwk } : { kid }
  return new FlattenedSign(utf8(payload === undefined ? '' : JSON.stringify(payload)))
    .setProtectedHeader({ alg: 'ES256', nonce, url, ...by })
    .sign(key.privateKey)
}

/** Section 8.1. */
export const keyAuthorization = (token: string, { thumbprint }: AccountKey): string => `${token}.${thumbprint}`

const acmeIdentifier = '1.3.6.1.5.5.7.1.31'
const octetString = 0x04

/** RFC 8737 section 3: for this very name, signed by itself, and no client takes it: the extension is critical. */
export async function issueChallengeCertificate(
  needs: Pick<Ports, 'now' | 'random'>,
  name: string,
  authorization: string,
): Promise<Issued> {
  const keys = await newKeys()
  const digest = sha256(utf8(authorization))
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=ACME challenge',
    serialNumber: serial(needs),
    ...life(needs, hours(1)),
    keys,
    signingAlgorithm: signing,
    extensions: [
      new SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
      new Extension(acmeIdentifier, true, concat(new Uint8Array([octetString, digest.length]), digest)),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    ],
  })
  return { certificate: new Uint8Array(certificate.rawData), keys }
}

/** PKCS #10 in DER, base64url as section 7.4 wants it, with a key of its own. */
export async function requestCertificate(
  name: string,
): Promise<{ readonly csr: string; readonly keys: CryptoKeyPair }> {
  const keys = await newKeys()
  const request = await Pkcs10CertificateRequestGenerator.create({
    // A common name holds 64 characters at most; the names are in the extension.
    keys,
    signingAlgorithm: signing,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: name }])],
  })
  return { csr: base64url(new Uint8Array(request.rawData) as Bytes), keys }
}
