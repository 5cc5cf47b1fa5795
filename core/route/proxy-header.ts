/**
 * The PROXY protocol towards a service (haproxy, "The PROXY protocol", version 2): who has connected, in front of his first byte.
 * How it is read stands in proxy-header-reader.ts.
 */
import { concat, utf8 } from '../lib/bytes.ts'
import { type Address, parseAddress } from './address.ts'

/** `address`: IPv4 or IPv6 as text, IPv4 also in its mapped form. */
export interface Endpoint {
  readonly address: string
  readonly port: number
}

export interface ProxyHeaderV2 {
  /** Where the connection comes from, and where it came in. */
  readonly source: Endpoint
  readonly destination: Endpoint
  /** The protocol agreed upon or offered, one character a byte. */
  readonly alpn?: string | undefined
  /** The server name that the client has asked for. */
  readonly authority?: string | undefined
  /** At most 128 bytes. */
  readonly uniqueId?: Uint8Array | undefined
}

/** Section 2.2. */
export const signatureV2: readonly number[] = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]
/** Version 2 in the high half; the low one says that the header speaks of somebody, or that the proxy speaks for itself. */
export const commandsV2 = { local: 0x20, proxy: 0x21 } as const
/** The address family in the high half, and a stream in the low one. */
export const familiesV2 = { unspecified: 0x00, tcp4: 0x11, tcp6: 0x21, unixStream: 0x31 } as const
/** Section 2.2, "Type-Length-Value". */
export const tlvs = { alpn: 0x01, authority: 0x02, crc32c: 0x03, uniqueId: 0x05 } as const

const longestUniqueId = 128
/** As HAProxy takes it, and RFC 7301 for a protocol. */
const longestText = 255

/** @throws RangeError for what no caller has: a part that is too long, or an address that is none. */
export function encodeProxyV2({ source, destination, alpn, authority, uniqueId }: ProxyHeaderV2): Uint8Array {
  const addresses = [source, destination].map(({ address }) => requireAddress(address))
  const isIpv4 = addresses.every(({ length }) => length === 4)
  const body = concat(
    ...addresses.map((address) => (isIpv4 ? address : asIpv6(address))),
    u16(source.port),
    u16(destination.port),
    tlv(tlvs.alpn, alpn === undefined ? undefined : fromLatin1(alpn), longestText),
    tlv(tlvs.authority, authority === undefined ? undefined : utf8(authority), longestText),
    tlv(tlvs.uniqueId, uniqueId, longestUniqueId),
  )
  const family = isIpv4 ? familiesV2.tcp4 : familiesV2.tcp6
  return concat(signatureV2, [commandsV2.proxy, family], u16(body.length), body)
}

const fromLatin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0))
const u16 = (value: number): readonly number[] => [value >> 8, value & 0xff]

/** Node says `::ffff:192.0.2.1` where a listener takes both families: that client speaks IPv4. A zone says nothing elsewhere. */
function requireAddress(text: string): Address {
  const address = parseAddress(text.replace(/%.*$/, ''))
  if (!address) throw new RangeError(`no address: ${text}`)
  return isMapped(address) ? address.subarray(12) : address
}

const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
const isMapped = (address: Address): boolean =>
  address.length === 16 && mapped.every((byte, at) => address[at] === byte)
const asIpv6 = (address: Address): Address => (address.length === 16 ? address : concat(mapped, address))

function tlv(type: number, value: Uint8Array | undefined, longest: number): Uint8Array {
  if (value === undefined) return new Uint8Array()
  if (value.length > longest) throw new RangeError(`longer than ${longest} bytes`)
  return concat([type], u16(value.length), value)
}
