/** TLS towards a database: this proxy is the client, and verifies the server as its resource says. */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ConnectionOptions, connect, getCACertificates } from 'node:tls'
import type { DbDocument } from '../core/access/db.ts'
import { splitHostPort } from '../core/access/host-port.ts'
import type { DbTls } from '../core/access/tls.ts'
import { DialFailure, inText, orAborted } from './upstream.ts'

/** From the first byte on, where there is any. @throws DialFailure, or the signal's reason */
export async function secureAtOnce(raw: Socket, { spec }: DbDocument, signal: AbortSignal): Promise<Duplex> {
  if (spec.tls.mode === 'disable') return raw
  const target = splitHostPort(spec.uri)
  return orAborted(handshake(raw, verification(spec.tls, target.host), inText(target)), signal)
}

/** @throws DialFailure */
export function handshake(raw: Socket, options: ConnectionOptions, at: string): Promise<Duplex> {
  return new Promise((done, refuse) => {
    const socket = connect({ ...options, socket: raw, minVersion: 'TLSv1.2' })
    // Both must be: a raw socket that was opened so does not make it so.
    socket.allowHalfOpen = true
    const wrong = (error: Error & { code?: string }) => {
      const why = error.code ?? error.message
      const told = `The certificate or TLS of the database at ${at} is not accepted (${why}).`
      refuse(new DialFailure('upstream_tls_wrong', told, { cause: error }))
    }
    const gone = () => wrong(new Error('it ended the connection'))
    socket.on('error', () => socket.destroy())
    socket.once('error', wrong).once('close', gone)
    socket.once('secureConnect', () => {
      socket.off('error', wrong).off('close', gone)
      done(socket)
    })
  })
}

/** The name is checked against `server_name`, or else the host of the address; an address is no server name (RFC 6066). */
export function verification({ mode, ca_cert, server_name }: DbTls, host: string): ConnectionOptions {
  const name = server_name ?? host
  const named: ConnectionOptions = /^[\d.]+$|:/.test(name) ? { host: name } : { host: name, servername: name }
  if (mode === 'insecure') return { ...named, rejectUnauthorized: false }
  const ca = ca_cert ?? systemRoots()
  return mode === 'verify-full' ? { ...named, ca } : { ...named, ca, checkServerIdentity: () => undefined }
}

/** Also what NODE_EXTRA_CA_CERTS names. */
const systemRoots = (): string[] => [...getCACertificates('system'), ...getCACertificates('extra')]
