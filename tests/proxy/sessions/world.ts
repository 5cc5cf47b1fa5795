/** The real edge behind real HTTP, a registered proxy, a database, and somebody who may reach it. Every part can be made wrong. */
import { createServer } from 'node:http'
import { createServer as createTcpServer, type Socket } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { addProxy, proxyOf } from '../../../core/access/proxies.ts'
import type { SessionAsk } from '../../../core/access/request-session.ts'
import type { SessionSetAsk } from '../../../core/access/request-session-set.ts'
import type { RoleDocument, RoleOptions } from '../../../core/access/role.ts'
import { base64url } from '../../../core/lib/bytes.ts'
import type { Settings } from '../../../proxy/config.ts'
import type { Limits } from '../../../proxy/limits.ts'
import type { Listener } from '../../../proxy/listeners.ts'
import type { Resolve } from '../../../proxy/upstream.ts'
import { type TestEdge, terminal } from '../../edge.ts'
import { newAdmin, newPerson, type Person } from '../../people.ts'
import { type ProofKey, proofOf } from '../../program.ts'
import { askFor, beginSession, exchangeForm, pgDocument, putDocuments, readerRole, tapTicket } from '../../proxies.ts'
import { freePort, newFolder, remove } from '../../runtime/launch.ts'
import { atEnd, type Proxy as ProxyUnderTest, type Reachable, startProxy } from '../proxy.ts'
import { type Database, startDatabase, startup } from './database.ts'

export interface Line {
  readonly url: string
  readonly port: number
  /** What the edge was asked: paths, in order. */
  readonly asked: readonly string[]
  /** Between proxy and edge: what is passed on instead of an answer. */
  tamper: (path: string, answer: string) => string | undefined | Promise<string | undefined>
  /** What the edge never hears of. */
  refuses: (path: string) => boolean
  /** The edge is away until it is brought back. */
  cut(): void
  bringBack(): void
}

