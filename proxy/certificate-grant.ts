/** A grant by a client certificate: the handshake has shown its key. */
import type { TLSSocket } from 'node:tls'
import { readGrantCertificate } from '../core/issue/grant-certificate.ts'
import { Refusal } from '../core/refusal.ts'
import { type AuthorizeNeeds, readGrantFor, type Showing } from './authorize.ts'

/** `target`: the resource that the connection named. @throws Refusal grant_invalid */
export function shownByCertificate(needs: AuthorizeNeeds, socket: TLSSocket, target: string): Showing {
  // A resumed session shows no certificate again: what is told of it then is memory.
  if (socket.isSessionReused()) throw new Refusal('grant_invalid', { why: 'a resumed session' })
  const raw = socket.getPeerX509Certificate()?.raw
  if (!raw) throw new Refusal('grant_invalid', { why: 'no client certificate' })
  const { jwt, jkt } = readGrantCertificate(new Uint8Array(raw))
  return { target, read: () => readGrantFor(needs, jwt, target), provenKey: async () => jkt }
}
