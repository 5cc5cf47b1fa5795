/**
 * proxy.yaml, as an operator keeps it:
 *
 *   version: v1                              or v2
 *   proxy_listener_mode: multiplex           the only one, and so where it is left out
 *   edge:
 *     url: https://edge.internal:3080        where this proxy reaches the edge
 *     public_url: https://access.example.com what people open; url where it is left out
 *     keys: [X]                              the edge's Ed25519 keys, `x` of /oauth/jwks: what is believed first
 *   listen: { hosts: [0.0.0.0], port: 443 }
 *     proxy_protocol: require                a balancer in front says whose each connection is (versions 1 and 2); off where it is left out
 *     trusted: [10.0.0.0/24]                 and only these are believed; whoever else connects is closed
 *     on_silence: { after: 1s, route: db }   whose a client is that waits for the server to speak, as MySQL's do; nobody's where it is left out
 *   listeners:                               further ports, each as `listen` and with a name
 *     - name: mysql
 *       port: 3306
 *       protocol: mysql                      this alone: tls, ssh, postgres, or mysql and tcp, which go to `route`; all where it is left out
 *       route: db
 *   names: [proxy.example.com]
 *   cert: cert.pem                           beside this file; without both an authority of this machine
 *   key: key.pem
 *   certificates:                            further ones, each shown for the names that stand in it: an exact one before a wildcard
 *     - { cert: other.pem, key: other.key }  RSA and ECDSA of one name are shown as one; without cert and key, the first is the one for
 *                                            clients without a name; files are read again when they have changed
 *   acme:                                    certificates by themselves (RFC 8555), by a challenge on this port, which must be 443 outside
 *     directory: https://ca.example/directory
 *     email: ops@example.com                 may be left out
 *     names: [proxy.example.com]             each the proxy's own, or of a route whose TLS ends here
 *     ca_file: ca.pem                        beside this file; what the authority's own certificate leads to, if that is not public
 *     agree_tos: true                        to the terms that its directory names
 *   max_hello: 16384                         up to 65536: the most bytes of a ClientHello
 *   home: /var/lib/sallyport
 *   max_stale: 5m                            without news from the edge for longer, sessions in strict mode end and none opens
 *   max_offline: 1h                          and no session opens at all; not shorter than max_stale
 *   admin_port: 3444
 *   drain: 5m                                how long what is open may go on after SIGTERM
 *   routes:                                  what else is served, by server name and ALPN
 *     - name: git                            in logs, metrics and `sallyport-proxy explain`
 *       sni: [git.example.com, '*.git.example.com']  `*` stands for one label, or alone for every name that no route has
 *       sni_pattern: ['^db-[0-9]+[.]example[.]com$']  expressions of RE2 for names that no route spells out, of the whole name; 64 in all
 *       no_sni: true                         also for hellos without a name, which are the proxy's own otherwise
 *       alpn: [h2, http/1.1]                 what a client may offer, '' for nothing; whatever it offers where it is left out
 *       tls: passthrough                     TLS ends at the service; terminate: it ends here
 *       backends: [10.0.0.5:443, 'git:443']  of those that are up, the first that answers
 *       balance: first                       or round_robin, or least_connections: which is tried first
 *       health: { interval: 10s, timeout: 5s, rise: 2, fall: 3 }  how several backends are looked at; one alone only where this stands
 *       send_proxy: v2                       a PROXY header before the client's first byte says who has connected
 *     - name: metrics
 *       sni: [metrics.example.com]
 *       tls: terminate
 *       backends: [127.0.0.1:9090]
 *       cert: metrics.pem                    beside this file; without both the proxy's own
 *       key: metrics.key
 *       client_ca: staff.pem                 a client certificate is demanded that leads to one of these
 *   databases:                               as whom the proxy lets itself in: then clients need no password
 *     - resource: pg-1
 *       users: [app, reader]                 of the database; '*' for all that no other entry names
 *       password_file: pg-1.password         beside this file, one line, mode 0600; it is read when a session begins
 *     - resource: pg-2
 *       users: '*'
 *       cert: pg-2.pem                       a client certificate in its place, or besides
 *       key: pg-2.key
 *
 *     - name: bastion
 *       protocol: ssh                        no TLS: whoever begins with SSH- comes here; mysql and tcp come from a listener that names it
 *       backends: [10.0.0.6:22]
 *
 * SIGHUP reads it again, and so does each change of it: proxy/reload.ts says what waits for a restart. A route that ends TLS without `alpn` agrees upon none, as it cannot know what the service speaks.
 * What it does not know it refuses by name and line. Where it is used, the settings of the environment do not count.
 */
