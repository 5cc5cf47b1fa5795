/** What a new password must be (NIST SP 800-63B section 3.1.1.2): long, and not among those that are tried first. */
import type { Site } from '../model.ts'
import { Refusal } from '../refusal.ts'

const shortest = 12
const longest = 128
/** What must be left of a password without its guessable parts; so many random characters a guesser would have to try anew. */
const mostlyOwn = 6
const differing = 5

/** @throws Refusal password_weak, which tells its owner why */
export async function requireGoodPassword({ rpId }: Site, user: string, password: string): Promise<void> {
  const normal = [...password.normalize('NFKC')]
  if (normal.length < shortest) throw weak(`It has fewer than ${shortest} characters.`)
  if (normal.length > longest) throw weak(`It has more than ${longest} characters.`)
  if (new Set(normal).size < differing) throw weak('It repeats the same few characters.')
  // Loaded late: nobody else needs it.
  const { commonPasswords } = await import('./common-passwords.ts')
  const own = [user, rpId, ...user.split(/[ ._@+-]/), ...rpId.split('.')].map((part) =>
    part.normalize('NFKC').toLowerCase(),
  )
  const parts = [...own.filter((part) => part.length > 2), ...commonPasswords()]
  if (leftOf(normal.join('').toLowerCase(), parts) < mostlyOwn)
    throw weak('It is made of common passwords, your name or the name of this site.')
}

const weak = (told: string) => new Refusal('password_weak', {}, { told })

/** How many characters remain when all these parts are taken out, the long ones first. */
function leftOf(password: string, parts: readonly string[]): number {
  const inOrder = parts.toSorted((a, b) => b.length - a.length)
  const gap = '\0'
  const left = inOrder.reduce((text, part) => text.replaceAll(part, gap), password)
  return [...left.replaceAll(gap, '')].length
}
