/** `routes` of proxy.yaml: what each says, and what of it cannot be. */
import { isIP } from 'node:net'
import { fields, oneOf, optional, type Read, refined, tellExpected } from '../core/access/fields.ts'
import { parseHostPort, splitHostPort } from '../core/access/host-port.ts'
import { into, type Place, quoted, tell } from '../core/access/place.ts'
import { anyText } from '../core/access/text.ts'
import type { Json } from '../core/intent.ts'
import { classify, parseAddress } from '../core/route/address.ts'
import { mostPatterns } from '../core/route/name-pattern.ts'
import { compileTable } from '../core/route/table.ts'
import { acmeProtocol, takesAcme } from './acme/protocol.ts'
import { type Balance, balances } from './balance.ts'
import type { Settings } from './config.ts'
import { type HealthEntry, healthEntry, healthOf } from './config-health.ts'
import { checkTheirRoutes } from './config-listeners.ts'
import { checkFields, checkWithoutTls } from './config-without-tls.ts'
import {
  inTable,
  ownNames,
  ownRules,
  ownServerNames,
  protocolsWithoutTls,
  protocolWithoutTls,
  routesOfTls,
  type StaticRoute,
  type WithoutTls,
} from './routes.ts'

export interface RouteEntry {
  readonly name: string
  readonly sni?: readonly string[]
  readonly sni_pattern?: readonly string[]
  readonly no_sni?: boolean
  readonly alpn?: readonly string[]
  readonly protocol?: WithoutTls['protocol'] | 'tls' | 'postgres'
  readonly tls?: 'passthrough' | 'terminate'
  readonly backends: readonly string[]
  readonly balance?: Balance
  readonly health?: HealthEntry
  readonly send_proxy?: 'v2'
  readonly cert?: string
  readonly key?: string
  readonly client_ca?: string
}

/** Each that ends TLS has a server of its own. */
const mostRoutes = 1000
const mostNames = 1000
const mostBackends = 16

/** Keeps each entry where it stands, so that what is found later is told at its own line. */
export function many<T>(read: Read<T>, most: number, what: string): Read<readonly T[]> {
  return (json, place) => {
    if (!Array.isArray(json)) return tellExpected(json, place, `a list of ${what}`)
    if (json.length > most) return tell(place, `${json.length} entries: at most ${most}`)
    const entries = json.map((entry: Json, at) => read(entry, into(place, at)))
    return entries.every((entry) => entry !== undefined) ? (entries as T[]) : undefined
  }
}

const yesOrNo: Read<boolean> = (json, place) =>
  typeof json === 'boolean' ? json : tellExpected(json, place, 'true or false')

const backend: Read<string> = refined(anyText, (text, place) => {
  const read = parseHostPort(text)
  return read.kind === 'value' ? read.value : tell(place, `${quoted(text)}: ${read.why}`)
})

const entry: Read<RouteEntry> = refined(
  fields<RouteEntry>('route', {
    name: anyText,
    sni: optional(many(anyText, mostNames, 'server names')),
    sni_pattern: optional(many(anyText, mostPatterns, 'expressions')),
    no_sni: optional(yesOrNo),
    alpn: optional(many(anyText, mostNames, 'ALPN names')),
    protocol: optional(oneOf('tls', 'postgres', ...protocolsWithoutTls)),
    tls: optional(oneOf('passthrough', 'terminate')),
    backends: refined(many(backend, mostBackends, 'HOST:PORT'), (list, place) =>
      list.length > 0 ? list : tell(place, 'expected at least one'),
    ),
    balance: optional(oneOf(...balances)),
    health: optional(healthEntry),
    send_proxy: optional(oneOf('v2')),
    cert: optional(anyText),
    key: optional(anyText),
    client_ca: optional(anyText),
  }),
  (read, place) => {
    if (read.protocol !== undefined && protocolWithoutTls(read) !== undefined)
      checkFields({ ...read, protocol: read.protocol }, place)
    else if (read.tls === undefined) tell(into(place, 'tls'), 'missing: expected passthrough or terminate')
    else checkCertificate(read, place)
    if (read.protocol === 'postgres' && read.tls === 'terminate')
      tell(
        into(place, 'protocol'),
        'postgres is passed through alone: name databases where TLS ends here in the cluster',
      )
    return read
  },
)

