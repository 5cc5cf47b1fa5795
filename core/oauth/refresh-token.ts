/**
 * Refresh tokens: `SESSION.GENERATION.SEAL`, where the seal is an HMAC over the rest. The database counts generations and knows no
 * token, so a copy of it holds nothing to steal; and because the successor follows from its predecessor, whoever repeats a
 * request whose answer was lost gets the very same one, and there is never a second branch. Each is of use only to the key that
 * its session is bound to (RFC 9449 section 5).
 */
import { base64url, fromBase64url, utf8 } from '../lib/bytes.ts'
import { hmac, hmacIsRight, type MacKey } from '../lib/hash.ts'
import type { ClientSessionId } from '../model.ts'

const form = /^([A-Za-z0-9_-]{22})\.([1-9]\d{0,8})\.([A-Za-z0-9_-]{43})$/

const sealed = (id: string, generation: number) => utf8(`sallyport refresh v1\0${id}.${generation}`)

export const refreshTokenOf = (key: MacKey, id: ClientSessionId, generation: number): string =>
  `${id}.${generation}.${base64url(hmac(key, sealed(id, generation)))}`

/** undefined: no token that this cluster ever gave out. */
export function parseRefreshToken(key: MacKey, token: string): { id: ClientSessionId; generation: number } | undefined {
  const [, id = '', count = '', seal = ''] = form.exec(token) ?? []
  const [generation, mac] = [Number(count), fromBase64url(seal)]
  if (id === '' || !mac || !hmacIsRight(key, mac, sealed(id, generation))) return undefined
  return { id: id as ClientSessionId, generation }
}
