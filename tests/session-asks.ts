/** A session's way to its grant, as a program and a page ask for it, on every runtime: proxies.ts has the proxy's side. */
import type { Document } from '../core/access/document.ts'
import type { SessionAsk } from '../core/access/request-session.ts'
import { resourceUri } from '../core/access/resource-uri.ts'
import type { Json } from '../core/intent.ts'
import { base64url, utf8 } from '../core/lib/bytes.ts'
import type { Authenticator, GetOverrides, RequestOptions } from './authenticator.ts'
import type { Reply, Visitor } from './client.ts'
import { type Program, redirectUri } from './program.ts'

export const newBoot = () => base64url(crypto.getRandomValues(new Uint8Array(16)))

export const pgDocument = (
  name = 'pg-1',
  more: Partial<{ uri: string; labels: Record<string, string> }> = {},
): Document => ({
  kind: 'db',
  version: 'v3',
  metadata: { name, labels: more.labels ?? { env: 'dev' } },
  spec: { protocol: 'postgres', uri: more.uri ?? '127.0.0.1:5432', tls: { mode: 'insecure' } },
})

/** Reads and writes as `reader` in `orders`; with a tap for each session unless told otherwise. */
export const readerRole = (name = 'db-reader', tap = true): Document => ({
  kind: 'role',
  version: 'v7',
  metadata: { name },
  spec: {
    options: { require_session_mfa: tap },
    allow: { db_labels: { env: ['dev'] }, db_users: ['reader'], db_names: ['orders'] },
    deny: {},
  },
})

export const askFor = ({ id, boot }: SessionAsk['proxy'], name = 'pg-1'): SessionAsk => ({
  resource: { kind: 'db', name },
  principal: { db_user: 'reader', db_name: 'orders' },
  proxy: { id, boot },
})

export const beginSession = (program: Program, token: string, ask: SessionAsk): Promise<Reply> =>
  program.call('POST', '/v1/sessions', token, {
    body: { ...ask, redirect_uri: redirectUri, state: 'some state' } as unknown as Json,
  })

/** The page's side: what it hands to the program. */
export async function tapTicket(
  visitor: Visitor,
  passkey: Authenticator,
  ticket: string,
  overrides?: GetOverrides,
): Promise<string> {
  const { status, json, text } = await visitor.post('/v1/taps/options', { ticket })
  if (status !== 200) throw new Error(`options were answered ${status}: ${text}`)
  const assertion = await passkey.get(json.options as RequestOptions, overrides)
  return base64url(utf8(JSON.stringify({ ticket, assertion })))
}

export const exchangeForm = (token: string, ask: SessionAsk, tap?: string): Record<string, string> => ({
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  client_id: 'sallyport-cli',
  subject_token: token,
  subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  requested_token_type: 'urn:sallyport:oauth:token-type:grant',
  resource: resourceUri(ask),
  ...(tap !== undefined && { tap }),
})
