import { type Bytes, textOf } from './bytes.ts'
import { invalid, more, type Parsed, value } from './parsed.ts'

/**
 * The part of CBOR that authenticators write (CTAP 2.2 section 8, canonical form): whole numbers, bytes, text, arrays,
 * maps, booleans and null. Own code because the small library at hand cuts a byte string that is too long in silence and
 * reads beyond the view that it is given; both would let two readers disagree about what was signed.
 */
export type Cbor = number | string | boolean | null | Bytes | readonly Cbor[] | CborMap
export type CborMap = ReadonlyMap<number | string, Cbor>

/** CTAP allows 4 levels; an attestation statement is counted in. */
const deepest = 8

/** Reads one item at `from`. `used` counts from there. `more` says how many bytes the whole input must have at least. */
export function parseCbor(bytes: Uint8Array, from = 0, depth = 0): Parsed<Cbor> {
  if (depth > deepest) return invalid('cbor: too deep')
  const first = bytes[from]
  if (first === undefined) return more(from + 1)
  const major = first >> 5
  if (major === 7) return simple(first)
  const head = parseArgument(bytes, from, first & 31)
  if (head.kind !== 'value') return head
  const [argument, at] = [head.value, from + head.used]
  if (major === 0) return value(argument, head.used)
  if (major === 1) return value(-1 - argument, head.used)
  if (major === 2 || major === 3) return parseString(bytes, at, argument, head.used, major === 3)
  if (major === 4) return parseItems(bytes, from, at, argument, depth)
  if (major === 5) return parseMap(bytes, from, at, argument, depth)
  return invalid('cbor: a tag')
}

function simple(first: number): Parsed<Cbor> {
  if (first === 0xf4) return value(false, 1)
  if (first === 0xf5) return value(true, 1)
  return first === 0xf6 ? value(null, 1) : invalid('cbor: a float or an unknown simple value')
}

function parseArgument(bytes: Uint8Array, from: number, info: number): Parsed<number> {
  if (info < 24) return value(info, 1)
  if (info > 26) return invalid('cbor: a length of 64 bits or none')
  const size = 1 << (info - 24)
  if (bytes.length < from + 1 + size) return more(from + 1 + size)
  let argument = 0
  for (let i = 1; i <= size; i++) argument = argument * 256 + (bytes[from + i] as number)
  const shortest = size === 1 ? 24 : 2 ** (size * 4)
  return argument < shortest ? invalid('cbor: a length in a longer form than it needs') : value(argument, 1 + size)
}

function parseString(bytes: Uint8Array, at: number, length: number, used: number, isText: boolean): Parsed<Cbor> {
  if (bytes.length < at + length) return more(at + length)
  const content = new Uint8Array(bytes.subarray(at, at + length))
  if (!isText) return value(content, used + length)
  const text = textOf(content)
  return text === undefined ? invalid('cbor: text that is not UTF-8') : value(text, used + length)
}

function parseItems(bytes: Uint8Array, from: number, start: number, count: number, depth: number): Parsed<Cbor[]> {
  if (bytes.length < start + count) return more(start + count)
  const items: Cbor[] = []
  let at = start
  for (let i = 0; i < count; i++) {
    const item = parseCbor(bytes, at, depth + 1)
    if (item.kind !== 'value') return item
    items.push(item.value)
    at += item.used
  }
  return value(items, at - from)
}

function parseMap(bytes: Uint8Array, from: number, start: number, count: number, depth: number): Parsed<CborMap> {
  const flat = parseItems(bytes, from, start, count * 2, depth)
  if (flat.kind !== 'value') return flat
  const map = new Map<number | string, Cbor>()
  for (let i = 0; i < flat.value.length; i += 2) {
    const key = flat.value[i]
    if (typeof key !== 'number' && typeof key !== 'string')
      return invalid('cbor: a key that is neither number nor text')
    if (map.has(key)) return invalid('cbor: a key twice')
    map.set(key, flat.value[i + 1] as Cbor)
  }
  return value(map, flat.used)
}
