/** What `sallyport-proxy inspect` answers about a captured ClientHello: one JSON object, its members in this order. */
import { textOf } from '../lib/bytes.ts'
import { type HelloLimits, type HelloReason, helloLimits, parseHello } from './hello.ts'

export type Inspected =
  | {
      readonly kind: 'value'
      readonly sni: string | null
      readonly alpn: readonly string[]
      /** Four hex digits each, as offered: those of GREASE too. */
      readonly versions: readonly string[]
      /** The group in four hex digits, and the bytes of its key. */
      readonly keyShares: readonly (readonly [group: string, bytes: number])[]
      readonly ech: boolean
      readonly records: number
      readonly bytes: number
    }
  | { readonly kind: 'more'; readonly why: string }
  | { readonly kind: 'invalid'; readonly why: HelloReason }

export const inspectExits: { readonly [kind in Inspected['kind']]: number } = { value: 0, more: 3, invalid: 4 }

export function inspect(bytes: Uint8Array, limits: HelloLimits = helloLimits): Inspected {
  const parsed = parseHello(bytes, limits)
  if (parsed.kind === 'invalid') return parsed
  if (parsed.kind === 'more')
    return { kind: 'more', why: `ends after ${bytes.length} bytes, and has ${parsed.atLeast} at least` }
  const { sni, alpn, versions, keyShares, ech, records, bytes: length } = parsed.value
  return {
    kind: 'value',
    sni: sni ?? null,
    alpn,
    versions: versions.map(hex4),
    keyShares: keyShares.map(({ group, bytes: share }) => [hex4(group), share]),
    ech,
    records,
    bytes: length,
  }
}

const hex4 = (number: number): string => number.toString(16).padStart(4, '0')

/** The bytes of a capture: those that hex text says, with white space as it likes, or the very bytes. */
export function captured(file: Uint8Array): Uint8Array {
  const bytes = fromHex(textOf(file) ?? '')
  return bytes && bytes.length > 0 ? bytes : file
}

/** Undefined: it is no hex. */
function fromHex(spaced: string): Uint8Array | undefined {
  const text = spaced.replace(/\s+/g, '')
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) return undefined
  const bytes = new Uint8Array(text.length / 2)
  for (let at = 0; at < bytes.length; at++)
    bytes[at] = (nibble(text.charCodeAt(at * 2)) << 4) | nibble(text.charCodeAt(at * 2 + 1))
  return bytes
}

/** Of a hex digit in either case: letters have bit 6, and their last four bits count from 1. */
const nibble = (code: number): number => (code & 15) + (code & 64 ? 9 : 0)

export type InspectedLine = Inspected | { readonly kind: 'invalid'; readonly why: 'line_malformed' | 'line_too_long' }

/** Of a line `{"hex": "1603..."}`; other members are the writer's own. */
export function inspectLine(line: Uint8Array): InspectedLine {
  const bytes = fromHex(hexOf(line) ?? '?')
  return bytes ? inspect(bytes) : { kind: 'invalid', why: 'line_malformed' }
}

function hexOf(line: Uint8Array): string | undefined {
  try {
    const json: unknown = JSON.parse(textOf(line) ?? '')
    const hex = typeof json === 'object' && json !== null && 'hex' in json ? json.hex : undefined
    return typeof hex === 'string' ? hex : undefined
  } catch {
    return undefined
  }
}