import { dirname, resolve } from 'node:path'
import { fields, listOf, oneOf, optional, type Read, refined } from '../core/access/fields.ts'
import { into, type Path, type Place, type Problem, quoted, showPath, tell } from '../core/access/place.ts'
import { anyText } from '../core/access/text.ts'
import { isCoordinate, jwkThumbprint } from '../core/lib/jwk.ts'
import { type Duration, hours } from '../core/model.ts'
import { helloLimits } from '../core/route/hello.ts'
import { parsePublicUrl } from '../core/settings.ts'
import { SetupProblem } from '../core/setup-problem.ts'
import { canonicalNames, drain, isName, loopback, maxOffline, maxStale, requireNear, type Settings } from './config.ts'
import { time } from './config-health.ts'
import {
  checkListeners,
  type ListenEntry,
  type ListenerEntry,
  listenEntry,
  listenerEntries,
  listenersOf,
  port,
} from './config-listeners.ts'
import { checkRoutes, type RouteEntry, routeEntries, staticRoute } from './config-routes.ts'
import {
  type AcmeEntry,
  acmeEntry,
  acmeSettings,
  type CertificateEntry,
  certificateEntries,
  checkAcme,
  maxHello,
} from './config-tls.ts'
import { checkDatabases, type DatabaseEntry, databaseCredential, databaseEntries } from './database-credentials.ts'
import { lineAt, readYaml } from './yaml.ts'

interface File {
  readonly version: 'v1' | 'v2'
  readonly proxy_listener_mode?: 'multiplex'
  readonly edge: { readonly url: URL; readonly public_url?: URL; readonly keys: readonly string[] }
  readonly listen: ListenEntry
  readonly listeners?: readonly ListenerEntry[]
  readonly names: readonly string[]
  readonly cert?: string
  readonly key?: string
  readonly certificates?: readonly CertificateEntry[]
  readonly acme?: AcmeEntry
  readonly max_hello?: number
  readonly home: string
  readonly max_stale?: Duration
  readonly max_offline?: Duration
  readonly admin_port?: number
  readonly drain?: Duration
  readonly routes?: readonly RouteEntry[]
  readonly databases?: readonly DatabaseEntry[]
}

/** A sentence of a setting's own reader, told at the place in the file. */
const told =
  <T>(read: (text: string) => T): Read<T> =>
  (json, place) => {
    const text = anyText(json, place)
    try {
      return text === undefined ? undefined : read(text)
    } catch (error) {
      if (!(error instanceof SetupProblem)) throw error
      return tell(place, `${quoted(text ?? '')}: ${error.hint}`)
    }
  }

const matching = (isRight: (text: string) => boolean, expected: string): Read<string> =>
  refined(anyText, (text, place) => (isRight(text) ? text : tell(place, `${quoted(text)}: expected ${expected}`)))

const name = matching((text) => isName(text.toLowerCase()), 'a host name or an address, without port')
const publicKey = matching((text) => isCoordinate(text), 'an Ed25519 public key: 43 characters, `x` of /oauth/jwks')
const some = (read: Read<string>, most: number): Read<readonly string[]> =>
  refined(listOf(read, most), (list, place) => (list.length > 0 ? list : tell(place, 'expected at least one')))

const age = time(hours(24))

/** As files of the Teleport say it. There each protocol has a port of its own otherwise. */
const listenerMode: Read<'multiplex'> = refined(anyText, (text, place) => {
  if (text === 'multiplex') return text
  if (text !== 'separate') return tell(place, `${quoted(text)}: expected multiplex`)
  return tell(
    place,
    '`separate` is not supported: expected multiplex, and `listeners` for a port of its own for one protocol',
  )
})