export const routeEntries: Read<readonly RouteEntry[]> = many(entry, mostRoutes, 'routes')

function checkCertificate({ tls, cert, key }: RouteEntry, place: Place): void {
  if ((cert === undefined) !== (key === undefined)) tell(place, 'cert and key belong together: name both, or neither')
  else if (tls === 'passthrough' && cert !== undefined)
    tell(into(place, 'cert'), 'a passthrough shows none: TLS ends at the service, with its own certificate')
}

/** `beside`: a path as it stands in the file. */
export const staticRoute = (read: RouteEntry, beside: (path: string) => string): StaticRoute => ({
  name: read.name,
  sni: read.sni ?? [],
  ...(read.sni_pattern && { sniPattern: read.sni_pattern }),
  noSni: read.no_sni ?? false,
  alpn: read.alpn,
  tls: read.tls ?? 'passthrough',
  ...(read.protocol !== undefined && read.protocol !== 'tls' && { protocol: read.protocol }),
  clientCertificate: read.client_ca !== undefined,
  backends: read.backends,
  balance: read.balance ?? 'first',
  health: healthOf(read),
  sendProxy: read.send_proxy !== undefined,
  certificate:
    read.cert !== undefined && read.key !== undefined
      ? { certificate: beside(read.cert), key: beside(read.key) }
      : undefined,
  clientCa: read.client_ca === undefined ? undefined : beside(read.client_ca),
})

/** Between routes, and between them and the proxy itself. `place`: of the file. */
export function checkRoutes(settings: Settings, place: Place): void {
  const before = place.problems.length
  const names = ownServerNames(settings)
  settings.routes.forEach((route, at) => {
    const here = into(into(place, 'routes'), at)
    if (ownNames.includes(route.name))
      tell(into(here, 'name'), `${quoted(route.name)} is the proxy's own rule: choose another name`)
    route.sni.forEach((pattern, which) => {
      if (names.has(pattern) && !isForAcmeAlone(route))
        tell(into(into(here, 'sni'), which), `${quoted(pattern)} is a name of the proxy itself`)
    })
    if (route.tls === 'terminate' && takesAcme(route))
      tell(into(here, 'alpn'), `${quoted(acmeProtocol)} is for a passthrough; where TLS ends here, \`acme\` answers it`)
    route.backends.forEach((backend, which) => {
      if (isOwn(backend, settings))
        tell(into(into(here, 'backends'), which), `${quoted(backend)} is this proxy itself: name what is behind it`)
    })
  })
  checkWithoutTls(settings.routes, settings.listeners, place)
  checkTheirRoutes(settings, place)
  if (place.problems.length > before) return
  // The proxy's own rules stand first: of two that hold for the same hellos the second is told.
  const [own, ofTls] = [inTable(Object.values(ownRules(settings, settings.routes))), routesOfTls(settings.routes)]
  const compiled = compileTable([...own, ...ofTls])
  if (compiled.kind === 'value') return
  const placeOf = (at: Step | undefined) => settings.routes.indexOf(ofTls[Number(at) - own.length] as StaticRoute)
  for (const {
    path: [first = '', at, ...rest],
    message,
  } of compiled.problems)
    place.problems.push({ path: [first, ...(at === undefined ? [] : [placeOf(at)]), ...rest], message })
}

type Step = string | number

/** So one of several proxies that share a name may answer its challenges for all. */
const isForAcmeAlone = ({ tls, alpn }: StaticRoute): boolean =>
  tls === 'passthrough' && alpn?.length === 1 && alpn[0] === acmeProtocol

/** As the file can tell. What a name leads to is looked at when it is dialled (proxy/upstream.ts). */
function isOwn(backend: string, { listeners, names }: Settings): boolean {
  const target = splitHostPort(backend)
  const here = listeners.filter(({ port }) => port === target.port)
  if (here.length === 0) return false
  if (isIP(target.host) === 0) return names.dns.includes(target.host)
  const kind = classify(parseAddress(target.host) ?? new Uint8Array(4))
  return (
    kind === 'loopback' ||
    kind === 'unspecified' ||
    [...here.flatMap(({ hosts }) => hosts), ...names.addresses].includes(target.host)
  )
}
