/** A proxy's side of the edge, and a session's way to its grant: every part can be made wrong. */
import type { Document } from '../core/access/document.ts'
import { addProxy, proxyOf } from '../core/access/proxies.ts'
import type { Json } from '../core/intent.ts'
import { base64url, utf8 } from '../core/lib/bytes.ts'
import { type ProxyRequest, proveRequest } from '../core/proxy-proof.ts'
import type { Reply } from './client.ts'
import { newAdministrator, newLogin, type TestEdge, terminal } from './edge.ts'
import { type Acting, call } from './people.ts'
import { newBoot } from './session-asks.ts'

export * from './session-asks.ts'

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

export async function putDocuments(admin: Acting, ...documents: Document[]): Promise<void> {
  const body = { documents: documents as unknown as Json[], force: true }
  const { status, text } = await call(admin, 'POST', '/v1/documents', body)
  if (status !== 200) throw new Error(`documents were answered ${status}: ${text}`)
}

/** An administrator with a program that is signed in, a proxy, and `documents`, whose role db-reader is his own. */
export async function newSessionAdmin(...documents: Document[]) {
  const admin = await newAdministrator()
  const { edge, passkey, visitor } = admin
  const { program, tokens } = await newLogin(edge, visitor, passkey)
  const acting = { program, token: tokens.access_token, visitor, passkey }
  await putDocuments(acting, ...documents)
  edge.store.raw.exec("insert into user_roles select id, 'db-reader' from users")
  return { ...admin, ...acting, acting, proxy: await newProxy(edge) }
}