const whole = fields<File>('proxy.yaml', {
  version: oneOf('v1', 'v2'),
  proxy_listener_mode: optional(listenerMode),
  edge: fields<File['edge']>('edge', {
    url: told((text) => requireNear('url', text)),
    public_url: optional(told(parsePublicUrl)),
    keys: some(publicKey, 8),
  }),
  listen: listenEntry,
  listeners: optional(listenerEntries),
  names: some(name, 64),
  cert: optional(anyText),
  key: optional(anyText),
  certificates: optional(certificateEntries),
  acme: optional(acmeEntry),
  max_hello: optional(maxHello),
  home: anyText,
  max_stale: optional(age),
  max_offline: optional(age),
  admin_port: optional(port),
  drain: optional(time(hours(24))),
  routes: optional(routeEntries),
  databases: optional(databaseEntries),
})

/** Further checks of what reads well, told at places in the file. */
export type Look = (settings: Settings, place: Place) => void

/** @throws SetupProblem with all that is wrong, each as FILE:LINE */
export function readConfigFile(file: string, text: string, look?: Look): Settings {
  const [document, ...others] = [...readYaml(text)]
  const problems: { readonly line: number; readonly message: string }[] = [...(document?.complaints ?? [])]
  if (others.length > 0) problems.push({ line: others[0]?.value?.line ?? 1, message: 'a second document' })
  const { value } = document ?? {}
  if (!value && problems.length === 0) problems.push({ line: 1, message: 'nothing stands in it' })
  const place: Place & { readonly problems: Problem[] } = { path: [], problems: [] }
  const read = value && problems.length === 0 ? whole(value.json, place) : undefined
  const settings = read && place.problems.length === 0 ? checked(file, read, place) : undefined
  if (settings && place.problems.length === 0) look?.(settings, place)
  for (const { path, message } of place.problems)
    problems.push({ line: value ? lineAt(value, path) : 1, message: at(path, message) })
  if (!settings || problems.length > 0) throw problem(file, problems)
  return settings
}

/** What no part of it tells alone. */
function checked(file: string, read: File, place: Place): Settings {
  requireBoth(read, place)
  requireOrder(read, place)
  checkListeners(read, place)
  const settings = settingsOf(file, read)
  checkRoutes(settings, place)
  checkDatabases(settings.databases, place)
  checkAcme(settings, place)
  return settings
}

const at = (path: Path, message: string): string => (path.length === 0 ? message : `${showPath(path)}: ${message}`)

function requireBoth({ cert, key }: File, place: Place): void {
  if ((cert === undefined) !== (key === undefined)) tell(place, 'cert and key belong together: name both, or neither')
}

function requireOrder({ max_stale = maxStale, max_offline }: File, place: Place): void {
  if (max_offline !== undefined && max_offline < max_stale)
    tell(
      into(place, 'max_offline'),
      'shorter than max_stale: what is good for fewer sessions cannot be good for longer',
    )
}

function problem(file: string, problems: readonly { readonly line: number; readonly message: string }[]): SetupProblem {
  const lines = problems.map(({ line, message }) => `${file}:${line}: ${message}`)
  return new SetupProblem(lines.join('\n'), 'mend what is named; sallyport-proxy check --config FILE looks again')
}

function settingsOf(file: string, read: File): Settings {
  const {
    edge,
    listen,
    listeners = [],
    names,
    cert,
    key,
    home,
    max_stale = maxStale,
    max_offline,
    admin_port,
    routes = [],
    databases = [],
  } = read
  const { certificates = [], acme, max_hello = helloLimits.maxHelloBytes } = read
  const beside = (path: string) => resolve(dirname(file), path)
  return {
    port: listen.port,
    hosts: listen.hosts ?? loopback,
    listeners: listenersOf(listen, listeners),
    names: canonicalNames(names),
    home: beside(home),
    edge: edge.url,
    publicUrl: edge.public_url ?? parsePublicUrl(edge.url.origin),
    certificate: cert !== undefined && key !== undefined ? { certificate: beside(cert), key: beside(key) } : undefined,
    certificates: certificates.map((one) => ({ certificate: beside(one.cert), key: beside(one.key) })),
    acme: acme && acmeSettings(acme, beside),
    maxHello: max_hello,
    trust: {
      keys: edge.keys.map((x) => ({ kid: jwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x }), x })),
      maxStale: max_stale,
      maxOffline: max_offline ?? Math.max(max_stale, maxOffline),
    },
    routes: routes.map((route) => staticRoute(route, beside)),
    databases: databases.map((database) => databaseCredential(database, beside)),
    adminPort: admin_port,
    drain: read.drain ?? drain,
  }
}
