/** Ends TLS for one rule of the route table. What OpenSSL reads of a hello must be what was routed. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { constants } from 'node:crypto'
import { createServer, type SecureContextOptions, type Server, type TLSSocket, type TlsOptions } from 'node:tls'
import { routedName } from '../core/route/name.ts'
import type { CertificateFor } from './certificate-book.ts'
import type { ServerCertificate } from './certificates.ts'
import type { Connection } from './connection.ts'
import type { CloseCode } from './reasons.ts'

/** Of a hello, as it was routed. */
export interface Routing {
  readonly sni: string | undefined
  readonly alpn: readonly string[]
}

export interface TlsEnd {
  /** The connection's next byte is the hello's first. */
  take(connection: Connection, routing: Routing): void
  /** For connections from now on; those that are open keep what they have. */
  renew(certificate: ServerCertificate): void
}

interface Needs {
  /** The rule's, the one that we prefer first; `''` for a client that offers none. Undefined: none is agreed upon, whatever it offers. */
  readonly alpn: readonly string[] | undefined
  /** PEM. A client certificate is demanded that leads to one of these. */
  readonly clientCa?: string | undefined
  /** A client certificate is asked for, and nothing that it says is believed: whoever takes the connection judges it. */
  readonly asksCertificate?: boolean
  /** What is shown under a name; where it answers none, and to a client without a name, the end's own. */
  readonly certificateFor?: CertificateFor | undefined
  take(connection: Connection, socket: TLSSocket, routing: Routing): void
}

const fixed = {
  minVersion: 'TLSv1.2',
  // No tickets: a resumed session would not show its certificate again. No renegotiation: it costs us more than clients.
  secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
} as const satisfies SecureContextOptions

interface Current {
  readonly connection: Connection
  readonly routing: Routing
}

/**
 * A server for each certificate, chosen before OpenSSL reads the hello: Node's own choice by name (SNICallback) puts the chosen certificate
 * beside the first one and not in its place, so of two kinds of keys a client could get the one of another name.
 */
export function makeTlsEnd(certificate: ServerCertificate, { certificateFor, ...needs }: Needs): TlsEnd {
  // Node tells in none of the server's events which connection it is about; the context in which it was handed over does.
  const current = new AsyncLocalStorage<Current>()
  const servers = new WeakMap<ServerCertificate, Server>()
  let own = certificate
  const serverOf = (shown: ServerCertificate): Server => {
    const server = servers.get(shown) ?? makeServer(shown, needs, () => current.getStore())
    servers.set(shown, server)
    return server
  }
  const hand = async (connection: Connection, routing: Routing) => {
    const named = routing.sni === undefined ? undefined : await certificateFor?.(routing.sni)
    if (connection.raw.destroyed) return
    const server = serverOf(named ?? own)
    current.run({ connection, routing }, () => void server.emit('connection', connection.raw))
  }
  // A certificate that cannot be shown stops the start, and not the first client.
  serverOf(own)
  return {
    take: (connection, routing) => {
      hand(connection, routing).catch((error: Error) => connection.refuse('handshake_failed', error.message))
    },
    renew: (next) => {
      serverOf(next)
      own = next
    },
  }
}

function makeServer(
  certificate: ServerCertificate,
  { alpn, clientCa, asksCertificate = false, take }: Omit<Needs, 'certificateFor'>,
  current: () => Current | undefined,
): Server {
  // Who shows a wrong certificate, or none, is let go below: Node would do it where that context is lost, and with it the reason.
  const asking = { requestCert: clientCa !== undefined || asksCertificate, rejectUnauthorized: false }
  const authorities = clientCa === undefined ? {} : { ca: clientCa }
  const server = createServer({ ...fixed, ...authorities, ...certificate, ...agreed(alpn), ...asking })
  server.on('tlsClientError', (error: Error & { code?: string }) => {
    const isProtocol = error.code === 'ERR_SSL_NO_APPLICATION_PROTOCOL'
    const code = isProtocol ? 'application_protocol_differs' : 'handshake_failed'
    current()?.connection.refuse(code, error.code)
  })
  server.on('secureConnection', (socket) => {
    const handed = current()
    if (!handed) return void socket.destroy()
    const why =
      whyNotAsRouted(socket, handed.routing, alpn) ?? (clientCa === undefined ? undefined : whyNotCertified(socket))
    if (why === undefined) take(handed.connection, socket, handed.routing)
    else handed.connection.refuse(why, socket.authorizationError && String(socket.authorizationError))
  })
  return server
}

function agreed(alpn: readonly string[] | undefined): Pick<TlsOptions, 'ALPNProtocols'> {
  const names = alpn?.filter((name) => name !== '') ?? []
  return names.length > 0 ? { ALPNProtocols: names } : {}
}

function whyNotCertified(socket: TLSSocket): CloseCode | undefined {
  if (socket.authorized) return undefined
  return socket.getPeerX509Certificate() ? 'client_certificate_refused' : 'client_certificate_missing'
}

type Seen = Pick<TLSSocket, 'servername' | 'alpnProtocol'>

/**
 * Two readers of one hello that disagree would be a way around a rule. Node says false, or nothing yet, for what is not there.
 */
export function whyNotAsRouted(
  { servername, alpnProtocol }: Seen,
  { sni, alpn: offered }: Routing,
  alpn: readonly string[] | undefined,
): CloseCode | undefined {
  const name = servername ? routedName(servername) : { name: undefined }
  if (!name || name.name !== sni) return 'server_name_differs'
  const isOfRule = alpnProtocol
    ? alpn?.includes(alpnProtocol) && offered.includes(alpnProtocol)
    : alpn === undefined || (alpn.includes('') && offered.length === 0)
  return isOfRule ? undefined : 'application_protocol_differs'
}
