/** Token revocation (RFC 7009): whoever holds a token of a session may end it. What is no token of ours is no error. */
import type { Asking, ClientSessionId, Site } from '../model.ts'
import type { Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { verifyAccessToken } from './access-token.ts'
import type { Clients } from './clients.ts'
import { parseRefreshToken } from './refresh-token.ts'

type Needs = Pick<Ports, 'keys' | 'now' | 'keyring' | 'accessTokens' | 'clientSessions'>

/** @throws Refusal client_unknown, token_request_invalid */
export async function revoke(
  site: Site,
  ports: Needs,
  clients: Clients,
  asking: Asking,
  { token, clientId }: { readonly token: string | undefined; readonly clientId: string | undefined },
): Promise<void> {
  if (!clients.has(clientId ?? '')) throw new Refusal('client_unknown')
  if (token === undefined || token === '') throw new Refusal('token_request_invalid')
  const id = await sessionOf(site, ports, token)
  if (id === undefined) return
  const event = { at: ports.now(), kind: 'client.end', outcome: 'done', asking, sessionId: id } as const
  await ports.clientSessions.revoke(id, clientId ?? '', event)
}

async function sessionOf(site: Site, ports: Needs, token: string): Promise<ClientSessionId | undefined> {
  const refresh = parseRefreshToken(ports.keys.refresh, token)
  if (refresh) return refresh.id
  const access = await verifyAccessToken(site, ports, token).catch(unlessRefused)
  return access?.sessionId
}

function unlessRefused(error: unknown): undefined {
  if (!(error instanceof Refusal)) throw error
}
