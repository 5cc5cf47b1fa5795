/** Ends TLS. Which names and protocols there are is decided here, before a byte of a request is read. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { constants } from 'node:crypto'
import { createServer, type SecureContextOptions, type TLSSocket } from 'node:tls'
import type { Connection } from './connection.ts'

export interface TlsEnd {
  take(connection: Connection): void
  /** For connections from now on; those that are open keep what they have. */
  renew(certificate: SecureContextOptions): void
}

interface Needs {
  readonly isOurName: (serverName: string) => boolean
  /** Who speaks each protocol, the one that we prefer first. A client that names none speaks the last. */
  readonly protocols: readonly Protocol[]
}

export interface Protocol {
  /** ALPN. */
  readonly name: string
  take(connection: Connection, socket: TLSSocket): void
}

/** RFC 6066 section 3: fatal (2), unrecognized_name (112). In the clear, since no key is agreed yet; Node can send no alert. */
const unrecognizedName = new Uint8Array([21, 3, 3, 0, 2, 2, 112])

const fixed = {
  minVersion: 'TLSv1.2',
  // No tickets: a resumed session would not be asked for its server name again. No renegotiation: it costs us more than clients.
  secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
} as const satisfies SecureContextOptions

export function makeTlsEnd(certificate: SecureContextOptions, { isOurName, protocols }: Needs): TlsEnd {
  // Node tells in none of these events which connection it is about; the context in which it was handed over does.
  const current = new AsyncLocalStorage<Connection>()
  const server = createServer({
    ...fixed,
    ...certificate,
    ALPNProtocols: protocols.map(({ name }) => name),
    SNICallback: (serverName, answer) => {
      // null: the certificate that every name of ours has.
      if (isOurName(serverName)) return answer(null)
      current.getStore()?.refuse('server_name_unknown', undefined, unrecognizedName)
    },
  })
  server.on('tlsClientError', (error: Error & { code?: string }) => {
    const isProtocol = error.code === 'ERR_SSL_NO_APPLICATION_PROTOCOL'
    current.getStore()?.refuse(isProtocol ? 'application_protocol_unknown' : 'handshake_failed', error.code)
  })
  server.on('secureConnection', (socket) => {
    const connection = current.getStore()
    const protocol = protocols.find(({ name }) => name === socket.alpnProtocol) ?? protocols.at(-1)
    if (connection) protocol?.take(connection, socket)
  })
  return {
    take: (connection) => current.run(connection, () => void server.emit('connection', connection.raw)),
    renew: (next) => server.setSecureContext({ ...fixed, ...next }),
  }
}
