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
  const text = textOf(file)?.replace(/\s/g, '') ?? ''
  if (!/^(?:[0-9a-f]{2})+$/i.test(text)) return file
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => Number.parseInt(text.slice(at * 2, at * 2 + 2), 16))
}
