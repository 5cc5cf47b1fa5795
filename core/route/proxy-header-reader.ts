/**
 * The PROXY protocol from a balancer in front (haproxy, "The PROXY protocol", versions 1 and 2): where the connection comes from, before
 * the client's first byte. Whoever calls knows that a header must be there and that the peer may be believed: it is never guessed.
 */
import { crc32c } from '../lib/crc32c.ts'
import { Cursor } from '../lib/cursor.ts'
import { Growing } from '../lib/growing.ts'
import { latin1 } from '../lib/latin1.ts'
import { formatAddress, parseAddress } from './address.ts'
import { commandsV2, type Endpoint, familiesV2, signatureV2, tlvs } from './proxy-header.ts'

/** undefined: the balancer speaks for itself, or of what is no TCP. Then the socket's own addresses are the ones. */
export type ProxyHeader = { readonly source: Endpoint; readonly destination: Endpoint } | undefined

export type ProxyHeaderReason =
  | 'proxy_header_checksum'
  | 'proxy_header_command'
  | 'proxy_header_malformed'
  | 'proxy_header_missing'
  | 'proxy_header_too_large'
  | 'proxy_header_version'

export type ParsedProxyHeader =
  | { readonly kind: 'value'; readonly value: ProxyHeader; readonly used: number }
  | { readonly kind: 'more'; readonly atLeast: number }
  | { readonly kind: 'invalid'; readonly why: ProxyHeaderReason }

/** Section 2.1: with its line end. */
const maxV1Bytes = 107
/** Values that are signed, as balancers of clouds send them, are longer than the 536 bytes of section 2.2. */
const maxV2Bytes = 4_096
const fixedV2Bytes = 16

const signatureV1: readonly number[] = [0x50, 0x52, 0x4f, 0x58, 0x59, 0x20] // "PROXY "
const lf = 0x0a

const invalid = (why: ProxyHeaderReason) => ({ kind: 'invalid', why }) as const

export class ProxyHeaderReader {
  readonly #bytes = new Growing()

  /** The next bytes of the connection. An answer other than `more` is the last one. */
  push(piece: Uint8Array): ParsedProxyHeader {
    this.#bytes.append(piece)
    return parseProxyHeader(this.#bytes.bytes)
  }
}

/** Costs the same however many of its bytes have come: no part is read before the whole is there. */
export function parseProxyHeader(bytes: Uint8Array): ParsedProxyHeader {
  if (bytes.length === 0) return { kind: 'more', atLeast: 1 }
  if (agrees(bytes, signatureV1)) return parseV1(bytes)
  return agrees(bytes, signatureV2) ? parseV2(bytes) : invalid('proxy_header_missing')
}

/** As far as both go. */
const agrees = (bytes: Uint8Array, signature: readonly number[]): boolean =>
  signature.every((byte, at) => at >= bytes.length || bytes[at] === byte)

function parseV1(bytes: Uint8Array): ParsedProxyHeader {
  const end = bytes.subarray(0, maxV1Bytes).indexOf(lf)
  if (end >= 0) {
    const value = lineOf(latin1(bytes, 0, end + 1))
    return value === 'malformed' ? invalid('proxy_header_malformed') : { kind: 'value', value, used: end + 1 }
  }
  if (bytes.length >= maxV1Bytes) return invalid('proxy_header_too_large')
  return { kind: 'more', atLeast: Math.max(bytes.length, signatureV1.length) + 1 }
}

const lineV1 = /^PROXY (TCP[46]) ([0-9a-fA-F.:]+) ([0-9a-fA-F.:]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})\r\n$/
/** What a balancer says behind UNKNOWN is ignored (section 2.1). */
const unknownV1 = /^PROXY UNKNOWN(?: [^\r\n]*)?\r\n$/

function lineOf(line: string): ProxyHeader | 'malformed' {
  if (unknownV1.test(line)) return undefined
  const [, family, ...words] = lineV1.exec(line) ?? []
  const [source, destination] = words.slice(0, 2).map((text) => parseAddress(text))
  const [from = Number.NaN, to = Number.NaN] = words.slice(2).map(Number)
  const length = family === 'TCP4' ? 4 : 16
  if (source?.length !== length || destination?.length !== length || from > 65_535 || to > 65_535) return 'malformed'
  return {
    source: { address: formatAddress(source), port: from },
    destination: { address: formatAddress(destination), port: to },
  }
}

function parseV2(bytes: Uint8Array): ParsedProxyHeader {
  const atLeast = { kind: 'more', atLeast: fixedV2Bytes } as const
  const head = new Cursor(bytes)
  head.skip(signatureV2.length)
  if (head.left === 0) return atLeast
  const command = head.u8()
  if (command >> 4 !== 2) return invalid('proxy_header_version')
  if (command !== commandsV2.local && command !== commandsV2.proxy) return invalid('proxy_header_command')
  if (head.left < 3) return atLeast
  const family = head.u8()
  const used = fixedV2Bytes + head.u16()
  if (used > maxV2Bytes) return invalid('proxy_header_too_large')
  if (bytes.length < used) return { kind: 'more', atLeast: used }
  if (command === commandsV2.local) return { kind: 'value', value: undefined, used }
  return bodyOf(bytes.subarray(0, used), family)
}

const lengths: ReadonlyMap<number, number> = new Map<number, number>([
  [familiesV2.tcp4, 4],
  [familiesV2.tcp6, 16],
])

/** Of another family nothing is known, not even where its addresses end: it is passed over whole (section 2.2). */
function bodyOf(header: Uint8Array, family: number): ParsedProxyHeader {
  const used = header.length
  const length = lengths.get(family)
  if (length === undefined) return { kind: 'value', value: undefined, used }
  const body = new Cursor(header, fixedV2Bytes)
  const [source, destination] = [addressOf(body, length), addressOf(body, length)]
  const [from, to] = [body.u16(), body.u16()]
  const why = body.isBroken ? 'proxy_header_malformed' : whyNoValues(header, body)
  if (why !== undefined) return invalid(why)
  return {
    kind: 'value',
    value: { source: { address: source, port: from }, destination: { address: destination, port: to } },
    used,
  }
}

function addressOf(body: Cursor, length: number): string {
  const from = body.at
  body.skip(length)
  return body.isBroken ? '' : formatAddress(body.bytes.subarray(from, from + length))
}

/** Section 2.2.4: they fill the header exactly, and a checksum among them holds. */
function whyNoValues(header: Uint8Array, body: Cursor): ProxyHeaderReason | undefined {
  let checksumAt: number | undefined
  while (body.left > 0) {
    const [type, length] = [body.u8(), body.u16()]
    const isChecksum = type === tlvs.crc32c
    if (isChecksum && (length !== 4 || checksumAt !== undefined)) return 'proxy_header_malformed'
    if (isChecksum) checksumAt = body.at
    body.skip(length)
  }
  if (body.isBroken) return 'proxy_header_malformed'
  return checksumAt === undefined || isSound(header, checksumAt) ? undefined : 'proxy_header_checksum'
}

/** Section 2.2.5: over the header with zeros in place of the checksum. */
function isSound(header: Uint8Array, at: number): boolean {
  const told = new Cursor(header, at).u32()
  return crc32c(header.map((byte, index) => (index >= at && index < at + 4 ? 0 : byte))) === told
}
