/**
 * DER (X.690 section 10) as certificates have it: definite lengths in their shortest form. Own code because what is read
 * here was written by whoever asks to be let in, and the library at hand throws, and reads much that is not DER.
 */
import { type Bytes, concat, textOf } from './bytes.ts'
import { invalid, more, type Parsed, value } from './parsed.ts'

/** `tag`: the identifier octet; for numbers from 31 on the number stands in the bits above it, see `explicit`. */
export interface Der {
  readonly tag: number
  readonly content: Bytes
  /** With its head. */
  readonly whole: Bytes
}

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  utcTime: 0x17,
  time: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

const highNumber = 0x1f

/** The tag of `[number] EXPLICIT`. */
export const explicit = (number: number): number =>
  number < highNumber ? 0xa0 | number : 0xa0 | highNumber | (number << 8)

/** Reads one element at `from`, not what is in it. `used` counts from there. */
export function parseDer(bytes: Uint8Array, from = 0): Parsed<Der> {
  const tag = parseTag(bytes, from)
  if (tag.kind !== 'value') return tag
  const length = parseLength(bytes, from + tag.used)
  if (length.kind !== 'value') return length
  const start = from + tag.used + length.used
  const end = start + length.value
  if (bytes.length < end) return more(end)
  const [content, whole] = [new Uint8Array(bytes.subarray(start, end)), new Uint8Array(bytes.subarray(from, end))]
  return value({ tag: tag.value, content, whole }, end - from)
}

function parseTag(bytes: Uint8Array, from: number): Parsed<number> {
  const first = bytes[from]
  if (first === undefined) return more(from + 1)
  if ((first & highNumber) !== highNumber) return value(first, 1)
  const [high, low] = [bytes[from + 1], bytes[from + 2]]
  if (high === undefined) return more(from + 2)
  if (high < 0x80) return high < highNumber ? invalid('der: a tag in a longer form') : value(first | (high << 8), 2)
  if (low === undefined) return more(from + 3)
  if (high === 0x80 || low >= 0x80) return invalid('der: a tag in a longer form, or one of many bytes')
  return value(first | (((high & 0x7f) * 128 + low) << 8), 3)
}

function parseLength(bytes: Uint8Array, from: number): Parsed<number> {
  const first = bytes[from]
  if (first === undefined) return more(from + 1)
  if (first < 0x80) return value(first, 1)
  const size = first & 0x7f
  if (size === 0 || size > 3) return invalid('der: a length without end, or of more than 3 bytes')
  if (bytes.length < from + 1 + size) return more(from + 1 + size)
  let length = 0
  for (let i = 1; i <= size; i++) length = length * 256 + (bytes[from + i] as number)
  const shortest = size === 1 ? 0x80 : 256 ** (size - 1)
  return length < shortest ? invalid('der: a length in a longer form than it needs') : value(length, 1 + size)
}

/** What `bytes` are, whole, if they are one element with this tag. The readers below take its undefined, and pass it on. */
export function derOf(bytes: Uint8Array | undefined, tag: number): Der | undefined {
  const parsed = bytes && parseDer(bytes)
  const isWhole = parsed?.kind === 'value' && parsed.used === bytes?.length
  return isWhole && parsed.value.tag === tag ? parsed.value : undefined
}

/** What is in an element of this tag. */
export function elementsOf(der: Der | undefined, tag: number): readonly Der[] | undefined {
  if (der?.tag !== tag) return undefined
  const elements: Der[] = []
  for (let at = 0; at < der.content.length; ) {
    const parsed = parseDer(der.content, at)
    if (parsed.kind !== 'value') return undefined
    elements.push(parsed.value)
    at += parsed.used
  }
  return elements
}

/** The one element in `[number] EXPLICIT`, if it has this tag. */
export const within = (der: Der | undefined, number: number, tag: number): Der | undefined =>
  der?.tag === explicit(number) ? derOf(der.content, tag) : undefined

/** A whole number from 0 to 2^31 - 1. */
export function numberOf(der: Der | undefined, tag: number = tags.integer): number | undefined {
  const bytes = der?.tag === tag ? der.content : undefined
  const [first, second = 0x80] = bytes ?? []
  if (!bytes || first === undefined || bytes.length > 4 || first > 0x7f) return undefined
  if (first === 0 && second < 0x80) return undefined
  return bytes.reduce((number, byte) => number * 256 + byte, 0)
}

/** A positive INTEGER as `size` bytes. */
export function magnitudeOf(der: Der | undefined, size: number): Bytes | undefined {
  const bytes = der?.tag === tags.integer ? der.content : undefined
  const [first, second = 0x80] = bytes ?? []
  if (!bytes || first === undefined || first > 0x7f || (first === 0 && second < 0x80)) return undefined
  const magnitude = first === 0 ? bytes.subarray(1) : bytes
  return magnitude.length > size ? undefined : concat(new Uint8Array(size - magnitude.length), magnitude)
}

export function booleanOf(der: Der | undefined): boolean | undefined {
  const [byte, ...rest] = der?.tag === tags.boolean ? der.content : []
  return rest.length === 0 && (byte === 0 || byte === 0xff) ? byte === 0xff : undefined
}

/** A BIT STRING of whole bytes. */
export const bitsOf = (der: Der | undefined): Bytes | undefined =>
  der?.tag === tags.bits && der.content[0] === 0 ? der.content.slice(1) : undefined

export const octetsOf = (der: Der | undefined): Bytes | undefined =>
  der?.tag === tags.octets ? der.content : undefined

/** In the dotted form. */
export function oidOf(der: Der | undefined): string | undefined {
  const bytes = der?.tag === tags.oid ? der.content : new Uint8Array(0)
  if (((bytes.at(-1) ?? 0x80) & 0x80) !== 0) return undefined
  const arcs: number[] = []
  let arc = 0
  for (const byte of bytes) {
    if ((arc === 0 && byte === 0x80) || arc >= 2 ** 40) return undefined
    arc = arc * 128 + (byte & 0x7f)
    if (byte < 0x80) {
      arcs.push(arc)
      arc = 0
    }
  }
  const [first = 0, ...rest] = arcs
  const root = Math.min(Math.floor(first / 40), 2)
  return [root, first - root * 40, ...rest].join('.')
}

/** UTCTime or GeneralizedTime as RFC 5280 section 4.1.2.5 has them, in ms since 1970. */
export function timeOf(der: Der | undefined): number | undefined {
  const text = der && textOf(der.content)
  const form = der?.tag === tags.utcTime ? /^\d{12}Z$/ : der?.tag === tags.time ? /^\d{14}Z$/ : undefined
  if (!text || !form?.test(text)) return undefined
  const century = Number(text.slice(0, 2)) < 50 ? '20' : '19'
  const digits = der?.tag === tags.utcTime ? century + text : text
  const written = digits.replace(/^(\d{4})(..)(..)(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6.000Z')
  const at = Date.parse(written)
  // Date.parse takes the 30th of February for a day in March.
  return Number.isNaN(at) || new Date(at).toISOString() !== written ? undefined : at
}
