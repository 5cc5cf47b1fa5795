/** A resource of each kind and protocol behind one proxy, and clients that show a certificate with a grant and say their bytes at once. */
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import type { DbProtocol } from '../../../core/access/db.ts'
import type { Document } from '../../../core/access/document.ts'
import type { SessionAsk } from '../../../core/access/request-session.ts'
import type { ResourceKind } from '../../../core/access/resource.ts'
import { putDocuments } from '../../proxies.ts'
import { atEnd, type Reachable } from '../proxy.ts'
import { type Certified, certify, listenTo, type Said } from '../sessions/certificate.ts'
import type { Database } from '../sessions/database.ts'
import { rawKinds, roleFor, samples, startEcho } from '../sessions/kinds.ts'
import { nameOf, newWorld, type World } from '../sessions/world.ts'

export const databaseOf = (name: string, protocol: DbProtocol, uri: string, mode = 'disable'): Document =>
  ({
    kind: 'db',
    version: 'v3',
    metadata: { name, labels: { env: 'dev' } },
    spec: { protocol, uri, tls: { mode } },
  }) as Document

/** By name: what each speaks. */
export const ownProtocol = {
  'web-1': 'sallyport-ssh',
  'pg-1': 'sallyport-postgres',
  'my-1': 'sallyport-mysql',
  'mongo-1': 'sallyport-mongodb',
  'redis-1': 'sallyport-redis',
  k8s: 'sallyport-kube',
  'desk-1': 'sallyport-rdp',
  wiki: 'sallyport-tcp',
} as const
export type ServiceName = keyof typeof ownProtocol
export const serviceNames = Object.keys(ownProtocol) as ServiceName[]

const rawKindOf = (name: string) => rawKinds.find((kind) => samples[kind].name === name)

export const askOf = ({ proxy }: Pick<World, 'proxy'>, name: string): SessionAsk => {
  const kind = rawKindOf(name)
  const principal = kind ? samples[kind].principal : { db_user: 'reader', db_name: 'orders' }
  return { resource: { kind: (kind ?? 'db') as ResourceKind, name }, principal, proxy: nameOf(proxy) }
}

export interface ServiceWorld extends World {
  /** Behind all but Postgres: it says what it hears. */
  readonly echo: Database
}

/** What Lea reaches: all of them. */
export const roleOfAll = (tap: boolean): Document =>
  roleFor(
    Object.assign(
      { db_labels: { env: ['dev'] }, db_users: ['reader'], db_names: ['orders'] },
      ...rawKinds.map((kind) => samples[kind].allow),
    ),
    tap,
  )

export async function serviceWorld(options: Parameters<typeof newWorld>[0] = {}): Promise<ServiceWorld> {
  const { tap = true } = options
  const world = await newWorld(options)
  const echo = await startEcho()
  await putDocuments(
    world.admin,
    ...rawKinds.map((kind) => samples[kind].document(echo.uri)),
    databaseOf('my-1', 'mysql', echo.uri),
    databaseOf('mongo-1', 'mongodb', echo.uri),
    databaseOf('redis-1', 'redis', echo.uri),
    databaseOf('redis-2', 'redis', echo.uri),
    roleOfAll(tap),
  )
  await world.proxy.serving.trust.ask()
  return { ...world, echo }
}

/** A certificate for one of them. */
export const certifyFor = (
  world: Parameters<typeof certify>[0] & Pick<World, 'proxy'>,
  name: string,
  more: Parameters<typeof certify>[1] = {},
): Promise<Certified> => certify(world, { ...more, name, ask: { ...askOf(world, name), ...more?.ask } })

export interface DiallingService {
  readonly certified?: Pick<Certified, 'cert' | 'key'> | undefined
  /** undefined: none. */
  readonly alpn?: string | readonly string[] | undefined
  /** What the client calls the proxy. */
  readonly servername?: string
  readonly tls?: ConnectionOptions
}

/** Rejects with the handshake's error. */
export async function dialService(
  { port, ca }: Reachable,
  { certified, alpn, servername = 'localhost', tls = {} }: DiallingService,
): Promise<TLSSocket> {
  const shown = certified && { cert: certified.cert, key: certified.key }
  const offered = alpn === undefined ? {} : { ALPNProtocols: [alpn].flat() }
  const options: ConnectionOptions = { port, host: '127.0.0.1', ca, servername, ...offered, ...shown, ...tls }
  const socket = connect(options)
  socket.allowHalfOpen = true
  atEnd(() => socket.destroy())
  await new Promise<void>((done, fail) => {
    socket.once('secureConnect', done).once('error', fail)
    socket.once('close', () => fail(new Error('closed')))
  })
  return socket
}

/** Says that at once, and hears what comes. */
export async function sayTo(proxy: Reachable, dialling: DiallingService, bytes = 'ping'): Promise<Said> {
  const said = listenTo(await dialService(proxy, dialling))
  said.socket.once('end', () => said.socket.end())
  said.socket.write(Buffer.from(bytes, 'latin1'))
  return said
}

/** Whether an echo came back. */
export async function isServed(proxy: Reachable, dialling: DiallingService): Promise<boolean> {
  const { until, closed, socket } = await sayTo(proxy, dialling)
  const isEcho = (said: string) => said === 'ping'
  const served = await Promise.race([until(isEcho).then(() => true), closed.then(isEcho)]).catch(() => false)
  socket.destroy()
  return served
}

/** What a client sees of a refusal, and what stands in the log. */
export async function refusalOf(world: Pick<World, 'proxy'>, dialling: DiallingService) {
  const socket = await dialService(world.proxy, dialling)
  const seen = { bytes: '', ended: false, error: undefined as string | undefined }
  socket.on('data', (piece: Buffer) => {
    seen.bytes += piece.toString('latin1')
  })
  socket.once('end', () => {
    seen.ended = true
    socket.end()
  })
  socket.once('error', (error: { code?: string }) => {
    seen.error = error.code
  })
  await new Promise<void>((done) => socket.once('close', () => done()))
  const line = world.proxy.log.findLast(({ message }) => message === 'service refused')
  return { ...seen, code: line?.code, detail: String(line?.['detail']) }
}
