/**
 * The head of a CONNECT request (RFC 9110 section 9.3.6, RFC 9112), read strictly and by own code: a server's own parser
 * has flags that make it lenient. Two readers of one head must not differ, so what a lenient one would mend is refused.
 */
import { type Authority, parseHostPort, splitHostPort } from '../access/host-port.ts'
import { utf8 } from '../lib/bytes.ts'

export interface ConnectHead {
  readonly target: Authority
  /** 1.0 is what some old clients of a plain proxy say. */
  readonly version: '1.0' | '1.1'
  /** Raw values. They are for this proxy and never go further. */
  readonly proxyAuthorization: string | undefined
  readonly dpop: string | undefined
}

export type ConnectReason =
  | 'connect_body'
  | 'connect_field_malformed'
  | 'connect_field_twice'
  | 'connect_head_too_large'
  | 'connect_host_differs'
  | 'connect_host_missing'
  | 'connect_line_ending'
  | 'connect_line_too_long'
  | 'connect_request_line'
  | 'connect_target'
  | 'connect_too_many_fields'
  | 'connect_version'

/** `used` ends behind the empty line: what follows is kept, and goes nowhere before the 200. */
export type ParsedConnect =
  | { readonly kind: 'value'; readonly value: ConnectHead; readonly used: number }
  | { readonly kind: 'more'; readonly atLeast: number }
  | { readonly kind: 'invalid'; readonly why: ConnectReason }

/** Node's own limit for a head; a line and the count are the common ones of servers. */
const maxHeadBytes = 16_384
const maxLineBytes = 8_192
const maxFields = 64

const [cr, lf] = [0x0d, 0x0a]

const requestLine = /^CONNECT ([!-~]+) HTTP\/(\d\.\d)$/
/** RFC 9110 sections 5.1 and 5.5: a token, its colon at once, and no control character but the tab. */
const fieldLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)$/
/** What decides something here. Of two, another reader may take the other one. */
const onceFields = ['host', 'proxy-authorization', 'dpop', 'content-length']

/** To a CONNECT: no length and no content (section 9.3.6). */
export const connectEstablished = utf8('HTTP/1.1 200 Connection established\r\n\r\n')

export const connectReader = (): ConnectReader => new ConnectReader()

export const parseConnect = (bytes: Uint8Array): ParsedConnect => new ConnectReader().push(bytes)

/** Every byte is looked at once, so a head that comes byte by byte costs what it costs in one piece. */
export class ConnectReader {
  #settled: ParsedConnect | undefined
  #used = 0
  /** The line that is being read, and whether its CR came. */
  #line = ''
  #isReturn = false
  #request: Pick<ConnectHead, 'target' | 'version'> | undefined
  #fieldCount = 0
  readonly #fields = new Map<string, string>()

  /** The next bytes of the connection. An answer other than `more` stays. */
  push(piece: Uint8Array): ParsedConnect {
    for (let at = 0; at < piece.length && this.#settled === undefined; at++) {
      const why = this.#byte(piece[at] as number)
      if (why !== undefined) this.#settled = { kind: 'invalid', why }
    }
    return this.#settled ?? { kind: 'more', atLeast: this.#used + 1 }
  }

  #byte(byte: number): ConnectReason | undefined {
    this.#used += 1
    if (this.#used > maxHeadBytes) return 'connect_head_too_large'
    if (this.#isReturn) return byte === lf ? this.#endLine() : 'connect_line_ending'
    this.#isReturn = byte === cr
    if (this.#isReturn) return undefined
    if (byte === lf) return 'connect_line_ending'
    if (this.#line.length === maxLineBytes) return 'connect_line_too_long'
    this.#line += String.fromCharCode(byte)
    return undefined
  }

  #endLine(): ConnectReason | undefined {
    const line = this.#line
    this.#line = ''
    this.#isReturn = false
    if (this.#request === undefined) return this.#takeRequest(line)
    return line === '' ? this.#finish(this.#request) : this.#takeField(line)
  }

  #takeRequest(line: string): ConnectReason | undefined {
    const [, authority = '', version] = requestLine.exec(line) ?? []
    if (version === undefined) return 'connect_request_line'
    if (version !== '1.1' && version !== '1.0') return 'connect_version'
    const target = parseTarget(authority)
    if (target === undefined) return 'connect_target'
    this.#request = { target, version }
    return undefined
  }

  #takeField(line: string): ConnectReason | undefined {
    if (this.#fieldCount++ === maxFields) return 'connect_too_many_fields'
    const [, name = '', raw] = fieldLine.exec(line) ?? []
    if (raw === undefined) return 'connect_field_malformed'
    const [field, text] = [name.toLowerCase(), withoutSpace(raw)]
    if (field === 'transfer-encoding' || (field === 'content-length' && text !== '0')) return 'connect_body'
    if (!onceFields.includes(field)) return undefined
    if (this.#fields.has(field)) return 'connect_field_twice'
    this.#fields.set(field, text)
    return undefined
  }

  /** RFC 9112 section 3.2: exactly one Host, and it says what the target says. HTTP/1.0 knew none. */
  #finish(request: Pick<ConnectHead, 'target' | 'version'>): ConnectReason | undefined {
    const host = this.#fields.get('host')
    if (host === undefined && request.version === '1.1') return 'connect_host_missing'
    if (host !== undefined && !isTarget(host, request.target)) return 'connect_host_differs'
    const head = {
      ...request,
      proxyAuthorization: this.#fields.get('proxy-authorization'),
      dpop: this.#fields.get('dpop'),
    }
    this.#settled = { kind: 'value', value: head, used: this.#used }
    return undefined
  }
}

function parseTarget(authority: string): Authority | undefined {
  const parsed = parseHostPort(authority)
  return parsed.kind === 'invalid' ? undefined : splitHostPort(parsed.value)
}

function isTarget(text: string, { host, port }: ConnectHead['target']): boolean {
  const named = parseTarget(text)
  return named !== undefined && named.host === host && named.port === port
}

/** RFC 9110 section 5.6.3: spaces and tabs, where `trim` takes more. A pattern would take quadratic time. */
function withoutSpace(text: string): string {
  let [from, to] = [0, text.length]
  while (from < to && isSpace(text, from)) from += 1
  while (to > from && isSpace(text, to - 1)) to -= 1
  return text.slice(from, to)
}

const isSpace = (text: string, at: number): boolean => text[at] === ' ' || text[at] === '\t'
