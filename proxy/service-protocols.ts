/** The ALPN names under which TLS ends here and a service's own bytes follow at once: each is for what speaks that, and for nothing else. */
import type { DbProtocol } from '../core/access/db.ts'
import { isPostgres, type ResourceKind, type SessionTarget } from '../core/access/resource.ts'

export type Fits = (resource: SessionTarget) => boolean

const ofKind =
  (kind: ResourceKind): Fits =>
  (resource) =>
    resource.kind === kind
const database =
  (protocol: DbProtocol): Fits =>
  (resource) =>
    resource.kind === 'db' && resource.spec.protocol === protocol

const fits = {
  'sallyport-ssh': ofKind('node'),
  'sallyport-postgres': isPostgres,
  'sallyport-mysql': database('mysql'),
  'sallyport-mongodb': database('mongodb'),
  'sallyport-redis': database('redis'),
  'sallyport-kube': ofKind('kube_cluster'),
  'sallyport-rdp': ofKind('windows_desktop'),
  'sallyport-tcp': () => true,
} as const satisfies Readonly<Record<string, Fits>>

export type ServiceProtocol = keyof typeof fits
export const serviceProtocols = Object.keys(fits) as ServiceProtocol[]

/** Databases whose own clients begin with TLS, and many of which can name a server and no protocol. */
const beginsWithTls: Fits = (resource) => database('redis')(resource) || database('mongodb')(resource)

/** `agreed`: by the handshake; none of those where the client offered none. */
export const fitsOf = (agreed: string | false | null): Fits =>
  serviceProtocols.flatMap((name) => (name === agreed ? [fits[name]] : []))[0] ?? beginsWithTls

/** Whether a client may come to it without a protocol. */
export const needsNoProtocol = beginsWithTls

/** For people: what a client that offers it reaches. */
export const serviceInWords: { readonly [protocol in ServiceProtocol]: string } = {
  'sallyport-ssh': 'a node',
  'sallyport-postgres': 'a db of protocol postgres',
  'sallyport-mysql': 'a db of protocol mysql',
  'sallyport-mongodb': 'a db of protocol mongodb',
  'sallyport-redis': 'a db of protocol redis',
  'sallyport-kube': 'a kube_cluster',
  'sallyport-rdp': 'a windows_desktop',
  'sallyport-tcp': 'a resource of any kind',
}
