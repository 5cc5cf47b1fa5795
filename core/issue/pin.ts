import { type Bytes, base64url } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'

/**
 * What names a certificate authority to somebody who compares: SHA-256 of its SubjectPublicKeyInfo (DER), which stays when
 * the certificate is renewed with the same key.
 */
export const pinOf = (spki: Bytes): string => `sha256:${base64url(sha256(spki))}`
