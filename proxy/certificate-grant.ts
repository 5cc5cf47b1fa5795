/** A grant by a client certificate: the handshake has shown its key. */
import type { TLSSocket } from 'node:tls'
import { readGrantCertificate } from '../core/issue/grant-certificate.ts'
import { Refusal } from '../core/refusal.ts'
import { type AuthorizeNeeds, readGrantFor, type Showing } from './authorize.ts'
import type { Fits } from './service-protocols.ts'

/** No resource has this name, so a set has none of it. */
const unnamed = ''

/** `target`: the resource that the connection named. undefined: it named none, and the grant is for one alone. @throws Refusal grant_invalid, unavailable */
export async function shownByCertificate(
  needs: AuthorizeNeeds,
  socket: TLSSocket,
  target: string | undefined,
  fits: Fits,
): Promise<Showing> {
  // A resumed session shows no certificate again: what is told of it then is memory.
  if (socket.isSessionReused()) throw new Refusal('grant_invalid', { why: 'a resumed session' })
  const raw = socket.getPeerX509Certificate()?.raw
  if (!raw) throw new Refusal('grant_invalid', { why: 'no client certificate' })
  const { jwt, jkt } = readGrantCertificate(new Uint8Array(raw))
  const grant = await readGrantFor(needs, jwt, target ?? unnamed)
  const { name } = grant.subject.resource
  return { target: target ?? name, read: async () => grant, provenKey: async () => jkt, fits }
}
