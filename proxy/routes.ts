/** The rules of this proxy: its own, under which sessions, pages and API are reached, and the static routes of its file. */
import { normaliseSni } from '../core/route/name.ts'
import type { RouteRule } from '../core/route/table.ts'
import type { Balanced } from './balance.ts'
import type { CertificateFiles, Settings } from './config.ts'
import { serviceProtocols } from './service-protocols.ts'

export interface StaticRoute extends RouteRule, Balanced {
  /** PROXY protocol, version 2, in front of the client's first byte. */
  readonly sendProxy: boolean
  /** Where TLS ends here. Undefined: the proxy's own. */
  readonly certificate: CertificateFiles | undefined
  /** The path of a PEM file. */
  readonly clientCa: string | undefined
  /**
   * Of a route without TLS: its bytes pass as they are, and no hello leads to it. `postgres`: also for Postgres clients that ask for TLS in
   * the clear first, as all did before version 17.
   */
  readonly protocol?: WithoutTls['protocol'] | 'postgres' | undefined
}

/** `ssh`: what a client of SSH says first leads here. The others are named by a listener. */
export const protocolsWithoutTls = ['ssh', 'mysql', 'tcp'] as const

export interface WithoutTls {
  readonly protocol: (typeof protocolsWithoutTls)[number]
}

/** Undefined: a hello leads to it. */
export const protocolWithoutTls = (route: {
  readonly protocol?: string | undefined
}): WithoutTls['protocol'] | undefined => protocolsWithoutTls.find((protocol) => protocol === route.protocol)

/** Those that stand in the table. */
export const routesOfTls = <Route extends { readonly protocol?: string | undefined }>(
  routes: readonly Route[],
): readonly Route[] => routes.filter((route) => protocolWithoutTls(route) === undefined)

export const ownName = 'sallyport'
/** What is spoken under the proxy's own names, the one that we prefer first. */
export const ownProtocols = ['sallyport', 'sallyport-auth', 'h2', 'http/1.1'] as const
export type OwnProtocol = (typeof ownProtocols)[number]

type Naming = Pick<Settings, 'names' | 'publicUrl'>

/** Not its addresses: a hello that names one counts as without a name. */
export const ownServerNames = ({ names, publicUrl }: Naming): ReadonlySet<string> =>
  new Set([...names.dns, publicUrl.hostname].flatMap((name) => normaliseSni(name) ?? []))

/** One that no static route may share a name with. Hellos without a name are its own, unless a static route asks for them. */
const ownRule = (naming: Naming, routes: readonly RouteRule[]): RouteRule => ({
  name: ownName,
  sni: [...ownServerNames(naming)],
  noSni: !routes.some(({ noSni }) => noSni),
  // A client that offers none speaks HTTP.
  alpn: [...ownProtocols, ''],
  tls: 'terminate',
  clientCertificate: false,
})

/** All of the proxy's own, in the order in which the table has them. */
export interface RoutedRules {
  readonly own: RouteRule
  /** A client certificate says which session, under whichever name of the proxy or below. */
  readonly services: RouteRule
  /** Databases of the cluster, for Postgres clients with no helper: below each name of the proxy. */
  readonly postgres: RouteRule
  /** For clients that can offer no protocol, by the name of the resource: unless a static route has those names. */
  readonly unsaid: RouteRule
}

export const serviceName = 'sallyport-services'
export const postgresName = 'sallyport-resources'
export const unsaidName = 'sallyport-by-name'
/** No static route may be named so. */
export const ownNames: readonly string[] = [ownName, serviceName, postgresName, unsaidName]

export function ownRules(naming: Naming, routes: readonly RouteRule[]): RoutedRules {
  const own = ownRule(naming, routes)
  const below = { ...own, sni: own.sni.map((name) => `*.${name}`), noSni: false }
  const isFree = (name: string) => !routes.some(({ sni, alpn }) => sni.includes(name) && (alpn ?? ['']).includes(''))
  return {
    own,
    services: { ...own, name: serviceName, sni: [...own.sni, ...below.sni], alpn: serviceProtocols },
    postgres: { ...below, name: postgresName, alpn: [postgresProtocol] },
    unsaid: { ...below, name: unsaidName, sni: below.sni.filter(isFree), alpn: [''] },
  }
}

/** A rule for no hello at all is none. */
export const inTable = <Rule extends RouteRule>(rules: readonly Rule[]): readonly Rule[] =>
  rules.filter(({ sni, noSni }) => sni.length > 0 || noSni)

/** What libpq offers since version 17. */
export const postgresProtocol = 'postgresql'

/** Whether what is shown is the proxy's own. */
export const showsOwn = ({ tls, certificate }: StaticRoute): boolean => tls === 'terminate' && !certificate

/** What the proxy's own certificate must speak for where this machine's authority issues it: routes may show it too. */
export function certificateNames({ names, routes }: Settings): Settings['names'] {
  const named = routes.filter(showsOwn).flatMap(({ sni }) => sni.filter((name) => !name.includes('*')))
  return { ...names, dns: [...new Set([...names.dns, ...named])] }
}
