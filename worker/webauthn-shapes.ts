/** The answers of a browser's WebAuthn calls, as far as they are read. Bytes stay base64url: core reads them. */
import type { RegistrationJson } from '../core/login/passkey-register.ts'
import { Refusal } from '../core/refusal.ts'
import type { AssertionJson } from '../core/tap/verify.ts'
import { parseVouchKey, type VouchKey } from '../core/vouch.ts'
import { list, object, optional, type Shape, text } from './body.ts'

/** 1,023 bytes at most (WebAuthn Level 3 section 4, Credential ID). */
export const credentialId = text(1364)
export const ticket = text(8192)

export const assertion: Shape<AssertionJson> = object({
  id: credentialId,
  response: object({
    clientDataJSON: text(8192),
    authenticatorData: text(8192),
    signature: text(2048),
    userHandle: optional(text(128)),
  }),
})

export const registration: Shape<RegistrationJson> = object({
  id: credentialId,
  response: object({
    clientDataJSON: text(8192),
    attestationObject: text(65_536),
    transports: optional(list(text(32), 16)),
  }),
})

export const vouchKey: Shape<VouchKey> = (json, path) => {
  const key = parseVouchKey(json)
  if (!key) throw new Refusal('bad_request', { why: `${path}: a public P-256 key as JWK` })
  return key
}
