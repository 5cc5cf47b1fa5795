/** A proxy's side of the edge, and a session's way to its grant: every part can be made wrong. */
import type { Document } from '../core/access/document.ts'
import { addProxy, proxyOf } from '../core/access/proxies.ts'
import type { SessionAsk } from '../core/access/request-session.ts'
import type { SessionSetAsk } from '../core/access/request-session-set.ts'
import { resourceUri, setUri } from '../core/access/resource-uri.ts'
import type { Json } from '../core/intent.ts'
import { base64url, utf8 } from '../core/lib/bytes.ts'
import { type ProxyRequest, proveRequest } from '../core/proxy-proof.ts'
import type { Authenticator, GetOverrides, RequestOptions } from './authenticator.ts'
import type { Reply, Visitor } from './client.ts'
import { type TestEdge, terminal } from './edge.ts'
import { type Acting, call } from './people.ts'
import { type Program, redirectUri } from './program.ts'

export interface TestProxy {
  readonly id: string
  readonly boot: string
  readonly key: CryptoKey
  /** A call with this proxy's proof, or with parts of it made wrong. */
  call(
    path: string,
    body: Json,
    wrong?: Partial<ProxyRequest & { id: string; at: number; key: CryptoKey }>,
  ): Promise<Reply>
}

export const newBoot = () => base64url(crypto.getRandomValues(new Uint8Array(16)))

/** A registered proxy with a key of its own. */
export async function newProxy(edge: TestEdge, name = 'p1'): Promise<TestProxy> {
  const pair = (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair
  const x = base64url(new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)))
  const proxy = proxyOf(name, x, edge.ports.now())
  if (!proxy) throw new Error('no proxy')
  await addProxy(edge.ports, terminal, proxy)
  const visitor = edge.visitor()
  return {
    id: proxy.id,
    boot: newBoot(),
    key: pair.privateKey,
    call: async (path, body, wrong = {}) => {
      const text = JSON.stringify(body)
      const { method = 'POST', url = edge.site.origin + path, body: proven = utf8(text) } = wrong
      const asked = { method, url, body: proven }
      const proof = await proveRequest(
        wrong.key ?? pair.privateKey,
        wrong.id ?? proxy.id,
        asked,
        wrong.at ?? edge.ports.now(),
      )
      const headers = { 'content-type': 'application/json', 'sallyport-proxy': proof }
      return visitor.request('POST', path, text, headers)
    },
  }
}

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

export async function putDocuments(admin: Acting, ...documents: Document[]): Promise<void> {
  const body = { documents: documents as unknown as Json[], force: true }
  const { status, text } = await call(admin, 'POST', '/v1/documents', body)
  if (status !== 200) throw new Error(`documents were answered ${status}: ${text}`)
}

export const askFor = ({ id, boot }: Pick<TestProxy, 'id' | 'boot'>, name = 'pg-1'): SessionAsk => ({
  resource: { kind: 'db', name },
  principal: { db_user: 'reader', db_name: 'orders' },
  proxy: { id, boot },
})

/** Several by one tap: names of databases, and how often each. */
export const setOf = (
  proxy: Pick<TestProxy, 'id' | 'boot'>,
  counts: Readonly<Record<string, number>>,
): SessionSetAsk => ({
  sessions: Object.entries(counts).map(([name, count]) => {
    const { resource, principal } = askFor(proxy, name)
    return { resource, principal, count }
  }),
  proxy: { id: proxy.id, boot: proxy.boot },
})

export const beginSession = (program: Program, token: string, ask: SessionAsk | SessionSetAsk): Promise<Reply> =>
  program.call('POST', 'sessions' in ask ? '/v1/session-sets' : '/v1/sessions', token, {
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

export const exchangeForm = (token: string, ask: SessionAsk | SessionSetAsk, tap?: string): Record<string, string> => ({
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  client_id: 'sallyport-cli',
  subject_token: token,
  subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  requested_token_type: 'urn:sallyport:oauth:token-type:grant',
  resource: 'sessions' in ask ? setUri(ask.proxy) : resourceUri(ask),
  ...(tap !== undefined && { tap }),
})
