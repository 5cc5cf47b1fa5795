/**
 * What our own pages call for passwords, authenticator apps and recovery codes. Each change is begun, for the intent that a passkey
 * taps (`options`), and made with that tap; who has no passkey sends `current` in its place.
 */
import type { AnyOperation } from './operation.ts'
import { anything, list, object, oneOf, optional, text, whole, yesOrNo } from './shape.ts'
import { assertion, ticket } from './webauthn.ts'

/** Beyond what a password may have, so that one which is too long is told so. */
export const password = text(1024)
export const code = text(64)
const name = text(256)
const id = text(64)
const location = object({ location: text(16_384) })
const empty = object({})
const begun = object({ ticket, options: optional(anything) })
const current = object({ password, code: optional(code), recovery_code: optional(code) })
const proof = { ticket, assertion: optional(assertion), current: optional(current) }

export const factorOperations = {
  factors: {
    method: 'POST',
    path: '/v1/factors',
    summary: 'What one can sign in with, and what is taken here',
    auth: 'page',
    body: empty,
    answer: object({
      passkeys: whole,
      security_keys: whole,
      password_changed_at: optional(whole),
      totps: list(object({ id, name, created_at: whole, last_used_at: optional(whole) }), 64),
      recovery_codes: whole,
      passwords: yesOrNo,
      factors: list(oneOf(['webauthn', 'otp', 'recovery']), 3),
      second_factor: oneOf(['required', 'optional', 'off']),
    }),
  },
  passwordSetBegin: {
    method: 'POST',
    path: '/v1/password/begin',
    summary: 'Begin setting a password: whether this one may be used',
    auth: 'page',
    body: object({ password }),
    answer: begun,
  },
  passwordSet: {
    method: 'POST',
    path: '/v1/password',
    summary: 'Set it; sessions that rest on the one before end',
    auth: 'page',
    body: object({ ...proof, password }),
    answer: location,
  },
  passwordRemoveBegin: {
    method: 'POST',
    path: '/v1/password/remove/begin',
    summary: 'Begin removing the password',
    auth: 'page',
    body: empty,
    answer: begun,
  },
  passwordRemove: {
    method: 'POST',
    path: '/v1/password/remove',
    summary: 'Remove it; sessions that rest on it end',
    auth: 'page',
    body: object(proof),
    answer: location,
  },
  totpAddBegin: {
    method: 'POST',
    path: '/v1/totp/begin',
    summary: 'Begin adding an authenticator app: its key, for a QR code and for typing',
    auth: 'page',
    body: object({ name }),
    answer: object({ ticket, options: optional(anything), uri: text(2048), secret: id, sealed: text(256) }),
  },
  totpAdd: {
    method: 'POST',
    path: '/v1/totp',
    summary: 'Add it, with a code that it shows (`new_code`)',
    auth: 'page',
    body: object({ ...proof, sealed: text(256), new_code: code }),
    answer: location,
  },
  totpRemoveBegin: {
    method: 'POST',
    path: '/v1/totp/{id}/remove/begin',
    summary: 'Begin removing an authenticator app',
    auth: 'page',
    body: empty,
    answer: begun,
  },
  totpRemove: {
    method: 'POST',
    path: '/v1/totp/{id}/remove',
    summary: 'Remove it; sessions that rest on codes end',
    auth: 'page',
    body: object(proof),
    answer: location,
  },
  recoveryCodesBegin: {
    method: 'POST',
    path: '/v1/recovery-codes/begin',
    summary: 'Begin making recovery codes',
    auth: 'page',
    body: empty,
    answer: begun,
  },
  recoveryCodesMake: {
    method: 'POST',
    path: '/v1/recovery-codes',
    summary: 'Make ten; they are shown this once, and those of before are void',
    auth: 'page',
    body: object(proof),
    answer: object({ codes: list(code, 10) }),
  },
} as const satisfies Record<string, AnyOperation>
