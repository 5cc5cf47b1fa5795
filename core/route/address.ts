/**
 * Which addresses may be dialled for somebody else. It is asked of the very address that is dialled, never of a name: a
 * name may resolve to something else a moment later. An address within another one (mapped, translated, tunnelled) counts
 * as the one inside.
 */

/** Four bytes or sixteen. */
export type Address = Uint8Array

export type AddressClass =
  | 'cgnat'
  | 'documentation'
  | 'link-local'
  | 'loopback'
  | 'metadata'
  | 'multicast'
  | 'private'
  | 'public'
  | 'reserved'
  | 'unspecified'

export interface Cidr {
  readonly base: Address
  readonly bits: number
}

const octet = /^(?:0|[1-9]\d{0,2})$/
const group = /^[0-9a-f]{1,4}$/i
/** An IPv6 address whose last 32 bits are written as IPv4. */
const longestText = 45

/** The forms of RFC 4291 section 2.2 and the dotted quad, and no other: no `127.1`, no octal, no hex, no zone. */
export function parseAddress(text: string): Address | undefined {
  if (text.length > longestText) return undefined
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

function parseIpv4(text: string): Address | undefined {
  const parts = text.split('.')
  const isAddress = parts.length === 4 && parts.every((part) => octet.test(part) && Number(part) <= 255)
  return isAddress ? Uint8Array.from(parts, Number) : undefined
}

function parseIpv6(text: string): Address | undefined {
  const halves = text.split('::')
  const [head, tail] = halves.map((half, at) => groupsOf(half, at === halves.length - 1))
  if (head === undefined || halves.length > 2) return undefined
  if (halves.length === 1) return head.length === 8 ? fromGroups(head) : undefined
  // RFC 5952 section 4.2.2 wants `::` for two groups or more; RFC 4291 lets it stand for one.
  if (tail === undefined || head.length + tail.length > 7) return undefined
  return fromGroups([...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail])
}

function groupsOf(text: string, isLast: boolean): number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const quad = isLast && parts.at(-1)?.includes('.') ? parseIpv4(parts.pop() ?? '') : []
  if (quad === undefined || !parts.every((part) => group.test(part))) return undefined
  const [a = 0, b = 0, c = 0, d = 0] = quad
  const end = quad.length > 0 ? [(a << 8) | b, (c << 8) | d] : []
  return [...parts.map((part) => Number.parseInt(part, 16)), ...end]
}

const fromGroups = (groups: readonly number[]): Address =>
  Uint8Array.from(groups.flatMap((part) => [part >> 8, part & 0xff]))

/** As the system writes it: IPv4 in its mapped form is IPv4, and IPv6 the shortest text (RFC 5952). */
export function formatAddress(address: Address): string {
  const inner = address.length === 16 && isWithin(address, mapped) ? address.subarray(12) : address
  if (inner.length === 4) return inner.join('.')
  const groups = Array.from({ length: 8 }, (_, at) => ((inner[2 * at] as number) << 8) | (inner[2 * at + 1] as number))
  return new URL(`http://[${groups.map((part) => part.toString(16)).join(':')}]`).hostname.slice(1, -1)
}

/** A range with no bit set behind its length. One of a form that holds an IPv4 address is named by that address. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = '', length = '', ...rest] = text.split('/')
  const base = parseAddress(address)
  const bits = /^(?:0|[1-9]\d{0,2})$/.test(length) ? Number(length) : Number.NaN
  if (!base || rest.length > 0 || !(bits <= base.length * 8)) return undefined
  return hasBitsBehind(base, bits) || unwrap(base) !== base ? undefined : { base, bits }
}

const hasBitsBehind = (base: Address, bits: number): boolean =>
  base.some((byte, at) => (byte & (0xff >> Math.min(8, Math.max(0, bits - at * 8)))) !== 0)

export function isWithin(address: Address, { base, bits }: Cidr): boolean {
  if (address.length !== base.length) return false
  const whole = bits >> 3
  for (let i = 0; i < whole; i++) if (address[i] !== base[i]) return false
  const mask = 0xff00 >> (bits & 7)
  return (((address[whole] ?? 0) ^ (base[whole] ?? 0)) & mask & 0xff) === 0
}

const known = (text: string): Cidr => {
  const [address = '', bits = ''] = text.split('/')
  return { base: parseAddress(address) as Address, bits: Number(bits) }
}
const mapped = known('::ffff:0:0/96')
const table = (rows: readonly (readonly [AddressClass, ...string[]])[]) =>
  rows.flatMap(([name, ...ranges]) => ranges.map((range) => ({ name, range: known(range) })))

/** The first row that holds decides. Sources: IANA's special-purpose registries; the clouds' documents for metadata. */
export const specialRanges: readonly { readonly name: AddressClass; readonly range: Cidr }[] = table([
  // AWS, Google, Azure and others; AWS for containers; Alibaba; Oracle; Azure's wire server, in a public range.
  ['metadata', '169.254.169.254/32', '169.254.170.2/32', '100.100.100.200/32', '192.0.0.192/32', '168.63.129.16/32'],
  ['metadata', 'fd00:ec2::254/128', 'fd20:ce::254/128'],
  ['unspecified', '0.0.0.0/32', '::/128'],
  ['loopback', '127.0.0.0/8', '::1/128'],
  ['private', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fec0::/10'],
  ['cgnat', '100.64.0.0/10'],
  ['link-local', '169.254.0.0/16', 'fe80::/10'],
  ['multicast', '224.0.0.0/4', 'ff00::/8'],
  ['documentation', '192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32', '3fff::/20'],
  // This network, protocol assignments, the 6to4 relay, benchmarks, class E.
  ['reserved', '0.0.0.0/8', '192.0.0.0/24', '192.88.99.0/24', '198.18.0.0/15', '240.0.0.0/4'],
  // Teredo and other assignments of protocols. A 6to4 address is unwrapped before.
  ['reserved', '2001::/23'],
  ['public', '0.0.0.0/0', '2000::/3'],
])

const wrappers = [
  // Mapped (RFC 4291), compatible (deprecated by it), and the prefix of NAT64 (RFC 6052): the last four bytes.
  { range: mapped, at: 12 },
  { range: known('::/96'), at: 12 },
  { range: known('64:ff9b::/96'), at: 12 },
  // 6to4 (RFC 3056).
  { range: known('2002::/16'), at: 2 },
]

/** The IPv4 address inside, or the very address. `::` and `::1` hold none. */
export function unwrap(address: Address): Address {
  if (address.length !== 16) return address
  const isTiny = address.subarray(0, 15).every((byte) => byte === 0) && (address[15] as number) < 2
  const wrapper = isTiny ? undefined : wrappers.find(({ range }) => isWithin(address, range))
  return wrapper ? address.subarray(wrapper.at, wrapper.at + 4) : address
}

/** Of the address inside. What no registry gave out is `reserved`. */
export function classify(address: Address): AddressClass {
  const inner = unwrap(address)
  return specialRanges.find(({ range }) => isWithin(inner, range))?.name ?? 'reserved'
}

/**
 * A public address may be dialled; any other one only where a range allows it. A cloud's metadata service hands out
 * credentials, so a range that happens to cover it does not do: it must be named alone.
 */
export function mayDial(address: Address, allowed: readonly Cidr[]): boolean {
  const inner = unwrap(address)
  const name = classify(inner)
  if (name === 'public') return true
  const isAlone = ({ bits }: Cidr) => bits === inner.length * 8
  return allowed.some((range) => isWithin(inner, range) && (name !== 'metadata' || isAlone(range)))
}
