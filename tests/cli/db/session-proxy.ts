/**
 * A proxy as strict as its wire says: TLS, the exporter of the very connection in each proof, the grant for this process and for this key,
 * the principal of the StartupMessage. What a client got wrong is kept, and the client is refused.
 */
import { connect as dial } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { compactVerify, decodeProtectedHeader, importJWK, type JWK } from 'jose'
import { onTestFinished } from 'vitest'
import type { HostRule } from '../../../core/access/host-rule.ts'
import type { DbPrincipal } from '../../../core/access/resource.ts'
import { sessionIn } from '../../../core/access/session-set.ts'
import { sessionInWords } from '../../../core/access/session-words.ts'
import type { Json } from '../../../core/intent.ts'
import { readGrant } from '../../../core/issue/grant.ts'
import { base64url, concat, utf8 } from '../../../core/lib/bytes.ts'
import { sha256 } from '../../../core/lib/hash.ts'
import { jwkThumbprint, parsePublicJwk } from '../../../core/lib/jwk.ts'
import { parsePostgres } from '../../../core/route/postgres.ts'
import { type TestEdge, terminal } from '../../edge.ts'
import { type Front, issuer, newFront } from '../tls-edge.ts'

export interface Refusal {
  readonly status: number
  readonly error: string
  readonly message: string
}

export interface SessionProxy {
  readonly front: Front
  /** Its address, as clients name it. */
  readonly called: string
  /** What clients got wrong. */
  readonly faults: string[]
  /** `USER@DATABASE`, or `KIND/NAME (PRINCIPAL)` where bytes pass as they are; with a star where there was a tap. */
  readonly sessions: string[]
  /** Where a session's bytes go. */
  port: number
  /** Answers a CONNECT that is right otherwise. */
  refusal: Refusal | undefined
  /** Breaks held connections off, and is another process from then on. */
  restart(): void
  /** As an operator whose network broke. */
  cutSessions(): void
}

const random = (length: number) => base64url(crypto.getRandomValues(new Uint8Array(length)))

interface Options {
  readonly tap?: boolean
  readonly port?: number
  readonly name?: string
  /** That are no resources, and that the role names. */
  readonly hosts?: readonly HostRule[]
}

export async function newSessionProxy({
  tap = false,
  port = 0,
  name = '',
  hosts,
}: Options = {}): Promise<SessionProxy> {
  const x = random(32)
  const id = jwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x })
  const [open, spent] = [new Set<TLSSocket>(), new Set<string>()]
  let boot = random(16)
  const front = await newFront(
    (socket) => {
      open.add(socket)
      socket.once('close', () => open.delete(socket))
      void new Conversation(socket, proxy, { id, boot }, spent).run().catch((error: Error) => {
        proxy.faults.push(error.message)
        socket.destroy()
      })
    },
    name === '' ? [] : [name],
  )
  const cutSessions = () => {
    for (const socket of open) socket.destroy()
  }
  const restart = () => {
    boot = random(16)
    cutSessions()
  }
  const called = name === '' ? `localhost:${front.port}` : `${name}:443`
  const proxy: SessionProxy = {
    front,
    called,
    faults: [],
    sessions: [],
    port,
    refusal: undefined,
    restart,
    cutSessions,
  }
  await prepare(front.edge, id, x, tap, hosts)
  onTestFinished(cutSessions)
  return proxy
}

async function prepare(edge: TestEdge, id: string, x: string, tap: boolean, hosts: Options['hosts']): Promise<void> {
  const at = edge.ports.now()
  const event = { at, kind: 'proxy.add', outcome: 'done', asking: terminal } as const
  await edge.ports.proxies.add({ id, x, name: 'here', registeredAt: at }, event)
  const env = { env: ['dev'] }
  const labels = { env: 'dev' }
  const role = {
    kind: 'role',
    version: 'v7',
    metadata: { name: 'reader' },
    spec: {
      options: tap ? { require_session_mfa: true } : {},
      allow: {
        db_labels: env,
        db_users: ['reader'],
        db_names: ['app'],
        node_labels: env,
        logins: ['ubuntu', 'deploy'],
        app_labels: env,
        kubernetes_labels: env,
        kubernetes_groups: ['developers'],
        ...(hosts && { hosts }),
      },
      deny: {},
    },
  }
  const db = {
    kind: 'db',
    version: 'v3',
    metadata: { name: 'orders', description: 'What was ordered.', labels: { env: 'dev' } },
    spec: { protocol: 'postgres', uri: '127.0.0.1:5432', tls: { mode: 'insecure' } },
  }
  const tls = { mode: 'insecure' }
  const others = [
    { kind: 'node', version: 'v2', metadata: { name: 'web-1', labels }, spec: { addr: '127.0.0.1:22' } },
    { kind: 'app', version: 'v3', metadata: { name: 'wiki', labels }, spec: { uri: 'http://127.0.0.1:80' } },
    { kind: 'kube_cluster', version: 'v3', metadata: { name: 'k8s', labels }, spec: { uri: '127.0.0.1:6443', tls } },
  ]
  const insert = edge.store.raw.prepare(documentRow)
  for (const document of [role, db, ...others])
    insert.run(document.kind, document.metadata.name, JSON.stringify(document), at)
  edge.store.raw.exec("insert into user_roles (user_id, role) select id, 'reader' from users")
}

