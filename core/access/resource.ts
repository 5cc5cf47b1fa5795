/** What people reach through a proxy, and as whom: five kinds of documents, and hosts that roles name without one, in one table. */
import type { AppDocument } from './app.ts'
import type { DbDocument } from './db.ts'
import type { HostTarget } from './host-target.ts'
import type { KubeClusterDocument } from './kube-cluster.ts'
import type { NodeDocument } from './node.ts'
import type { WindowsDesktopDocument } from './windows-desktop.ts'

export type ResourceDocument = NodeDocument | DbDocument | KubeClusterDocument | AppDocument | WindowsDesktopDocument
/** What a session is on. */
export type SessionTarget = ResourceDocument | HostTarget
export type ResourceKind = SessionTarget['kind']

/** As whom, and where in it. */
export interface Principals {
  readonly node: { readonly login: string }
  readonly db: { readonly db_user: string; readonly db_name: string }
  readonly kube_cluster: { readonly kubernetes_user: string; readonly kubernetes_groups: readonly string[] }
  readonly app: Readonly<Record<string, never>>
  readonly windows_desktop: { readonly login: string }
  readonly host: Readonly<Record<string, never>>
}
/** The database user and the database. */
export type DbPrincipal = Principals['db']
export type ResourcePrincipal = Principals[ResourceKind]

export type LabelCondition = 'node_labels' | 'db_labels' | 'kubernetes_labels' | 'app_labels' | 'windows_desktop_labels'
export type ListCondition =
  | 'logins'
  | 'db_users'
  | 'db_names'
  | 'kubernetes_users'
  | 'kubernetes_groups'
  | 'windows_desktop_logins'

interface Member {
  /** Of the principal. */
  readonly field: string
  /** Of a role: what it must match. */
  readonly list: ListCondition
  /** As the command line spells it. */
  readonly flag: string
  /** May be empty. */
  readonly isList?: true
  /** The user's own name needs no role: a Kubernetes cluster knows it, or does not. */
  readonly ownName?: true
}

/** Which conditions of a role are about which kind. `members`: the whole principal. */
export const resourceKinds: {
  readonly [K in ResourceKind]: {
    /** By which a role names them: by their labels, or hosts by what they are. */
    readonly named: LabelCondition | 'hosts'
    readonly members: readonly (Member & { readonly field: keyof Principals[K] })[]
    /** For people. */
    readonly words: string
  }
} = {
  node: { named: 'node_labels', members: [{ field: 'login', list: 'logins', flag: 'login' }], words: 'host' },
  db: {
    named: 'db_labels',
    members: [
      { field: 'db_user', list: 'db_users', flag: 'db-user' },
      { field: 'db_name', list: 'db_names', flag: 'db-name' },
    ],
    words: 'database',
  },
  kube_cluster: {
    named: 'kubernetes_labels',
    members: [
      { field: 'kubernetes_user', list: 'kubernetes_users', flag: 'kube-user', ownName: true },
      { field: 'kubernetes_groups', list: 'kubernetes_groups', flag: 'kube-group', isList: true },
    ],
    words: 'Kubernetes cluster',
  },
  app: { named: 'app_labels', members: [], words: 'app' },
  windows_desktop: {
    named: 'windows_desktop_labels',
    members: [{ field: 'login', list: 'windows_desktop_logins', flag: 'login' }],
    words: 'desktop',
  },
  host: { named: 'hosts', members: [], words: 'network host' },
}

export const kindsOfResources = Object.keys(resourceKinds) as ResourceKind[]

export const isResource = (document: { readonly kind: string }): document is ResourceDocument =>
  Object.hasOwn(resourceKinds, document.kind) && document.kind !== 'host'

type PostgresDocument = DbDocument & { readonly spec: { readonly protocol: 'postgres' } }

/** Whose bytes the proxy reads as far as they say who comes, and where to. All others pass as they are. */
export const isPostgres = (resource: SessionTarget): resource is PostgresDocument =>
  resource.kind === 'db' && resource.spec.protocol === 'postgres'

/** The members of a kind's principal; the table above is what binds the two. */
export const membersOfPrincipal = (kind: ResourceKind): readonly Member[] => resourceKinds[kind].members

/** What a principal says of one member; nothing where it is silent. */
export function valuesOf(principal: ResourcePrincipal, field: string): readonly string[] {
  const value = (principal as Readonly<Record<string, string | readonly string[] | undefined>>)[field]
  return value === undefined ? [] : typeof value === 'string' ? [value] : value
}

/** `HOST:PORT`: where the proxy finds it. */
export function addressOf(resource: SessionTarget): string {
  if (resource.kind === 'host') return resource.metadata.name
  if (resource.kind === 'node' || resource.kind === 'windows_desktop') return resource.spec.addr
  return resource.spec.uri.replace(/^[a-z]+:\/\//, '')
}
