/** Ends TLS for one rule of the route table. What OpenSSL reads of a hello must be what was routed. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { constants } from 'node:crypto'
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type SecureContextOptions,
  type TLSSocket,
  type TlsOptions,
} from 'node:tls'
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
  /** What is shown under a name; where it answers none, and to a client without a name, the end's own. */
  readonly certificateFor?: CertificateFor | undefined
  take(connection: Connection, socket: TLSSocket): void
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

export function makeTlsEnd(certificate: ServerCertificate, needs: Needs): TlsEnd {
  const { alpn, clientCa, take } = needs
  // Node tells in none of these events which connection it is about; the context in which it was handed over does.
  const current = new AsyncLocalStorage<Current>()
  const common = { ...fixed, ...(clientCa !== undefined && { ca: clientCa }) }
  // Who shows a wrong certificate, or none, is let go below: Node would do it where that context is lost, and with it the reason.
  const asking = { requestCert: clientCa !== undefined, rejectUnauthorized: false }
  const SNICallback = chooser(common, needs.certificateFor)
  const server = createServer({
    ...common,
    ...certificate,
    ...agreed(alpn),
    ...asking,
    ...(SNICallback && { SNICallback }),
  })
  server.on('tlsClientError', (error: Error & { code?: string }) => {
    const isProtocol = error.code === 'ERR_SSL_NO_APPLICATION_PROTOCOL'
    const code = isProtocol ? 'application_protocol_differs' : 'handshake_failed'
    current.getStore()?.connection.refuse(code, error.code)
  })
  server.on('secureConnection', (socket) => {
    const store = current.getStore()
    if (!store) return void socket.destroy()
    const why =
      whyNotAsRouted(socket, store.routing, alpn) ?? (clientCa === undefined ? undefined : whyNotCertified(socket))
    if (why === undefined) take(store.connection, socket)
    else store.connection.refuse(why, socket.authorizationError && String(socket.authorizationError))
  })
  return {
    take: (connection, routing) => {
      current.run({ connection, routing }, () => void server.emit('connection', connection.raw))
    },
    renew: (next) => server.setSecureContext({ ...common, ...next }),
  }
}

/**
 * OpenSSL takes the authorities of client certificates from the context that is chosen too, and so does each context here: one without them
 * would believe every authority that Node knows.
 */
function chooser(common: SecureContextOptions, certificateFor: CertificateFor | undefined): TlsOptions['SNICallback'] {
  if (!certificateFor) return undefined
  const contexts = new WeakMap<ServerCertificate, SecureContext>()
  const contextOf = (certificate: ServerCertificate): SecureContext => {
    const context = contexts.get(certificate) ?? createSecureContext({ ...common, ...certificate })
    contexts.set(certificate, context)
    return context
  }
  const choose = async (given: string) => {
    const name = routedName(given)?.name
    const certificate = name === undefined ? undefined : await certificateFor(name)
    return certificate && contextOf(certificate)
  }
  return (given, done) => void choose(given).then((context) => done(null, context), done)
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
