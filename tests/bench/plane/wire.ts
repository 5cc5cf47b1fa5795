/**
 * What is said through every contender, byte for byte the same: PostgreSQL's framing, because our tunnel reads it. A client opens
 * with a startup message that names the part which the backend plays, and is welcomed; in passthrough a ClientHello comes first.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Gives back what comes; counts what comes; sends until the client leaves. */
export const parts = ['echo', 'sink', 'source'] as const
export type Part = (typeof parts)[number]

export const user = 'reader'
export const database = 'orders'

/** A recorded hello (tests/vectors/SOURCES.md) of Chrome's form, with this server name and ALPN h2. */
export const serverName = 'foobar.com'
export const hello = recordedHello(517)

function recordedHello(length: number): Buffer {
  const file = join(import.meta.dirname, '../../vectors/hellos/utls.jsonl')
  const all = readFileSync(file, 'utf8').trim().split('\n')
  const read = all.map((line) => JSON.parse(line) as { sni: string | null; alpn: string[] | null; hex: string })
  const found = read.find(
    ({ sni, alpn, hex }) => sni === serverName && alpn?.includes('h2') && hex.length === 2 * length,
  )
  if (!found) throw new Error('the recorded hello is not there')
  return Buffer.from(found.hex, 'hex')
}

/** A type, the length of all but the type, a body. */
export function message(type: string, body: Uint8Array | string = ''): Buffer {
  const content = Buffer.from(body as string, 'latin1')
  const head = Buffer.alloc(5)
  head.write(type, 'latin1')
  head.writeUInt32BE(content.length + 4, 1)
  return Buffer.concat([head, content])
}

export function startup(part: Part): Buffer {
  const names = { user, database, application_name: part }
  const body = `${Object.entries(names).flat().join('\0')}\0\0`
  const head = Buffer.alloc(8)
  head.writeUInt32BE(body.length + 8)
  head.writeUInt32BE(0x30000, 4)
  return Buffer.concat([head, Buffer.from(body, 'latin1')])
}

/** AuthenticationOk and ReadyForQuery. */
export const welcome = Buffer.concat([message('R', '\0\0\0\0'), message('Z', 'I')])

/** Bulk goes in messages of this size, their five bytes of head included. */
export const pieceLength = 256 * 1024
export const piece = message('d', Buffer.alloc(pieceLength - 5, 'x'))
/** Behind it the sink says how much came. CopyDone's type, so that one byte tells. */
export const lastPiece = Buffer.concat([Buffer.from('c'), piece.subarray(1)])
export const lastType = 0x63
/** What goes to and fro. */
export const note = message('d', Buffer.alloc(59, 'x'))

export function receipt(bytes: number): Buffer {
  const body = Buffer.alloc(8)
  body.writeBigUInt64BE(BigInt(bytes))
  return message('D', body)
}

/** undefined: not whole yet. */
export const readReceipt = (bytes: Buffer): number | undefined =>
  bytes.length < 13 ? undefined : Number(bytes.readBigUInt64BE(5))

const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])
const handshakeRecord = 0x16

export type Opened =
  | { readonly kind: 'part'; readonly part: Part; readonly used: number }
  /** Asks for TLS, and is to be told that there is none. */
  | { readonly kind: 'ssl'; readonly used: number }
  | { readonly kind: 'hello'; readonly used: number }
  | { readonly kind: 'more' }

/** One step of a client's opening. @throws Error where it is none of ours */
export function readOpening(bytes: Buffer): Opened {
  if (bytes.length < 8) return { kind: 'more' }
  if (bytes[0] === handshakeRecord) return whole(bytes, 5 + bytes.readUInt16BE(3), (used) => ({ kind: 'hello', used }))
  if (bytes.subarray(0, 8).equals(sslRequest)) return { kind: 'ssl', used: 8 }
  return whole(bytes, bytes.readUInt32BE(0), (used) => {
    const part = parts.find((one) => bytes.subarray(0, used).includes(`application_name\0${one}\0`))
    if (!part) throw new Error(`no opening: ${bytes.toString('latin1', 0, 80)}`)
    return { kind: 'part', part, used }
  })
}

const whole = (bytes: Buffer, length: number, then: (used: number) => Opened): Opened =>
  bytes.length < length ? { kind: 'more' } : then(length)