/** The edge's HTTP, on a port of its own. */
export async function lineTo(edge: TestEdge): Promise<Line> {
  const asked: string[] = []
  let isCut = false
  const line: Pick<Line, 'tamper' | 'refuses'> = { tamper: (_, answer) => answer, refuses: () => false }
  const server = createServer(async (request, response) => {
    if (isCut || line.refuses(request.url ?? '')) return void request.socket.destroy()
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const path = request.url ?? ''
    asked.push(path)
    const { method = 'GET', headers } = request
    const sent = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
    const body = method === 'GET' || method === 'HEAD' ? {} : { body: Buffer.concat(parts) }
    const answer = await edge.send(`https://${headers.host}${path}`, { method, headers: sent, ...body })
    const text = await line.tamper(path, await answer.text())
    // The edge has done it, and nobody hears of it.
    if (text === undefined || isCut) return void request.socket.destroy()
    const { 'content-length': _, ...fields } = Object.fromEntries(answer.headers)
    response.writeHead(answer.status, { 'content-type': 'application/json', ...fields })
    response.end(text)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as { port: number }
  atEnd(() => {
    server.closeAllConnections()
    return new Promise((done) => server.close(done))
  })
  return Object.assign(line, {
    url: `http://localhost:${port}`,
    port,
    asked,
    cut: () => {
      isCut = true
    },
    bringBack: () => {
      isCut = false
    },
  })
}

interface Options {
  /** Whether the role wants a tap for each session. */
  readonly tap?: boolean
  readonly database?: Database
  readonly limits?: Partial<Limits>
  readonly maxStale?: number
  readonly maxOffline?: number
  readonly askEvery?: number
  readonly listener?: Partial<Listener>
  readonly databases?: Settings['databases']
  readonly resolve?: Resolve
  readonly names?: Settings['names']
  readonly certificates?: Settings['certificates']
  /** What it is called, and when it begins. */
  readonly site?: Parameters<typeof newAdmin>[0]
}

export interface World {
  readonly edge: TestEdge
  readonly admin: Person
  /** May reach pg-1 as reader in orders. */
  readonly lea: Person
  readonly line: Line
  readonly home: string
  readonly proxy: ProxyUnderTest
  readonly database: Database
  /** The same proxy once more: a process of its own. */
  restart(): Promise<ProxyUnderTest>
}

export async function newWorld(options: Options = {}): Promise<World> {
  const database = options.database ?? (await startDatabase())
  const admin = await newAdmin(options.site)
  const { edge } = admin
  await putDocuments(
    admin,
    pgDocument('pg-1', { uri: database.uri }),
    pgDocument('pg-2', { uri: database.uri }),
    readerRole('db-reader', options.tap ?? true),
  )
  const lea = await newPerson(admin, 'Lea', ['access', 'db-reader'])
  const line = await lineTo(edge)
  const home = newFolder()
  atEnd(() => remove(home))
  const start = (port: number) =>
    startProxy({
      edge: line.url,
      publicUrl: edge.site.origin,
      home,
      port,
      keys: 'first-use',
      now: edge.ports.now,
      askEvery: options.askEvery ?? 100,
      ...(options.limits && { limits: options.limits }),
      ...(options.listener && { listener: options.listener }),
      ...(options.resolve && { resolve: options.resolve }),
      ...(options.databases && { databases: options.databases }),
      ...(options.names && { names: options.names }),
      ...(options.certificates && { certificates: options.certificates }),
      ...(options.maxStale !== undefined && { maxStale: options.maxStale }),
      ...(options.maxOffline !== undefined && { maxOffline: options.maxOffline }),
      prepare: async ({ x }) => {
        const record = proxyOf('p1', x, edge.ports.now())
        if (record) await addProxy(edge.ports, terminal, record)
      },
    })
  const proxy = await start(await freePort())
  return { edge, admin, lea, line, home, proxy, database, restart: async () => start(await freePort()) }
}

/** A proxy as a client knows it, in this process or another. */
export interface Reached extends Reachable {
  readonly identity: { readonly id: string; readonly boot: string }
}

export const nameOf = ({ identity }: Reached) => ({ id: identity.id, boot: identity.boot })

/** The way of a person to a grant for that proxy, with the tap where one is wanted. */
export async function grantFor(
  { proxy }: { readonly proxy: Reached },
  { program, token, visitor, passkey }: Person,
  ask: SessionAsk | SessionSetAsk = askFor(nameOf(proxy)),
): Promise<string> {
  const { status, json, text } = await beginSession(program, token, ask)
  if (status !== 200) throw new Error(`the session was answered ${status}: ${text}`)
  const tap = json.tap ? await tapTicket(visitor, passkey, json.ticket) : undefined
  const answer = await program.token(exchangeForm(token, ask, tap))
  if (answer.status !== 200) throw new Error(`the exchange was answered ${answer.status}: ${answer.text}`)
  return answer.json.access_token
}

/** A connection under the ALPN name `sallyport`, as the command holds it. */
export class Tunnel {
  readonly socket: TLSSocket
  readonly closed: Promise<string | undefined>
  readonly #proxy: Reached
  #said = Buffer.alloc(0)
  #ended = false

  constructor(proxy: Reached, socket: TLSSocket) {
    this.#proxy = proxy
    this.socket = socket
    let code: string | undefined
    socket.on('data', (bytes: Buffer) => {
      this.#said = Buffer.concat([this.#said, bytes])
    })
    socket.on('end', () => {
      this.#ended = true
    })
    socket.on('error', (error: { code?: string }) => {
      code = error.code ?? 'error'
    })
    this.closed = new Promise((done) => socket.once('close', () => done(code)))
    atEnd(() => socket.destroy())
  }

  static open(proxy: Reached, raw?: Socket): Promise<Tunnel> {
    const { port, ca } = proxy
    return new Promise((done, fail) => {
      const socket = connect({
        port,
        host: '127.0.0.1',
        ...(raw && { socket: raw }),
        ca,
        servername: 'localhost',
        ALPNProtocols: ['sallyport'],
      })
      socket.once('error', fail)
      socket.once('secureConnect', () => {
        socket.off('error', fail)
        done(new Tunnel(proxy, socket))
      })
    })
  }

  get exporter(): string {
    return base64url(this.socket.exportKeyingMaterial(32, 'EXPORTER-sallyport', Buffer.alloc(0)))
  }

  get said(): string {
    return this.#said.toString('latin1')
  }

  get ended(): boolean {
    return this.#ended
  }

  /** What it said so far is read. */
  take(): string {
    const said = this.said
    this.#said = Buffer.alloc(0)
    return said
  }

  async until(holds: (said: string) => boolean, patienceMs = 5000): Promise<string> {
    for (const deadline = Date.now() + patienceMs; !holds(this.said); ) {
      if (Date.now() > deadline || this.socket.destroyed) {
        if (holds(this.said)) break
        throw new Error(`it said ${JSON.stringify(this.said.slice(0, 500))}`)
      }
      await new Promise((next) => setTimeout(next, 2))
    }
    return this.said
  }

  /** One answer with its body. */
  async answer(): Promise<{ readonly status: number; readonly head: string; readonly json: Record<string, unknown> }> {
    const whole = /^HTTP\/1\.1 (\d{3}) [^\r]*\r\n(?:[^\r]+\r\n)*?\r\n/
    const text = await this.until((said) => {
      const [head] = whole.exec(said) ?? []
      return head !== undefined && said.length >= head.length + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
    })
    const [head = '', status = ''] = whole.exec(text) ?? []
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
    this.#said = this.#said.subarray(head.length + length)
    const body = text.slice(head.length, head.length + length)
    return { status: Number(status), head, json: body === '' ? {} : JSON.parse(body) }
  }

  send(...lines: readonly string[]): void {
    this.socket.write([...lines, '', ''].join('\r\n'))
  }

  async discover({ program, token }: Person, now: () => number) {
    const host = `localhost:${this.#proxy.port}`
    const proof = await proofOf(program.key, {
      method: 'GET',
      url: `sallyport://${host}/.well-known/sallyport`,
      nonce: this.exporter,
      accessToken: token,
      iat: Math.floor(now() / 1000),
    })
    this.send('GET /.well-known/sallyport HTTP/1.1', `Host: ${host}`, `Authorization: DPoP ${token}`, `DPoP: ${proof}`)
    return this.answer()
  }

  /** The head of a CONNECT, with whatever is wrong with it. */
  async connectLines(grant: string, key: ProofKey, iat: number, wrong: Wrong = {}): Promise<string[]> {
    const { name = 'pg-1', nonce = this.exporter, id = this.#proxy.identity.id } = wrong
    const proof = await proofOf(key, {
      method: 'CONNECT',
      url: wrong.url ?? `sallyport://${id}/${encodeURIComponent(name)}`,
      nonce,
      iat,
    })
    const authority = wrong.authority ?? (name.includes(':') ? name : `${name}:443`)
    return [
      `CONNECT ${authority} HTTP/1.1`,
      `Host: ${authority}`,
      `Proxy-Authorization: DPoP ${grant}`,
      `DPoP: ${proof}`,
    ]
  }

  async connect(grant: string, { program }: Person, wrong: Wrong = {}) {
    this.send(...(await this.connectLines(grant, wrong.key ?? program.key, program.iat, wrong)))
    return this.answer()
  }

  /** psql's first message, with the right names. */
  start(parameters: Readonly<Record<string, string>> = { user: 'reader', database: 'orders' }): void {
    this.socket.write(startup(parameters))
  }
}

export interface Wrong {
  readonly name?: string
  readonly authority?: string
  readonly nonce?: string
  readonly id?: string
  readonly url?: string
  readonly key?: ProofKey
}

/** A tunnel that the database has welcomed. */
export async function openSession(
  world: Pick<World, 'lea'> & { readonly proxy: Reached },
  person: Person = world.lea,
  raw?: Socket,
): Promise<Tunnel> {
  const tunnel = await Tunnel.open(world.proxy, raw)
  const { status, json } = await tunnel.connect(await grantFor(world, person), person)
  if (status !== 200) throw new Error(`CONNECT was answered ${status}: ${JSON.stringify(json)}`)
  tunnel.start()
  await tunnel.until((said) => said.endsWith('Z\0\0\0\x05I'))
  tunnel.take()
  return tunnel
}

/** What the role of its readers says from now on, at the proxy too. */
export async function limitReaders({ admin, proxy }: Pick<World, 'admin' | 'proxy'>, options: RoleOptions) {
  const role = readerRole('db-reader', false) as RoleDocument
  await putDocuments(admin, { ...role, spec: { ...role.spec, options } })
  await proxy.serving.trust.ask()
}

/** What the proxy told the edge of sessions. */
export const eventsOf = (edge: TestEdge) =>
  edge.rows(
    "select kind, code, detail from audit where kind like 'session.%' and kind not in ('session.grant') order by seq",
  )

/** A port that accepts and says nothing. */
export async function silentPort(): Promise<number> {
  const open = new Set<Socket>()
  const server = createTcpServer((socket) => {
    open.add(socket)
    socket.on('error', () => undefined)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  atEnd(() => {
    for (const socket of open) socket.destroy()
    return new Promise((done) => server.close(done))
  })
  return (server.address() as { port: number }).port
}
