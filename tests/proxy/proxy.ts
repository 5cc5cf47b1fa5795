/** A proxy under test on a port of its own, the edges that it asks, and the clients that ask it. All on real sockets. */

import { X509Certificate } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import { request } from 'node:https'
import { connect as connectTcp, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { afterEach } from 'vitest'
import type { Names } from '../../core/issue/x509.ts'
import { hours, minutes } from '../../core/model.ts'
import { helloLimits } from '../../core/route/hello.ts'
import type { Settings } from '../../proxy/config.ts'
import { makeExpiries } from '../../proxy/expiry.ts'
import { type Identity, openIdentity } from '../../proxy/identity.ts'
import { limits as defaults, type Limits } from '../../proxy/limits.ts'
import { type Listener, plainListener } from '../../proxy/listeners.ts'
import { openLocalCa } from '../../proxy/local-ca.ts'
import type { LogLine } from '../../proxy/log.ts'
import { countLog } from '../../proxy/metrics.ts'
import { type OwnCertificates, openOwnCertificates } from '../../proxy/own-certificates.ts'
import { type Serving, serve } from '../../proxy/serve.ts'
import type { Resolve } from '../../proxy/upstream.ts'
import { freePort, newFolder, remove } from '../runtime/launch.ts'

const endings: (() => unknown)[] = []
/** What a test has begun ends with it, the last first. */
export const atEnd = (end: () => unknown): void => void endings.push(end)
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

export const needs = {
  now: () => Date.now(),
  random: (length: number) => crypto.getRandomValues(new Uint8Array(length)),
}

/** What a client must know of it. */
export interface Reachable {
  readonly port: number
  /** PEM. */
  readonly ca: string
}

export interface Proxy extends Reachable {
  readonly log: readonly LogLine[]
  /** The reason codes in the log so far. */
  readonly codes: () => string[]
  /** As the admin port tells them. */
  readonly metrics: () => string
  readonly stop: () => Promise<void>
  /** Takes up what has changed since it was started. */
  readonly reload: (change: Partial<Settings>) => Promise<void>
  readonly identity: Identity
  readonly serving: Serving
  readonly own: OwnCertificates
  /** With which it was started. */
  readonly settings: Settings
  readonly certificates: OwnCertificates
}

interface Options {
  readonly edge: string
  readonly publicUrl?: string
  readonly names?: Names
  readonly limits?: Partial<Limits>
  readonly ttl?: number
  readonly lookEvery?: number
  readonly askEvery?: number
  readonly maxStale?: number
  /** As `maxStale` where that is given. */
  readonly maxOffline?: number
  readonly keys?: Settings['trust']['keys']
  readonly home?: string
  readonly port?: number
  /** Of the first one, and further ones. */
  readonly listener?: Partial<Listener>
  readonly listeners?: readonly Listener[]
  readonly databases?: Settings['databases']
  readonly certificate?: Settings['certificate']
  readonly routes?: Settings['routes']
  readonly certificates?: Settings['certificates']
  readonly acme?: Settings['acme']
  readonly maxHello?: number
  /** Of its certificates. */
  readonly certificatesNow?: () => number
  /** Of what it knows and decides; its certificates have the machine's, unless that is given. */
  readonly now?: () => number
  /** In the place of the system's. */
  readonly resolve?: Resolve
  /** Before it starts, such as to register it at the edge. */
  readonly prepare?: (identity: Identity) => Promise<void>
}

export const local: Names = { dns: ['localhost'], addresses: ['127.0.0.1', '::1'] }

export async function startProxy({ edge, publicUrl = edge, names = local, ...more }: Options): Promise<Proxy> {
  const home = more.home ?? newFolder()
  if (more.home === undefined) atEnd(() => remove(home))
  const port = more.port ?? (await freePort())
  const identity = await openIdentity(needs, home)
  await more.prepare?.(identity)
  const log: LogLine[] = []
  const counted = countLog((line) => void log.push(line))
  const world = {
    ...needs,
    ...(more.now && { now: more.now }),
    ...(more.resolve && { resolve: more.resolve }),
    limits: { ...defaults, ...more.limits },
    log: counted.log,
  }
  const settings: Settings = {
    port,
    hosts: ['127.0.0.1'],
    listeners: [{ ...plainListener(['127.0.0.1'], port), ...more.listener }, ...(more.listeners ?? [])],
    names,
    home,
    edge: new URL(edge),
    publicUrl: new URL(publicUrl),
    certificate: more.certificate,
    certificates: more.certificates ?? [],
    acme: more.acme,
    maxHello: more.maxHello ?? helloLimits.maxHelloBytes,
    trust: {
      keys: more.keys ?? 'none',
      maxStale: more.maxStale ?? minutes(5),
      maxOffline: more.maxOffline ?? more.maxStale ?? hours(1),
    },
    routes: more.routes ?? [],
    databases: more.databases ?? [],
    adminPort: undefined,
    drain: minutes(5),
  }
  const expiries = makeExpiries(world.now, world.log)
  const ownWorld = { ...world, now: more.certificatesNow ?? needs.now }
  const ownFor = (of: Settings) => openOwnCertificates(of, ownWorld, expiries, more.ttl)
  const own = await ownFor(settings)
  const serving = await serve({
    settings,
    own,
    identity,
    world,
    lookEvery: more.lookEvery ?? minutes(1),
    ...(more.askEvery !== undefined && { askEvery: more.askEvery }),
  })
  atEnd(serving.stop)
  const { certificate } = await openLocalCa(needs, home, names)
  const codes = () => codesOf(log)
  const metrics = () => counted.text({ certificate_expires_seconds: serving.routing.certificates.expiries() })
  const ca = new X509Certificate(certificate).toString()
  const reload = async (change: Partial<Settings>) => {
    const next = { ...settings, ...change }
    await serving.reload(next, await ownFor(next))
  }
  const stop = serving.stop
  return { port, ca, log, codes, metrics, stop, reload, identity, serving, settings, own, certificates: own }
}

/** Why things were refused or broke off. What an answer said already a connection's own line says again. */
export function codesOf(log: readonly LogLine[]): string[] {
  const told = new Set<string>()
  return log.flatMap(({ code = 'ended', connection = crypto.randomUUID() }) => {
    const key = `${connection} ${code}`
    if (code === 'ended' || told.has(key)) return []
    told.add(key)
    return [code]
  })
}

const listening = async (server: Server): Promise<string> => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return `http://localhost:${(server.address() as { port: number }).port}`
}

