/** Two readings of one client's address, of the edge and of a proxy: whether they name the same one. */
import { type Address, parseAddress } from '../route/address.ts'

/** What cannot be read is nobody's. All of the loopback is this machine, by whichever of its addresses a program came. */
export function isSameSource(one: string, other: string): boolean {
  const [a, b] = [sourceOf(one), sourceOf(other)]
  if (!a || !b) return false
  return (isLoopback(a) && isLoopback(b)) || (a.length === b.length && a.every((byte, at) => byte === b[at]))
}

/** undefined: nobody could say where it came from. */
export function sourceOf(text: string): Address | undefined {
  const address = parseAddress(text)
  return address && isMapped(address) ? address.subarray(12) : address
}

/** IPv4 on a socket of IPv6 (RFC 4291 section 2.5.5.2). Of translated and tunnelled ones others may share the address inside. */
const isMapped = (address: Address): boolean =>
  address.length === 16 && address.subarray(0, 12).every((byte, at) => byte === (at < 10 ? 0 : 0xff))

const isLoopback = (address: Address): boolean =>
  address.length === 4 ? address[0] === 127 : address.every((byte, at) => byte === (at < 15 ? 0 : 1))
