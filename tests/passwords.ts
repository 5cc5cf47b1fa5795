/** Password hashing for tests that are not about it: the real algorithm with few rounds. */

import type { Bytes } from '../core/lib/bytes.ts'
import { hashingWith, type Kdf, type PasswordHashing, pbkdf2 } from '../core/login/password-hash.ts'

export const quick: Kdf = { ...pbkdf2, parameters: { i: 10 } }

const random = (length: number): Bytes => crypto.getRandomValues(new Uint8Array(length))

export const quickPasswords = (): PasswordHashing => hashingWith([quick, pbkdf2], random)

/** How often, and with which parameters, something was hashed. */
export function countingPasswords(): PasswordHashing & { readonly derived: string[] } {
  const derived: string[] = []
  const counting: Kdf = {
    ...quick,
    derive: (password, salt, parameters, length) => {
      derived.push(JSON.stringify([parameters, salt.length, length]))
      return quick.derive(password, salt, parameters, length)
    },
  }
  return { ...hashingWith([counting], random), derived }
}
