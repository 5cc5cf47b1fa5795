/** Codes of authenticator apps: TOTP (RFC 6238) with SHA-1, six digits and steps of 30 seconds, which is what all apps can do. */
import { hmac } from '@noble/hashes/hmac.js'
import { sha1 } from '@noble/hashes/legacy.js'
import { Secret, TOTP } from 'otpauth/bare'
import { type Bytes, concat } from '../lib/bytes.ts'
import type { Instant, Site } from '../model.ts'

/** 160 bits, as RFC 4226 section 4 recommends. */
export const totpSecretLength = 20

const period = 30
const digits = 6

/** `bare`: the library without hashes of its own, since noble's are here already. */
const configOf = (secret: Bytes) => ({
  algorithm: 'SHA1',
  digits,
  period,
  secret: new Secret({ buffer: concat(secret).buffer }),
  hmac: (_algorithm: string, key: Uint8Array, message: Uint8Array) => hmac(sha1, key, message),
})

/** The key as the QR code has it, and as a person types it who has no camera. */
export function totpForApp(
  { rpId }: Site,
  user: string,
  secret: Bytes,
): { readonly uri: string; readonly secret: string } {
  const totp = new TOTP({ ...configOf(secret), issuer: rpId, label: user })
  return { uri: totp.toString(), secret: totp.secret.base32 }
}

/**
 * The step that a code is of, if it is one of this secret now: of the running step, the one before or the next (RFC 6238 section
 * 5.2), so that a clock may be off by half a minute. Whether that step was used before is the database's to say.
 */
export function stepOf(secret: Bytes, code: string, now: Instant): number | undefined {
  const token = code.replaceAll(/\s/g, '')
  if (!/^\d{6}$/.test(token)) return undefined
  const delta = new TOTP(configOf(secret)).validate({ token, timestamp: now, window: 1 })
  return delta === null ? undefined : TOTP.counter({ period, timestamp: now }) + delta
}
