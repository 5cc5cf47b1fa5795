/**
 * Codes on paper, for whoever has lost the second factor. 80 random bits each, so a plain SHA-256 is enough at rest: what makes
 * password hashes slow is to stop guessing, and nobody guesses 80 bits.
 */
import { base64url, utf8 } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'
import type { UserId } from '../model.ts'

/** Crockford's base32: no I, L, O and U, so that no two characters look alike. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const lookalikes: Readonly<Record<string, string>> = { I: '1', L: '1', O: '0' }
const length = 16

export const recoveryCodes = 10

/** Five bits of a random byte for each character: `K7QP-2M9X-...`, 80 bits in all. */
export function newRecoveryCode(random: (length: number) => Uint8Array): string {
  const characters = [...random(length)].map((byte) => alphabet.charAt(byte & 31))
  return characters.join('').replaceAll(/.{4}(?=.)/g, '$&-')
}

/** How the database names a code of this user, base64url. undefined: no code of ours looks like this. */
export function recoveryHash(user: UserId, typed: string): string | undefined {
  const code = typed
    .toUpperCase()
    .replaceAll(/[\s-]/g, '')
    .replaceAll(/[ILO]/g, (letter) => lookalikes[letter] ?? letter)
  const isCode = code.length === length && [...code].every((character) => alphabet.includes(character))
  return isCode ? base64url(sha256(utf8(`sallyport recovery code v1\0${user}\0${code}`))) : undefined
}
