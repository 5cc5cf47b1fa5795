/** Bytes and their text forms. Nothing here throws on hostile input: a decoder answers undefined. */

export type Bytes = Uint8Array<ArrayBuffer>

const encoder = new TextEncoder()
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export const utf8 = (text: string): Bytes => encoder.encode(text)

/** The text, or undefined where the bytes are not UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return strictDecoder.decode(bytes)
  } catch {
    return undefined
  }
}

export function concat(...parts: readonly ArrayLike<number>[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Takes as long for a first wrong byte as for a last one. A wrong length is told at once: lengths are no secret here. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number)
  return difference === 0
}

const alphabet = utf8('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
const sextets = new Int8Array(256).fill(-1)
for (let i = 0; i < alphabet.length; i++) sextets[alphabet[i] as number] = i

/**
 * base64url without padding (RFC 4648 section 5). By way of bytes: a text that grows by single characters is a tree, which whoever
 * reads it next makes flat at several times this cost.
 */
export function base64url(bytes: Uint8Array): string {
  const text = new Uint8Array(Math.ceil((bytes.length * 4) / 3))
  const tail = bytes.length % 3
  const whole = bytes.length - tail
  let at = 0
  for (let i = 0; i < whole; i += 3) {
    const group = ((bytes[i] as number) << 16) | ((bytes[i + 1] as number) << 8) | (bytes[i + 2] as number)
    text[at++] = alphabet[group >> 18] as number
    text[at++] = alphabet[(group >> 12) & 63] as number
    text[at++] = alphabet[(group >> 6) & 63] as number
    text[at++] = alphabet[group & 63] as number
  }
  if (tail > 0) {
    const group = ((bytes[whole] as number) << 16) | ((bytes[whole + 1] ?? 0) << 8)
    text[at++] = alphabet[group >> 18] as number
    text[at++] = alphabet[(group >> 12) & 63] as number
    if (tail > 1) text[at] = alphabet[(group >> 6) & 63] as number
  }
  return strictDecoder.decode(text)
}

/**
 * Reads base64url without padding, and only its one canonical spelling: no padding, no white space, and the bits that
 * carry nothing are zero. Two spellings of one value would be two names for one fact.
 */
export function fromBase64url(text: string): Bytes | undefined {
  const tail = text.length % 4
  if (tail === 1) return undefined
  const whole = text.length - tail
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let at = 0
  for (let i = 0; i < whole; i += 4) {
    const group =
      (sextet(text, i) << 18) | (sextet(text, i + 1) << 12) | (sextet(text, i + 2) << 6) | sextet(text, i + 3)
    if (group < 0) return undefined
    bytes[at++] = group >> 16
    bytes[at++] = group >> 8
    bytes[at++] = group
  }
  if (tail === 0) return bytes
  const group =
    (sextet(text, whole) << 18) | (sextet(text, whole + 1) << 12) | (tail > 2 ? sextet(text, whole + 2) << 6 : 0)
  if (group < 0 || (group & (tail > 2 ? 0xff : 0xffff)) !== 0) return undefined
  bytes[at++] = group >> 16
  if (tail > 2) bytes[at] = group >> 8
  return bytes
}

/** Negative where it is none: so is then whatever it is put together with. */
function sextet(text: string, at: number): number {
  const unit = text.charCodeAt(at)
  return unit < sextets.length ? (sextets[unit] as number) : -1
}
