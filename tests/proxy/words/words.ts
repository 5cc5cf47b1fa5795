/** A world whose role gives words, how a program gets one, and clients that know forward proxies alone. */
import type { SessionAsk } from '../../../core/access/request-session.ts'
import type { RoleDocument, RoleOptions } from '../../../core/access/role.ts'
import type { Limits } from '../../../proxy/limits.ts'
import type { Person } from '../../people.ts'
import { proofOf } from '../../program.ts'
import { dial, head, type Reachable, type Wire } from '../proxy.ts'
import type { Database } from '../sessions/database.ts'
import { askOf, put, type RawKind, roleFor, samples, startEcho } from '../sessions/kinds.ts'
import { grantFor, newWorld, Tunnel, type World, type Wrong } from '../sessions/world.ts'

const path = '/.well-known/sallyport/bearer'

/** How a program asks for a word, with whatever is wrong with it. */
export async function askForWord(world: World, grant: string, wrong: Wrong = {}, person: Person = world.lea) {
  const tunnel = await Tunnel.open(world.proxy)
  const { id } = world.proxy.identity
  const proof = await proofOf(wrong.key ?? person.program.key, {
    method: 'POST',
    url: wrong.url ?? `sallyport://${id}${path}`,
    nonce: wrong.nonce ?? tunnel.exporter,
    iat: person.program.iat,
  })
  tunnel.send(
    `POST ${path} HTTP/1.1`,
    `Host: localhost:${world.proxy.port}`,
    'Content-Length: 0',
    `Proxy-Authorization: DPoP ${grant}`,
    `DPoP: ${proof}`,
  )
  return tunnel.answer()
}

export interface WordWorld extends World {
  readonly upstream: Database
}

interface Options {
  readonly kind?: RawKind
  readonly server?: Database
  readonly limits?: Partial<Limits>
  readonly role?: RoleOptions
}

/** Lea reaches one resource of that kind, an echo where no server is given, and may have words for it. */
export async function wordWorld({ kind = 'app', server, limits, role = {} }: Options = {}): Promise<WordWorld> {
  const world = await newWorld({ tap: false, ...(limits && { limits }) })
  const upstream = server ?? (await startEcho())
  await put(world, samples[kind].document(upstream.uri))
  await allow(world, role, kind)
  return { ...world, upstream }
}

/** What her role says from now on, at the proxy too. */
export async function allow(world: World, options: RoleOptions, kind: RawKind = 'app'): Promise<void> {
  const role = roleFor(samples[kind].allow, false) as RoleDocument
  const all = { ...role.spec.options, bearer_grants: true, ...options }
  await put(world, { ...role, spec: { ...role.spec, options: all } })
  await world.proxy.serving.trust.ask()
}

export async function wordOf(world: World, ask: SessionAsk = askOf(world, 'app')): Promise<string> {
  const { status, json } = await askForWord(world, await grantFor(world, world.lea, ask))
  if (status !== 200) throw new Error(`${status}: ${JSON.stringify(json)}`)
  return String(json['handle'])
}

export const basicCredential = (word: string, user = 'any') =>
  `Basic ${Buffer.from(`${user}:${word}`).toString('base64')}`

export const basic = (word: string, user?: string) => `Proxy-Authorization: ${basicCredential(word, user)}`

interface Connecting {
  readonly target?: string
  readonly version?: '1.0' | '1.1'
  readonly alpn?: readonly string[]
}

export const connectHead = (fields: readonly string[], { target = 'wiki:443', version = '1.1' }: Connecting = {}) =>
  head(`CONNECT ${target} HTTP/${version}`, ...(version === '1.1' ? [`Host: ${target}`] : []), ...fields)

/** A CONNECT over TLS, as forward-proxy clients say it. */
export async function connecting(proxy: Reachable, fields: readonly string[], how: Connecting = {}): Promise<Wire> {
  const { alpn = ['http/1.1'] } = how
  const wire = await dial(proxy, alpn.length > 0 ? { ALPNProtocols: [...alpn] } : {})
  wire.socket.write(connectHead(fields, how))
  return wire
}

export const established = 'HTTP/1.1 200 Connection established\r\n\r\n'

/** The status, the wire word and the fields of an answer. */
export function answerIn(said: string): { status: number; error: string; message: string; fields: string } {
  const [fields = '', body = ''] = said.split('\r\n\r\n')
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(fields)?.[1]), fields, ...JSON.parse(body || '{}') }
}
