/** The extensions of a ClientHello that routing or its reader wants. Each answers what it says, or why it is refused. */
import type { Cursor } from '../lib/cursor.ts'
import { latin1 } from '../lib/latin1.ts'
import { routedName } from './name.ts'

export interface KeyShare {
  readonly group: number
  /** Of the public key: what makes a post-quantum hello large. */
  readonly bytes: number
}

export type ExtensionReason =
  | 'alpn_empty_name'
  | 'alpn_malformed'
  | 'alpn_too_many'
  | 'key_share_malformed'
  | 'sni_empty'
  | 'sni_malformed'
  | 'sni_too_long'
  | 'sni_twice'
  | 'versions_malformed'

export type Sni = { readonly name: string | undefined }

/** A name of 253 bytes and its trailing dot. */
const longestSni = 254
/** 16 KiB of names of one byte would be 8,192 of them. */
export const mostAlpn = 64

/**
 * RFC 6066 section 3. No name where the client names an address. A second name, or one of another type, is refused: which
 * of them the service takes cannot be known here.
 */
export function readSni(extension: Cursor): Sni | ExtensionReason {
  const names = extension.within(extension.u16())
  const type = names.u8()
  const length = names.u16()
  const from = names.at
  names.skip(length)
  if (!extension.isSpent || names.isBroken || type !== 0) return 'sni_malformed'
  if (names.left > 0) return 'sni_twice'
  return readName(latin1(names.bytes, from, names.at))
}

/** One character a byte. */
export function readName(text: string): Sni | ExtensionReason {
  if (text === '') return 'sni_empty'
  return text.length > longestSni ? 'sni_too_long' : (routedName(text) ?? 'sni_malformed')
}

/** RFC 7301 section 3.1: the names in the client's order. It is an offer: behind a passthrough the service picks. */
export function readAlpn(extension: Cursor): readonly string[] | ExtensionReason {
  const names = extension.within(extension.u16())
  if (!extension.isSpent || names.left === 0) return 'alpn_malformed'
  const alpn: string[] = []
  while (names.left > 0) {
    const length = names.u8()
    if (length === 0) return 'alpn_empty_name'
    if (alpn.length === mostAlpn) return 'alpn_too_many'
    const from = names.at
    names.skip(length)
    alpn.push(alpnText(names.bytes, from, names.at))
  }
  return names.isBroken ? 'alpn_malformed' : alpn
}

/** Such as `h2`; as hex where a byte is not printable, as those of GREASE (RFC 8701) never are. */
export function alpnText(bytes: Uint8Array, from = 0, to = bytes.length): string {
  for (let i = from; i < to; i++) {
    const byte = bytes[i] as number
    if (byte < 0x21 || byte > 0x7e) return hex(bytes, from, to)
  }
  return latin1(bytes, from, to)
}

function hex(bytes: Uint8Array, from: number, to: number): string {
  let text = ''
  for (let i = from; i < to; i++) text += (bytes[i] as number).toString(16).padStart(2, '0')
  return text
}

/** RFC 8446 section 4.2.1. */
export function readVersions(extension: Cursor): readonly number[] | ExtensionReason {
  const list = extension.within(extension.u8())
  if (!extension.isSpent || list.left === 0) return 'versions_malformed'
  const versions: number[] = []
  while (list.left > 0) versions.push(list.u16())
  return list.isBroken ? 'versions_malformed' : versions
}

/** RFC 8446 section 4.2.8. None at all is a client that asks to be told a group. */
export function readKeyShares(extension: Cursor): readonly KeyShare[] | ExtensionReason {
  const list = extension.within(extension.u16())
  if (!extension.isSpent) return 'key_share_malformed'
  const shares: KeyShare[] = []
  while (list.left > 0) {
    const group = list.u16()
    const bytes = list.u16()
    list.skip(bytes)
    if (bytes === 0) return 'key_share_malformed'
    shares.push({ group, bytes })
  }
  return list.isBroken ? 'key_share_malformed' : shares
}

/**
 * RFC 9849 section 5: the outer form, whole. Chrome sends one made of random bytes on ordinary hellos (section 6.2), and
 * nobody without the key can tell it from a real one: this says that it is there, never that the name is another one.
 */
export function isOuterEch(extension: Cursor): boolean {
  const type = extension.u8()
  extension.skip(5) // the cipher suite and the configuration's id
  extension.skip(extension.u16())
  const payload = extension.u16()
  extension.skip(payload)
  return type === 0 && payload > 0 && extension.isSpent
}
