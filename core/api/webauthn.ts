/** The answers of a browser's WebAuthn calls, as far as they are read. Bytes stay base64url: core reads them. */
import type { RegistrationJson } from '../login/passkey-register.ts'
import type { AssertionJson } from '../tap/verify.ts'
import { parseVouchKey, type VouchKey } from '../vouch.ts'
import { list, object, optional, type Shape, shape, text, wrong, yesOrNo } from './shape.ts'

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
  clientExtensionResults: optional(object({ credProps: optional(object({ rk: optional(yesOrNo) })) })),
})

const coordinate = { type: 'string', minLength: 43, maxLength: 43 }
const vouchKeySchema = {
  type: 'object',
  properties: { kty: { const: 'EC' }, crv: { const: 'P-256' }, x: coordinate, y: coordinate },
  required: ['kty', 'crv', 'x', 'y'],
  additionalProperties: false,
}

export const vouchKey: Shape<VouchKey> = shape(vouchKeySchema, (json, path) => {
  const key = parseVouchKey(json)
  if (!key) throw wrong(path, 'a public P-256 key as JWK')
  return key
})
