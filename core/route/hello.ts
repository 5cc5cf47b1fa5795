/**
 * The first flight of a TLS client: a ClientHello in as many records and as many pieces as the client likes (RFC 8446
 * section 5.1). Every byte is looked at once and in order, so any cut into pieces gives the same answer at the same cost,
 * and nothing behind the hello is looked at. What does not parse is refused: a hello that somebody else reads otherwise
 * must not reach a default route (CVE-2026-32305 was that).
 */
import { Cursor } from '../lib/cursor.ts'
import { Growing } from '../lib/growing.ts'
import { type ClientHello, type ClientHelloReason, readClientHello } from './client-hello.ts'

export interface Hello extends ClientHello {
  readonly records: number
  /** On the wire, with the headers of the records: whatever follows these is early data, or nothing yet. */
  readonly bytes: number
}

/** Each is a metric's label and a field of the log too. */
export type HelloReason =
  | ClientHelloReason
  | 'hello_not_alone'
  | 'hello_too_large'
  | 'hello_too_many_records'
  | 'not_a_hello'
  | 'not_tls'
  | 'record_empty'
  | 'record_interleaved'
  | 'record_too_large'
  | 'record_version'
  | 'sslv2'

/** `used` counts from the first byte of the connection, over all pieces. */
export type ParsedHello =
  | { readonly kind: 'value'; readonly value: Hello; readonly used: number }
  | { readonly kind: 'more'; readonly atLeast: number }
  | { readonly kind: 'invalid'; readonly why: HelloReason }

export interface HelloLimits {
  /** Of the handshake message's body. The largest that was found in public captures has 11,423; Go takes 65,536. */
  readonly maxHelloBytes: number
  /** Bounds what records of one byte cost. */
  readonly maxHelloRecords: number
}

export const helloLimits: HelloLimits = { maxHelloBytes: 16_384, maxHelloRecords: 64 }

const handshake = 22
const clientHello = 1
const headerBytes = 5
/** Of a handshake message's own header: its type and a length of three bytes. */
const prefixBytes = 4
/** RFC 8446 section 5.1: 2^14 for a record in the clear. */
const maxRecordBytes = 16_384

export const helloReader = (limits: HelloLimits = helloLimits): HelloReader => new HelloReader(limits)

/** For bytes that are all there is: `more` where the hello is not whole. */
export const parseHello = (bytes: Uint8Array, limits: HelloLimits = helloLimits): ParsedHello =>
  new HelloReader(limits).push(bytes)

export class HelloReader {
  readonly #limits: HelloLimits
  #settled: ParsedHello | undefined
  #used = 0
  #records = 0
  /** Bytes read of the record's header. */
  #header = 0
  /** Bytes of the record's content that did not come yet. */
  #left = 0
  #isLikeSslv2 = false
  /** Bytes read of the message's own header, and the length of its body that they tell. */
  #prefix = 0
  #length = 0
  /** The body out of its records. Absent while it has no byte: most hellos come in one piece and are read in place. */
  #body: Growing | undefined

  constructor(limits: HelloLimits) {
    this.#limits = limits
  }

  /** The next bytes of the connection. An answer other than `more` stays, whatever comes after it. */
  push(piece: Uint8Array): ParsedHello {
    let at = 0
    while (this.#settled === undefined && at < piece.length) {
      at += this.#take(piece, at)
    }
    return this.#settled ?? { kind: 'more', atLeast: this.#used + this.#missing() }
  }

  /** At the least: behind a record's header comes a byte of content. */
  #missing(): number {
    return this.#header < headerBytes ? headerBytes - this.#header + 1 : this.#left
  }

  #take(piece: Uint8Array, at: number): number {
    if (this.#header === headerBytes && this.#prefix === prefixBytes) return this.#takeBody(piece, at)
    const byte = piece[at] as number
    this.#used += 1
    const why = this.#header < headerBytes ? this.#headerByte(this.#header++, byte) : this.#prefixByte(byte)
    if (why !== undefined) this.#settled = { kind: 'invalid', why }
    return 1
  }

  #headerByte(place: number, byte: number): HelloReason | undefined {
    if (place === 0) return this.#recordType(byte)
    if (this.#isLikeSslv2) return sslv2Reason(place, byte)
    if (place === 1 && byte !== 3) return 'record_version'
    if (place === 3) this.#left = byte << 8
    return place === 4 ? this.#recordLength(this.#left | byte) : undefined
  }

  #recordType(type: number): HelloReason | undefined {
    if (this.#records === this.#limits.maxHelloRecords) return 'hello_too_many_records'
    if (type === handshake) return undefined
    if (this.#records > 0) return 'record_interleaved'
    this.#isLikeSslv2 = (type & 0x80) !== 0
    return this.#isLikeSslv2 ? undefined : 'not_tls'
  }

  /** A length that no record may have is refused before a byte of it is waited for. */
  #recordLength(length: number): HelloReason | undefined {
    this.#left = length
    this.#records += 1
    if (length === 0) return 'record_empty'
    return length > maxRecordBytes ? 'record_too_large' : this.#surplus()
  }

  #prefixByte(byte: number): HelloReason | undefined {
    this.#consume(1)
    if (this.#prefix++ === 0) return byte === clientHello ? undefined : 'not_a_hello'
    this.#length = (this.#length << 8) | byte
    if (this.#prefix < prefixBytes) return undefined
    if (this.#length === 0) return 'hello_malformed'
    return this.#length > this.#limits.maxHelloBytes ? 'hello_too_large' : this.#surplus()
  }

  /** RFC 8446 section 5.1: a ClientHello ends with its record, as a change of keys may follow. */
  #surplus(): HelloReason | undefined {
    const missing = this.#length - (this.#body?.length ?? 0)
    return this.#prefix === prefixBytes && this.#left > missing ? 'hello_not_alone' : undefined
  }

  #takeBody(piece: Uint8Array, at: number): number {
    const length = Math.min(this.#left, piece.length - at)
    this.#used += length
    this.#consume(length)
    if (length === this.#length) {
      this.#finish(new Cursor(piece, at, at + length))
      return length
    }
    this.#body ??= new Growing()
    this.#body.append(piece.subarray(at, at + length))
    if (this.#body.length === this.#length) this.#finish(new Cursor(this.#body.bytes))
    return length
  }

  #consume(length: number): void {
    this.#left -= length
    if (this.#left === 0) this.#header = 0
  }

  #finish(body: Cursor): void {
    const hello = readClientHello(body)
    const [records, bytes] = [this.#records, this.#used]
    this.#settled =
      typeof hello === 'string'
        ? { kind: 'invalid', why: hello }
        : { kind: 'value', value: { ...hello, records, bytes }, used: bytes }
  }
}

/** RFC 6101 appendix E: the third byte says CLIENT-HELLO, the fourth is the version's first, 0 for SSLv2 itself. */
function sslv2Reason(place: number, byte: number): HelloReason | undefined {
  if (place === 2 && byte !== 1) return 'not_tls'
  if (place !== 3) return undefined
  return byte === 0 || byte === 3 ? 'sslv2' : 'not_tls'
}
