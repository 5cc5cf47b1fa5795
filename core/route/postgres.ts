/**
 * What a Postgres client says before its session (PostgreSQL, "Message Formats" and "Message Flow"), and the few answers
 * that a proxy gives in the server's place. `used` is exact: bytes behind an SSLRequest were sent in the clear by who knows
 * whom, and whoever calls refuses them before it answers (CVE-2021-23214).
 */
import { printable } from '../access/place.ts'
import { concat, textOf, utf8 } from '../lib/bytes.ts'
import { Cursor } from '../lib/cursor.ts'

export interface PostgresStartup {
  /** Protocol 3, and this. */
  readonly minor: number
  readonly user: string
  readonly database: string
  /** Asks for the replication protocol, whatever its value: it reads everything. */
  readonly replication: boolean
  /** Sets parameters of the server. */
  readonly options: boolean
  /** All, in the client's order, `user` among them. */
  readonly parameters: ReadonlyMap<string, string>
}

export type PostgresFirst =
  | { readonly kind: 'ssl' }
  | { readonly kind: 'gssenc' }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'startup'; readonly startup: PostgresStartup }

export type PostgresReason =
  | 'postgres_length'
  | 'postgres_malformed'
  | 'postgres_name_too_long'
  | 'postgres_not_text'
  | 'postgres_parameter_twice'
  | 'postgres_user_missing'
  | 'postgres_version'

export type ParsedPostgres =
  | { readonly kind: 'value'; readonly value: PostgresFirst; readonly used: number }
  | { readonly kind: 'more'; readonly atLeast: number }
  | { readonly kind: 'invalid'; readonly why: PostgresReason }

/** MAX_STARTUP_PACKET_LENGTH of the server. */
const longestStartup = 10_000
/** NAMEDATALEN - 1: the server would cut a longer name and let in somebody else. */
const longestName = 63
const newestMinor = 2

const codes = { cancel: 80_877_102, ssl: 80_877_103, gssenc: 80_877_104 } as const
/** Since protocol 3.2 the key of a cancel request has up to 256 bytes; before it had four. */
const cancelBytes = { least: 16, most: 268 } as const

const invalid = (why: PostgresReason) => ({ kind: 'invalid', why }) as const

/** The first message, or the one after an answer to SSLRequest or GSSENCRequest. */
export function parsePostgres(bytes: Uint8Array): ParsedPostgres {
  if (bytes.length < 8) return { kind: 'more', atLeast: 8 }
  const head = new Cursor(bytes)
  const [length, code] = [head.u32(), head.u32()]
  if (length < 8 || length > longestStartup) return invalid('postgres_length')
  const why = whyNoRequest(length, code)
  if (why !== undefined) return invalid(why)
  if (bytes.length < length) return { kind: 'more', atLeast: length }
  const first = code >> 16 === 3 ? readStartup(bytes.subarray(8, length), code & 0xffff) : requestOf(code)
  return typeof first === 'string' ? invalid(first) : { kind: 'value', value: first, used: length }
}

/** Before the rest of the message is waited for. */
function whyNoRequest(length: number, code: number): PostgresReason | undefined {
  if (code === codes.ssl || code === codes.gssenc) return length === 8 ? undefined : 'postgres_length'
  if (code === codes.cancel)
    return length >= cancelBytes.least && length <= cancelBytes.most ? undefined : 'postgres_length'
  return code >> 16 === 3 && (code & 0xffff) <= newestMinor ? undefined : 'postgres_version'
}

const requestOf = (code: number): PostgresFirst =>
  code === codes.ssl ? { kind: 'ssl' } : code === codes.gssenc ? { kind: 'gssenc' } : { kind: 'cancel' }

function readStartup(body: Uint8Array, minor: number): PostgresFirst | PostgresReason {
  const parameters = readParameters(body)
  if (typeof parameters === 'string') return parameters
  const user = parameters.get('user') ?? ''
  // The server takes an empty name for none.
  const database = parameters.get('database') || user
  if (user === '') return 'postgres_user_missing'
  if ([user, database].some((name) => utf8(name).length > longestName)) return 'postgres_name_too_long'
  const [replication, options] = [parameters.has('replication'), parameters.has('options')]
  return { kind: 'startup', startup: { minor, user, database, replication, options, parameters } }
}

/** Names and values, each ended by NUL, and a NUL behind them that ends the message. */
function readParameters(body: Uint8Array): ReadonlyMap<string, string> | PostgresReason {
  const text = textOf(body)
  if (text === undefined) return 'postgres_not_text'
  const words = text.split('\0')
  // The last NUL leaves an empty word behind it, and is itself an empty name.
  if (words.pop() !== '' || words.pop() !== '' || words.length % 2 !== 0) return 'postgres_malformed'
  const parameters = new Map<string, string>()
  for (let at = 0; at < words.length; at += 2) {
    const [name, value] = words.slice(at, at + 2) as [string, string]
    if (name === '') return 'postgres_malformed'
    if (parameters.has(name)) return 'postgres_parameter_twice'
    parameters.set(name, value)
  }
  return parameters
}

/** To SSLRequest: TLS begins with the client's next byte. */
export const postgresTls = utf8('S')
/** To SSLRequest and GSSENCRequest: not this; the client may ask for something else, or begin in the clear. */
export const postgresNo = utf8('N')

/** PostgreSQL appendix A: why a proxy ends a session in the server's place. */
export const sqlStates = {
  adminShutdown: '57P01',
  cannotConnectNow: '57P03',
  connectionFailure: '08006',
  invalidAuthorization: '28000',
  notSupported: '0A000',
  protocolViolation: '08P01',
  tooManyConnections: '53300',
} as const

const longestMessage = 500

/** ErrorResponse, FATAL. The message is for a terminal: one line, and nothing that moves a cursor. */
export function postgresError(state: keyof typeof sqlStates, message: string): Uint8Array {
  const fields = ['SFATAL', 'VFATAL', `C${sqlStates[state]}`, `M${printable(message, longestMessage)}`]
  const body = utf8(`${fields.join('\0')}\0\0`)
  const head = new Uint8Array(5)
  head[0] = 0x45 // E
  new DataView(head.buffer).setUint32(1, body.length + 4)
  return concat(head, body)
}
