/** A resource of each kind that the proxy passes as it is, a role that reaches it, and servers to stand behind. */
import { createHash } from 'node:crypto'
import type { Document } from '../../../core/access/document.ts'
import type { SessionAsk } from '../../../core/access/request-session.ts'
import type { ResourceKind } from '../../../core/access/resource.ts'
import type { RoleConditions } from '../../../core/access/role.ts'
import { putDocuments } from '../../proxies.ts'
import { type Database, startDatabase } from './database.ts'
import { nameOf, newWorld, type World } from './world.ts'

/** Of those that a document describes. */
export type RawKind = Exclude<ResourceKind, 'db' | 'host'>

interface Sample {
  readonly name: string
  readonly principal: SessionAsk['principal']
  readonly allow: RoleConditions
  document(at: string, name?: string): Document
}

const metadata = (name: string) => ({ name, labels: { env: 'dev' } })
const env = { env: ['dev'] }

export const samples: { readonly [kind in RawKind]: Sample } = {
  node: {
    name: 'web-1',
    principal: { login: 'ubuntu' },
    allow: { node_labels: env, logins: ['ubuntu'] },
    document: (addr, name = 'web-1') => ({ kind: 'node', version: 'v2', metadata: metadata(name), spec: { addr } }),
  },
  app: {
    name: 'wiki',
    principal: {},
    allow: { app_labels: env },
    document: (at, name = 'wiki') => ({
      kind: 'app',
      version: 'v3',
      metadata: metadata(name),
      spec: { uri: `http://${at}` },
    }),
  },
  kube_cluster: {
    name: 'k8s',
    principal: { kubernetes_user: 'lea', kubernetes_groups: ['developers'] },
    allow: { kubernetes_labels: env, kubernetes_users: ['lea'], kubernetes_groups: ['developers'] },
    document: (uri, name = 'k8s') => ({
      kind: 'kube_cluster',
      version: 'v3',
      metadata: metadata(name),
      spec: { uri, tls: { mode: 'insecure' } },
    }),
  },
  windows_desktop: {
    name: 'desk-1',
    principal: { login: 'ubuntu' },
    allow: { windows_desktop_labels: env, windows_desktop_logins: ['ubuntu'] },
    document: (addr, name = 'desk-1') => ({
      kind: 'windows_desktop',
      version: 'v3',
      metadata: metadata(name),
      spec: { addr },
    }),
  },
}

export const rawKinds = Object.keys(samples) as RawKind[]

/** The role that Lea holds, as these tests write it again. */
export const roleFor = (allow: RoleConditions, tap: boolean): Document => ({
  kind: 'role',
  version: 'v7',
  metadata: { name: 'db-reader' },
  spec: { options: { require_session_mfa: tap }, allow, deny: {} },
})

export const put = ({ admin }: World, ...documents: Document[]) => putDocuments(admin, ...documents)

/** What comes is said again, and an end is answered with an end. */
export const startEcho = (): Promise<Database> =>
  startDatabase((socket) => void socket.pipe(socket), { allowHalfOpen: true })

/** A world with one resource of that kind, which Lea reaches. */
export async function worldOf(kind: RawKind, { tap = false, server }: { tap?: boolean; server?: Database } = {}) {
  const world = await newWorld({ tap })
  const upstream = server ?? (await startEcho())
  const { allow, document } = samples[kind]
  await put(world, document(upstream.uri), roleFor(allow, tap))
  await world.proxy.serving.trust.ask()
  return { ...world, upstream }
}

export const askOf = ({ proxy }: Pick<World, 'proxy'>, kind: RawKind, name = samples[kind].name): SessionAsk => ({
  resource: { kind, name },
  principal: samples[kind].principal,
  proxy: nameOf(proxy),
})

export const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
