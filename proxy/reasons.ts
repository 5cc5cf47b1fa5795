/** Every way in which the proxy ends something that a client began. The code stands in the log. */
import type { HelloReason } from '../core/route/hello.ts'
import type { ProxyHeaderReason } from '../core/route/proxy-header-reader.ts'
import type { RouteReason } from '../core/route/table.ts'

/** Refused with an answer: status, wire word, and what to do. */
export const refusals = {
  head_malformed: [400, 'bad_request', 'Send an HTTP/1.1 request.'],
  head_too_large: [431, 'head_too_large', 'Send fewer and shorter header fields.'],
  host_not_single: [400, 'bad_request', 'Send one Host header.'],
  target_not_a_path: [400, 'bad_request', 'Ask for a path of this server: it fetches nothing from others.'],
  framing_ambiguous: [400, 'bad_request', 'Send a body with Content-Length, or chunked with HTTP/1.1.'],
  coding_unknown: [501, 'not_implemented', 'Use no transfer coding but chunked.'],
  host_unknown: [421, 'wrong_host', 'Open the address that your administrator gave you.'],
  expectation_unknown: [417, 'expectation_failed', 'Expect nothing but 100-continue.'],
  upgrade_unsupported: [501, 'not_implemented', 'Ask without Upgrade.'],
  connect_too_late: [400, 'bad_request', 'Send CONNECT as the first request of its connection.'],
  proxy_credential_missing: [
    407,
    'proxy_credential_missing',
    'Give a word as the password of the proxy; each opens one connection: sallyport proxy word NAME',
  ],
  nothing_here: [404, 'not_found', 'Ask for /.well-known/sallyport, or CONNECT to a resource.'],
  no_api: [404, 'not_found', 'Ask for the API: /openapi.json says what there is.'],
  waiting_too_many: [429, 'too_many_waiting', 'Finish or end one of your other terminals that wait for a tap.'],
  method_not_allowed: [405, 'method_not_allowed', 'Use GET.'],
  body_too_large: [413, 'body_too_large', 'Send a smaller request.'],
  body_too_slow: [408, 'timeout', 'Send the request again, without pauses.'],
  edge_unreachable: [
    502,
    'unavailable',
    'Try again in a moment; if it goes on, the operator should see that the edge runs.',
  ],
  edge_broke_off: [
    502,
    'unavailable',
    'Try again in a moment; if it goes on, the operator should read the log of the edge.',
  ],
  edge_too_slow: [
    504,
    'unavailable',
    'Try again in a moment; if it goes on, the operator should read the log of the edge.',
  ],
  upstream_broke_off: [502, 'upstream_failed', 'The service ended the connection before it answered.'],
} as const satisfies Record<string, readonly [status: number, word: string, remedy: string]>

export type RefusalCode = keyof typeof refusals

/** Closed without an answer: there is nobody who could read one, or it began already and must not look complete. */
export type CloseCode =
  | HelloReason
  | ProxyHeaderReason
  | 'too_many_connections'
  | 'too_many_of_one_network'
  | 'handshake_too_slow'
  | 'handshake_failed'
  | 'plain_connect'
  | 'plain_connect_malformed'
  | 'plain_credential'
  | 'plain_http'
  | 'plain_postgres'
  | 'plain_ssh'
  /** Behind a request that is answered before anything else may come. */
  | 'postgres_early_bytes'
  | 'postgres_cancel_unknown'
  | 'startup_too_slow'
  | 'cancel_too_slow'
  | 'proxy_header'
  | 'proxy_header_twice'
  | 'proxy_peer_untrusted'
  | 'route_gone'
  | 'tls_not_here'
  | 'server_name_missing'
  | 'server_name_unknown'
  | 'server_name_differs'
  | 'application_protocol_unknown'
  | 'application_protocol_differs'
  | 'client_certificate_missing'
  | 'client_certificate_refused'
  | 'head_too_slow'
  | 'too_many_pipelined'
  /** Of CONNECT, over HTTP/2. */
  | 'too_many_refused'
  | 'request_malformed'
  | 'answer_broke_off'
  | 'answer_stalled'
  | 'client_stalled'
  | 'client_gone'
  | 'tls_too_old'
  | 'bytes_too_early'
  | 'waited_too_long'
  | 'grant_too_slow'
  | 'exchange_too_long'

/** Of a hello that no rule takes. */
export const routeCodes = {
  no_route_for_alpn: 'application_protocol_unknown',
  no_route_for_sni: 'server_name_unknown',
  no_route_without_sni: 'server_name_missing',
} as const satisfies Record<RouteReason, CloseCode>

/** Why a resource was not reached: the client is told in words (proxy/upstream.ts, proxy/postgres.ts). */
export type DialCode =
  | 'upstream_name_unknown'
  | 'upstream_address_refused'
  /** Of a host that roles name: no address of it lies where they let it lie. */
  | 'address_not_allowed'
  | 'upstream_unreachable'
  | 'upstream_too_slow'
  | 'upstream_no_tls'
  | 'upstream_tls_wrong'
  | 'upstream_no_postgres'
  /** The database did not take the proxy's own credential, or that cannot be read. */
  | 'upstream_login_failed'
  /** Every backend of the route is down, by its health checks: none is dialled. */
  | 'no_healthy_backend'

/** Why an open session ended. */
export type EndCode =
  | 'ended'
  | 'client_reset'
  | 'upstream_reset'
  | 'half_closed_too_long'
  | 'session_idle'
  | 'session_too_long'
  | 'client_idle'
  | 'login_over'
  | 'session_cut'
  | 'session_ended'
  | 'proxy_stopping'
  | 'startup_refused'
  | 'upstream_login_failed'
  /** A mistake of ours: the line before says which. */
  | 'failed'