/** An edge that answers as the test says. */
export async function edgeThat(answers: RequestListener): Promise<string> {
  const server = createServer(answers)
  atEnd(() => {
    server.closeAllConnections()
    return new Promise((done) => server.close(done))
  })
  return listening(server)
}

/** An edge of bytes. */
export async function rawEdge(onConnection: (socket: Socket) => void): Promise<string> {
  const open = new Set<Socket>()
  const server = createTcpServer((socket) => {
    open.add(socket)
    socket.on('error', () => undefined)
    onConnection(socket)
  })
  atEnd(() => {
    for (const socket of open) socket.destroy()
    return new Promise((done) => server.close(done))
  })
  return listening(server)
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body?: string
}

/** One request on a connection of its own, by Node's client, which trusts the proxy's authority and nothing else. */
export function ask(
  { port, ca }: Reachable,
  path: string,
  { method = 'GET', headers = {}, body }: Asked = {},
): Promise<Answer> {
  return new Promise((done, fail) => {
    const options = {
      port,
      ca,
      host: '127.0.0.1',
      servername: 'localhost',
      path,
      method,
      headers,
      agent: false,
    } as const
    const asking = request(options, (answer) => {
      let text = ''
      answer.setEncoding('latin1').on('data', (part: string) => {
        text += part
      })
      answer.on('end', () => done({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }))
      answer.on('error', fail)
    })
    asking.on('error', fail)
    asking.end(body)
  })
}

export interface Wire {
  readonly socket: TLSSocket
  readonly said: () => string
  /** Why it ended: an error's code, or undefined for an orderly end. */
  readonly closed: Promise<string | undefined>
  readonly send: (...lines: readonly string[]) => void
}

/** A TLS connection whose bytes the test writes. */
export async function dial({ port, ca }: Reachable, options: ConnectionOptions = {}): Promise<Wire> {
  const socket = connect({ port, ca, host: '127.0.0.1', servername: 'localhost', ...options })
  let said = ''
  socket.setEncoding('latin1').on('data', (part: string) => {
    said += part
  })
  let code: string | undefined
  socket.on('error', (error: { code?: string }) => {
    code = error.code ?? 'error'
  })
  const closed = new Promise<string | undefined>((done) => socket.once('close', () => done(code)))
  atEnd(() => socket.destroy())
  await Promise.race([new Promise<void>((done) => socket.once('secureConnect', () => done())), closed])
  return { socket, said: () => said, closed, send: (...lines) => void socket.write(lines.join('\r\n')) }
}

/** A head of these lines, with the empty one that ends it. */
export const head = (...lines: readonly string[]): string => [...lines, '', ''].join('\r\n')

export async function until(holds: () => boolean, patienceMs = 5000): Promise<void> {
  for (const deadline = Date.now() + patienceMs; !holds(); await sleep(5)) {
    if (Date.now() > deadline) throw new Error('it did not come to that')
  }
}

/** Until somebody listens there, or it is known that nobody will. Whether somebody does. */
export async function opens(port: number, isOver: () => boolean = () => false, withinMs = 30_000): Promise<boolean> {
  let isOpen = false
  const attempt = () => {
    const socket = connectTcp({ port, host: '127.0.0.1' }, () => {
      isOpen = true
      socket.destroy()
    })
    socket.on('error', () => setTimeout(attempt, 50))
  }
  attempt()
  await until(() => isOpen || isOver(), withinMs)
  return isOpen
}
