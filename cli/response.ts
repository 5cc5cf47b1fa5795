/** The answer of a proxy on a connection that becomes a tunnel (RFC 9112), read strictly: where it ends decides whose the next bytes are. */
import { textOf } from '../core/lib/bytes.ts'

export interface Answer {
  readonly status: number
  readonly body: string
}

export type ParsedAnswer =
  | { readonly kind: 'value'; readonly value: Answer; readonly used: number }
  | { readonly kind: 'more' }
  | { readonly kind: 'invalid'; readonly why: string }

const longestHead = 16 * 1024
const longestBody = 64 * 1024

const more = { kind: 'more' } as const
const invalid = (why: string) => ({ kind: 'invalid', why }) as const

/** `opens`: it answers a CONNECT, and where it says yes the tunnel begins behind its head (RFC 9110 section 9.3.6). */
export function parseAnswer(bytes: Uint8Array, opens: boolean): ParsedAnswer {
  const end = endOfHead(bytes)
  if (end === undefined) return bytes.length > longestHead ? invalid('its head is too long') : more
  if (end > longestHead) return invalid('its head is too long')
  const head = readHead(bytes.subarray(0, end))
  if (typeof head === 'string') return invalid(head)
  const { status, lengths, isCoded } = head
  const isTunnel = opens && status >= 200 && status < 300
  if (isTunnel) return { kind: 'value', value: { status, body: '' }, used: end }
  const [length, ...others] = lengths
  if (isCoded || length === undefined || others.length > 0) return invalid('its length is not clear')
  if (!/^\d{1,6}$/.test(length) || Number(length) > longestBody) return invalid('it is too long')
  const used = end + Number(length)
  if (bytes.length < used) return more
  const body = textOf(bytes.subarray(end, used))
  return body === undefined ? invalid('it is not UTF-8') : { kind: 'value', value: { status, body }, used }
}

export type ParsedOpening =
  | { readonly kind: 'value'; readonly status: number; readonly used: number }
  | Exclude<ParsedAnswer, { kind: 'value' }>

/** What an HTTP proxy of the network says to CONNECT: its status alone counts, and many still say HTTP/1.0. */
export function parseOpening(bytes: Uint8Array): ParsedOpening {
  const used = endOfHead(bytes)
  if (used === undefined || used > longestHead)
    return bytes.length > longestHead ? invalid('its head is too long') : more
  const status = /^HTTP\/1\.[01] ([2-5]\d\d)[ \r]/.exec(latin1(bytes.subarray(0, used)))?.[1]
  return status === undefined ? invalid('it is no answer of HTTP') : { kind: 'value', status: Number(status), used }
}

const blank = [13, 10, 13, 10]

/** Behind the empty line. */
function endOfHead(bytes: Uint8Array): number | undefined {
  for (let at = bytes.indexOf(13); at >= 0; at = bytes.indexOf(13, at + 1)) {
    if (blank.every((byte, i) => bytes[at + i] === byte)) return at + blank.length
  }
  return undefined
}

const statusLine = /^HTTP\/1\.1 ([2-5]\d\d)( [\t\x20-\x7e\x80-\xff]*)?$/
/** No folded lines, no space before the colon. */
const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*?)[\t ]*$/

function readHead(bytes: Uint8Array) {
  const [first = '', ...lines] = latin1(bytes).slice(0, -blank.length).split('\r\n')
  const status = statusLine.exec(first)?.[1]
  if (status === undefined) return 'it is no answer of HTTP/1.1'
  const fields = lines.map((line) => field.exec(line))
  if (!fields.every((one) => one !== null)) return 'its head is malformed'
  const valuesOf = (name: string) =>
    fields.flatMap(([, found = '', value = '']) => (found.toLowerCase() === name ? [value] : []))
  return {
    status: Number(status),
    lengths: valuesOf('content-length'),
    isCoded: valuesOf('transfer-encoding').length > 0,
  }
}

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')
