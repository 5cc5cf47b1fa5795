/**
 * The head of a request without a body (RFC 9112), as strictly as that of CONNECT (connect.ts) and by own code too: both
 * come on one connection, and a second reader beside would see its bytes differently.
 */
import { Growing } from '../lib/growing.ts'
import { latin1 } from '../lib/latin1.ts'

export interface RequestHead {
  readonly method: string
  readonly target: string
  readonly host: string
  readonly authorization: string | undefined
  readonly proxyAuthorization: string | undefined
  readonly dpop: string | undefined
}

export type RequestHeadReason =
  | 'head_body'
  | 'head_field_malformed'
  | 'head_field_twice'
  | 'head_host_missing'
  | 'head_line_ending'
  | 'head_request_line'
  | 'head_too_large'
  | 'head_too_many_fields'

export type ParsedRequestHead =
  | { readonly kind: 'value'; readonly value: RequestHead; readonly used: number }
  | { readonly kind: 'more'; readonly atLeast: number }
  | { readonly kind: 'invalid'; readonly why: RequestHeadReason }

const maxHeadBytes = 16_384
const maxFields = 64
const [cr, lf] = [0x0d, 0x0a]

const requestLine = /^([A-Z]{1,16}) (\/[!-~]*) HTTP\/1\.1$/
const fieldLine =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?[ \t]*$/
const onceFields = ['host', 'authorization', 'proxy-authorization', 'dpop', 'content-length']

const invalid = (why: RequestHeadReason): ParsedRequestHead => ({ kind: 'invalid', why })

/** Every byte is looked at once until the head is whole. An answer other than `more` is the last one. */
export class RequestHeadReader {
  readonly #bytes = new Growing()
  /** How much of CR LF CR LF the bytes so far end with. */
  #ending = 0

  push(piece: Uint8Array): ParsedRequestHead {
    const before = this.#bytes.length
    for (let at = 0; at < piece.length; at++) {
      if (before + at >= maxHeadBytes) return invalid('head_too_large')
      const byte = piece[at] as number
      if (!this.#mayFollow(byte)) return invalid('head_line_ending')
      if (this.#ending < 4) continue
      this.#bytes.append(piece.subarray(0, at + 1))
      return parse(latin1(this.#bytes.bytes), this.#bytes.length)
    }
    this.#bytes.append(piece)
    return { kind: 'more', atLeast: this.#bytes.length + 1 }
  }

  #mayFollow(byte: number): boolean {
    const wantsLf = this.#ending % 2 === 1
    if (wantsLf !== (byte === lf)) return false
    this.#ending = byte === cr || byte === lf ? this.#ending + 1 : 0
    return true
  }
}

function parse(text: string, used: number): ParsedRequestHead {
  const [first = '', ...lines] = text.slice(0, -4).split('\r\n')
  const [, method, target] = requestLine.exec(first) ?? []
  if (method === undefined || target === undefined) return invalid('head_request_line')
  if (lines.length > maxFields) return invalid('head_too_many_fields')
  const fields = readFields(lines)
  if (typeof fields === 'string') return invalid(fields)
  const host = fields.get('host')
  if (host === undefined) return invalid('head_host_missing')
  const value = {
    method,
    target,
    host,
    authorization: fields.get('authorization'),
    proxyAuthorization: fields.get('proxy-authorization'),
    dpop: fields.get('dpop'),
  }
  return { kind: 'value', value, used }
}

function readFields(lines: readonly string[]): ReadonlyMap<string, string> | RequestHeadReason {
  const fields = new Map<string, string>()
  for (const line of lines) {
    const [, name, text = ''] = fieldLine.exec(line) ?? []
    if (name === undefined) return 'head_field_malformed'
    const field = name.toLowerCase()
    if (field === 'transfer-encoding' || (field === 'content-length' && text !== '0')) return 'head_body'
    if (!onceFields.includes(field)) continue
    if (fields.has(field)) return 'head_field_twice'
    fields.set(field, text)
  }
  return fields
}
