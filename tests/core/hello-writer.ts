/** Writes ClientHellos as no client would, and cuts those of real clients in other ways. */

export type Extension = readonly [type: number, content: Uint8Array]

const u8 = (number: number) => Uint8Array.of(number)
const u16 = (number: number) => Uint8Array.of(number >> 8, number & 0xff)
const u24 = (number: number) => Uint8Array.of(number >> 16, (number >> 8) & 0xff, number & 0xff)
export const join = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts))
export const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))
export const bytesOfHex = (hex: string) => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

const vector8 = (content: Uint8Array) => join(u8(content.length), content)
const vector16 = (content: Uint8Array) => join(u16(content.length), content)

export const sni = (...names: readonly string[]): Extension => [
  0,
  vector16(join(...names.map((name) => join(u8(0), vector16(bytesOf(name)))))),
]
export const alpn = (...names: readonly string[]): Extension => [
  16,
  vector16(join(...names.map((name) => vector8(bytesOf(name))))),
]
export const versions = (...list: readonly number[]): Extension => [43, vector8(join(...list.map(u16)))]
export const keyShares = (...list: readonly (readonly [group: number, length: number])[]): Extension => [
  51,
  vector16(join(...list.map(([group, length]) => join(u16(group), vector16(new Uint8Array(length).fill(7)))))),
]
export const padding = (length: number): Extension => [21, new Uint8Array(length)]
/** ECHClientHello, outer form, with a key of 32 bytes. */
export const ech = (payload = 144): Extension => [
  0xfe0d,
  join(u8(0), u16(1), u16(1), u8(77), vector16(new Uint8Array(32)), vector16(new Uint8Array(payload))),
]

/** The handshake message, in no record yet. */
export function message(...extensions: readonly Extension[]): Uint8Array {
  const list = extensions.map(([type, content]) => join(u16(type), vector16(content)))
  return messageOf(join(messageStart, vector16(join(...list))))
}

/** Version 1.2, a random of nothing but 9, no session, one suite, no compression. */
export const messageStart = join(u16(0x0303), new Uint8Array(32).fill(9), u8(0), vector16(u16(0x1301)), vector8(u8(0)))
export const messageOf = (body: Uint8Array) => join(u8(1), u24(body.length), body)

export const record = (content: Uint8Array, type = 22, version = 0x0301) =>
  join(u8(type), u16(version), vector16(content))

/** In records of so many bytes at most. */
export function records(content: Uint8Array, size = 16_384): Uint8Array {
  return join(...pieces(content, size).map((piece) => record(piece)))
}

export function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  const count = Math.ceil(bytes.length / size)
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * size, (at + 1) * size))
}

/** The message out of well-formed records. */
export function messageIn(wire: Uint8Array): Uint8Array {
  const contents: Uint8Array[] = []
  for (let at = 0; at < wire.length; ) {
    const length = (wire[at + 3]! << 8) | wire[at + 4]!
    contents.push(wire.subarray(at + 5, at + 5 + length))
    at += 5 + length
  }
  return join(...contents)
}

/** The message with one extension more at its end. */
export function withExtension(whole: Uint8Array, [type, content]: Extension): Uint8Array {
  const body = whole.subarray(4)
  const at = extensionsAt(body)
  const list = join(body.subarray(at + 2), u16(type), vector16(content))
  return messageOf(join(body.subarray(0, at), vector16(list)))
}

function extensionsAt(body: Uint8Array): number {
  let at = 34
  at += 1 + body[at]!
  at += 2 + ((body[at]! << 8) | body[at + 1]!)
  return at + 1 + body[at]!
}
