/**
 * DPoP nonces (RFC 9449 section 8): each says nothing but when it was made, under a seal, so no server has to remember it. Good for the
 * window that it was made in and the next one.
 */
import { base64url, concat, equalBytes, utf8 } from '../lib/bytes.ts'
import { hmac, type MacKey } from '../lib/hash.ts'
import { type Instant, minutes } from '../model.ts'

const nonceWindow = minutes(5)
const nonceWindowsKept = 2

/** Makes the nonce of a window: the one that began so many windows after 1970. */
export type NonceKey = (window: number) => string

/** Every request within five minutes asks for the same two, so these are remembered. */
export function nonceKeyOf(key: MacKey): NonceKey {
  const made = new Map<number, string>()
  return (window) => {
    const known = made.get(window)
    if (known !== undefined) return known
    if (made.size === nonceWindowsKept) made.clear()
    const nonce = makeNonce(key, window)
    made.set(window, nonce)
    return nonce
  }
}

function makeNonce(key: MacKey, window: number): string {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, window)
  return base64url(concat(bytes, hmac(key, bytes).subarray(0, 16)))
}

const windowAt = (at: Instant): number => Math.floor(at / nonceWindow)

export const nonceAt = (nonceOf: NonceKey, at: Instant): string => nonceOf(windowAt(at))

export const nonceIsGood = (nonceOf: NonceKey, nonce: string, at: Instant): boolean =>
  [windowAt(at), windowAt(at) - 1].some((window) => equalBytes(utf8(nonceOf(window)), utf8(nonce)))
