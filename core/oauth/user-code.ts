/** The code that a person carries from a terminal to a browser (RFC 8628 section 6.1): `BCDF-GHJK`. */
import type { Ports } from '../ports.ts'

/** No vowels, so no words; no digits, so nothing is taken for another. 20^8 codes: one of ten thousand is a guess in 2.5 million. */
const letters = 'BCDFGHJKLMNPQRSTVWXZ'
const length = 8
/** Bytes from here on would make the first letters likelier. */
const fair = 256 - (256 % letters.length)

export function newUserCode({ random }: Pick<Ports, 'random'>): string {
  let code = ''
  while (code.length < length) {
    const drawn = [...random(length * 2)].filter((byte) => byte < fair)
    code += drawn.map((byte) => letters.charAt(byte % letters.length)).join('')
  }
  return shown(code.slice(0, length))
}

const shown = (code: string): string => `${code.slice(0, length / 2)}-${code.slice(length / 2)}`

/** As people type it: in any case, with and without what separates it. undefined: none that was ever given out. */
export function parseUserCode(typed: string): string | undefined {
  const code = typed.toUpperCase().replaceAll(/[\s\p{Pd}._]/gu, '')
  const isCode = code.length === length && [...code].every((letter) => letters.includes(letter))
  return isCode ? shown(code) : undefined
}
