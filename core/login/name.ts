import { Refusal } from '../refusal.ts'

/** Letters and digits of any script, marks, inner single spaces and . _ @ + ' -. No control or direction characters. */
const shape = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}._@+'-]| (?! ))*$/u
/** Letters and marks that nobody sees: with one of them two names would look the same. */
const invisible = /\p{Default_Ignorable_Code_Point}/u
const longest = 64

/** The one spelling of a name (NFC), or undefined where nobody can be called so. */
export function readName(text: string): string | undefined {
  const name = text.normalize('NFC').trim()
  return name.length <= longest && shape.test(name) && !invisible.test(name) ? name : undefined
}

/** @throws Refusal name_invalid */
export function parseName(text: string): string {
  const name = readName(text)
  if (name === undefined) throw new Refusal('name_invalid')
  return name
}

/** Names that a hurried reader takes for one are one: compatibility forms and letter case do not count. */
export const nameKey = (name: string): string => name.normalize('NFKC').toLowerCase()
