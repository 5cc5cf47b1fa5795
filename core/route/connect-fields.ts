/** The head of a CONNECT over HTTP/2 (RFC 9113 section 8.5), as strictly as that of HTTP/1.1 (connect.ts). */
import { parseHostPort, splitHostPort } from '../access/host-port.ts'
import type { ConnectHead, ConnectReason } from './connect.ts'

export type ConnectFields = Omit<ConnectHead, 'version'>

export type ParsedConnectFields =
  | { readonly kind: 'value'; readonly value: ConnectFields }
  | { readonly kind: 'invalid'; readonly why: ConnectReason }

const maxFields = 64
/** Section 8.5: these and no others; with `:protocol` it would be another thing (RFC 8441). */
const pseudoFields = [':method', ':authority']
const onceFields = [...pseudoFields, 'host', 'proxy-authorization', 'dpop', 'content-length']
/** Section 8.2.2: of one connection, which is not a stream's to say. */
const ofHttp1 = ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']

const invalid = (why: ConnectReason): ParsedConnectFields => ({ kind: 'invalid', why })

/** Names, in lower case as HTTP/2 has them, and values in turn. */
export function parseConnectFields(given: readonly string[]): ParsedConnectFields {
  const fields = new Map<string, string>()
  if (given.length > 2 * maxFields) return invalid('connect_too_many_fields')
  for (let at = 0; at < given.length; at += 2) {
    const [name, value] = [given[at] as string, given[at + 1] as string]
    const why = whyNot(name, value, fields)
    if (why !== undefined) return invalid(why)
    if (onceFields.includes(name)) fields.set(name, value)
  }
  return headOf(fields)
}

function whyNot(name: string, value: string, fields: ReadonlyMap<string, string>): ConnectReason | undefined {
  if (name.startsWith(':') && !pseudoFields.includes(name)) return 'connect_request_line'
  if (ofHttp1.includes(name)) return 'connect_field_malformed'
  // A tunnel has no content (RFC 9110 section 9.3.6): its DATA frames are the tunnel.
  if (name === 'content-length' && value !== '0') return 'connect_body'
  return fields.has(name) ? 'connect_field_twice' : undefined
}

function headOf(fields: ReadonlyMap<string, string>): ParsedConnectFields {
  const authority = parseHostPort(fields.get(':authority') ?? '')
  if (fields.get(':method') !== 'CONNECT' || authority.kind === 'invalid') return invalid('connect_target')
  const host = fields.get('host')
  const named = host === undefined ? authority : parseHostPort(host)
  if (named.kind === 'invalid' || named.value !== authority.value) return invalid('connect_host_differs')
  const value = {
    target: splitHostPort(authority.value),
    proxyAuthorization: fields.get('proxy-authorization'),
    dpop: fields.get('dpop'),
  }
  return { kind: 'value', value }
}
