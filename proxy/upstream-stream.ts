/** What a client's bytes go into, once the resource is dialled. */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { isPostgres, type SessionTarget } from '../core/access/resource.ts'
import type { Credential } from './database-credentials.ts'
import { secure } from './postgres.ts'
import { secureAtOnce } from './upstream-tls.ts'

/**
 * Of databases the TLS towards the server is the proxy's, as `tls` of the resource says. All else carries its own from end to end.
 * @throws DialFailure, or the signal's reason
 */
export async function streamTo(
  resource: SessionTarget,
  raw: Socket,
  signal: AbortSignal,
  certificate: Credential['certificate'] | undefined,
): Promise<Duplex> {
  if (isPostgres(resource)) return secure(raw, resource, signal, certificate)
  return resource.kind === 'db' ? secureAtOnce(raw, resource, signal) : raw
}