const documentRow =
  "insert into documents (kind, name, document, revision, updated_at, updated_by) select ?, ?, ?, 'first', ?, id from users"

interface Asked {
  readonly line: string
  readonly fields: ReadonlyMap<string, string>
}

class Conversation {
  readonly #socket: TLSSocket
  readonly #proxy: SessionProxy
  readonly #self: { readonly id: string; readonly boot: string }
  readonly #nonce: string
  readonly #spent: Set<string>
  #left: Uint8Array = new Uint8Array()

  constructor(socket: TLSSocket, proxy: SessionProxy, self: { id: string; boot: string }, spent: Set<string>) {
    this.#socket = socket
    this.#proxy = proxy
    this.#self = self
    this.#spent = spent
    this.#nonce = base64url(socket.exportKeyingMaterial(32, 'EXPORTER-sallyport', Buffer.alloc(0)))
    if (socket.getProtocol() !== 'TLSv1.3') proxy.faults.push('not TLS 1.3')
  }

  async run(): Promise<void> {
    const { called } = this.#proxy
    const first = await this.#request()
    if (!first) return
    expectEqual('first line', first.line, 'GET /.well-known/sallyport HTTP/1.1')
    expectEqual('host', first.fields.get('host'), called)
    const token = bearer(first, 'authorization')
    const path = `${called}/.well-known/sallyport`
    const holder = await this.#requireProof(first, 'GET', path, token)
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
      cnf?: { jkt?: string }
    }
    expectEqual('the token’s key', claims.cnf?.jkt, holder)
    this.#answer('200 OK', { issuer, methods: ['tls'], version: '0.1.0', ...this.#self })
    const second = await this.#request()
    if (second) await this.#connect(second, holder)
  }

  async #connect(asked: Asked, holder: string): Promise<void> {
    const { id, boot } = this.#self
    const [, authority = ''] = /^CONNECT ([a-z0-9.[\]:-]+:\d+) HTTP\/1\.1$/.exec(asked.line) ?? []
    expectEqual('host', asked.fields.get('host'), authority)
    // Of a resource the port says nothing, and one is written.
    const name = /[.\]]/.test(authority) ? authority : authority.replace(/:443$/, '')
    const jwt = bearer(asked, 'proxy-authorization')
    expectEqual(
      'the proof’s key',
      await this.#requireProof(asked, 'CONNECT', `${id}/${encodeURIComponent(name)}`, jwt),
      holder,
    )
    const { ports } = this.#proxy.front.edge
    const keys = new Map<string, CryptoKey>()
    for (const jwk of await ports.keyring.published()) keys.set(jwk.kid, (await importJWK(jwk, 'EdDSA')) as CryptoKey)
    const grant = sessionIn(await readGrant({ issuer, keys, proxy: { id, boot }, now: ports.now() }, jwt), name)
    expectEqual('the grant’s key', grant.clientKey, holder)
    expectEqual('the grant’s resource', grant.subject.resource.name, name)
    const { key, most = 1 } = grant.uses
    const uses = Array.from({ length: most }, (_, at) => `use ${at + 1} of the grant ${key}`)
    this.#spend(uses.find((one) => !this.#spent.has(one)) ?? `use ${most} of the grant ${key}`)
    const { refusal } = this.#proxy
    if (refusal) return this.#answer(`${refusal.status} No`, { error: refusal.error, message: refusal.message })
    this.#socket.write('HTTP/1.1 200 OK\r\n\r\n')
    const { resource, principal } = grant.subject
    if (resource.kind !== 'db') {
      this.#proxy.sessions.push(`${resource.kind}/${sessionInWords(grant.subject)}${grant.tap ? '*' : ''}`)
      return this.#splice()
    }
    const { db_user, db_name } = principal as DbPrincipal
    const startup = await this.#startup()
    if (!startup) return
    expectEqual('user and database', `${startup.user}@${startup.database}`, `${db_user}@${db_name}`)
    this.#proxy.sessions.push(`${db_user}@${db_name}${grant.tap ? '*' : ''}`)
    this.#splice()
  }

  #splice(): void {
    const socket = this.#socket
    const upstream = dial({ port: this.#proxy.port, host: '127.0.0.1', allowHalfOpen: true })
    upstream.on('error', () => socket.destroy())
    socket.once('close', () => upstream.destroy())
    upstream.write(this.#left)
    socket.pipe(upstream)
    upstream.pipe(socket)
  }

  async #startup() {
    for (;;) {
      const parsed = parsePostgres(this.#left)
      if (parsed.kind === 'value' && parsed.value.kind === 'startup') return parsed.value.startup
      if (parsed.kind !== 'more') throw new Error(`the tunnel begins with ${JSON.stringify(parsed)}`)
      if (!(await this.#more())) return undefined
    }
  }

  async #request(): Promise<Asked | undefined> {
    for (;;) {
      const text = Buffer.from(this.#left).toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      if (end >= 0) {
        this.#left = this.#left.subarray(end + 4)
        // A client that sends ahead of the answer would be a client that does not check it.
        if (this.#left.length > 0) throw new Error('bytes behind a request')
        const [line = '', ...lines] = text.slice(0, end).split('\r\n')
        const fields = lines.map((one): [string, string] => {
          const [, name = '', value = ''] = /^([\w-]+): (\S.*)$/.exec(one) ?? []
          return [name.toLowerCase(), value]
        })
        if (new Set(fields.map(([name]) => name)).size !== fields.length) throw new Error('a field twice')
        return { line, fields: new Map(fields) }
      }
      if (!(await this.#more())) return undefined
    }
  }

  #more(): Promise<boolean> {
    const socket = this.#socket
    return new Promise((done) => {
      const read = (part: Buffer) => end(part)
      const gone = () => end(undefined)
      const end = (part: Buffer | undefined) => {
        socket.off('data', read).off('end', gone).off('close', gone).pause()
        this.#left = concat(this.#left, part ?? new Uint8Array())
        done(part !== undefined)
      }
      socket.on('data', read).once('end', gone).once('close', gone).resume()
    })
  }

  async #requireProof({ fields }: Asked, method: string, target: string, token: string): Promise<string> {
    const proof = fields.get('dpop') ?? ''
    const { jwk, typ, alg } = decodeProtectedHeader(proof)
    expectEqual('typ', typ, 'dpop+jwt')
    expectEqual('alg', alg, 'ES256')
    const parsed = parsePublicJwk(jwk as unknown as Json)
    if (!parsed || 'd' in (jwk ?? {})) throw new Error('jwk')
    const { payload } = await compactVerify(proof, await importJWK(jwk as JWK, 'ES256'))
    const claims = JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown>
    expectEqual('htm', claims['htm'], method)
    expectEqual('htu', claims['htu'], `sallyport://${target}`)
    expectEqual('nonce', claims['nonce'], this.#nonce)
    expectEqual('ath', claims['ath'], base64url(sha256(utf8(token))))
    if (Math.abs(Number(claims['iat']) - Date.now() / 1000) > 30) throw new Error('iat')
    this.#spend(`jti ${String(claims['jti'])}`)
    return jwkThumbprint(parsed)
  }

  #spend(what: string): void {
    if (this.#spent.has(what)) throw new Error(`${what} twice`)
    this.#spent.add(what)
  }

  #answer(status: string, body: object): void {
    const text = JSON.stringify(body)
    this.#socket.write(
      `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
    )
  }
}

function bearer({ fields }: Asked, name: string): string {
  const [, token] = /^DPoP ([\w.-]+)$/.exec(fields.get(name) ?? '') ?? []
  if (token === undefined) throw new Error(`no ${name}`)
  return token
}

function expectEqual(what: string, found: unknown, wanted: unknown): void {
  if (found !== wanted) throw new Error(`${what}: ${String(found)}, not ${String(wanted)}`)
}
