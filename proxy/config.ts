/** The one place where the proxy reads its environment. */
import { isIP } from 'node:net'
import process from 'node:process'
import type { Names } from '../core/issue/x509.ts'
import { type Duration, hours, minutes } from '../core/model.ts'
import { helloLimits } from '../core/route/hello.ts'
import { parsePublicUrl, read, type Variables, whole } from '../core/settings.ts'
import { SetupProblem } from '../core/setup-problem.ts'
import type { DatabaseCredential } from './database-credentials.ts'
import type { PublishedKey } from './known.ts'
import { limits } from './limits.ts'
import { type Listener, plainListener } from './listeners.ts'
import type { StaticRoute } from './routes.ts'

export interface Settings {
  readonly port: number
  /** The addresses that it listens on. */
  readonly hosts: readonly string[]
  /** All of them: that of `port` first, and those that an operator wants beside it. */
  readonly listeners: readonly Listener[]
  /** Those of the machine itself, and the ones that are set: what clients may call this proxy. */
  readonly names: Names
  readonly home: string
  readonly edge: URL
  readonly publicUrl: URL
  readonly certificate: CertificateFiles | undefined
  /** Further ones, each for the names that stand in it. */
  readonly certificates: readonly CertificateFiles[]
  readonly acme: AcmeSettings | undefined
  /** The most bytes of a hello's body. */
  readonly maxHello: number
  readonly trust: TrustSettings
  /** Besides the names of its own. */
  readonly routes: readonly StaticRoute[]
  /** As whom it lets itself into databases. */
  readonly databases: readonly DatabaseCredential[]
  /** Of metrics and readiness, on loopback. undefined: none. */
  readonly adminPort: number | undefined
  /** How long what is open may go on after the signal to stop. */
  readonly drain: Duration
}

export interface TrustSettings {
  /** The edge's signing keys as the operator knows them; or those that the edge shows first; or none: then no session opens. */
  readonly keys: readonly PublishedKey[] | 'first-use' | 'none'
  /** For how long what the edge said last is good for sessions in strict mode. */
  readonly maxStale: Duration
  /** And for new sessions at all. Not shorter. */
  readonly maxOffline: Duration
}

/** A certificate authority that issues by itself (RFC 8555), to whose terms the operator agrees. */
export interface AcmeSettings {
  /** The URL of its directory. */
  readonly directory: string
  readonly email: string | undefined
  /** A certificate for each. */
  readonly names: readonly string[]
  /** Of authorities that its own TLS certificate may lead to: a PEM file. undefined: those that Node knows. */
  readonly caFile: string | undefined
}

/** Paths of PEM files. */
export interface CertificateFiles {
  readonly certificate: string
  readonly key: string
}

export const loopback = ['127.0.0.1', '::1']

/**
 * `SALLYPORT_PROXY_PORT` (3443), `SALLYPORT_PROXY_HOST` (127.0.0.1,::1), `SALLYPORT_PROXY_NAMES` (localhost), `SALLYPORT_HOME`
 * (.sallyport), `SALLYPORT_EDGE_URL` (http://localhost with `SALLYPORT_EDGE_PORT`), `SALLYPORT_PUBLIC_URL` (the edge's URL),
 * `SALLYPORT_PROXY_CERT` and `SALLYPORT_PROXY_KEY` (none: an authority of this machine), `SALLYPORT_PROXY_TRUST` (none: no
 * session opens), `SALLYPORT_PROXY_ADMIN_PORT` (none).
 */
export function readSettings(variables: Variables = process.env): Settings {
  const edge = readEdge(variables)
  const port = whole(variables, 'SALLYPORT_PROXY_PORT', 3443, 65_535)
  const hosts = readHosts(variables)
  return {
    port,
    hosts,
    // Others stand in a file alone (--config).
    listeners: [plainListener(hosts, port)],
    names: readNames(variables),
    home: read(variables, 'SALLYPORT_HOME') ?? '.sallyport',
    edge,
    publicUrl: parsePublicUrl(read(variables, 'SALLYPORT_PUBLIC_URL') ?? edge.origin),
    certificate: readCertificate(variables),
    certificates: [],
    acme: undefined,
    maxHello: helloLimits.maxHelloBytes,
    trust: { keys: readTrust(variables), maxStale, maxOffline },
    // They stand in a file alone (--config).
    routes: [],
    databases: [],
    adminPort: readAdminPort(variables),
    // Whoever starts it by hand waits for it: a file says more (proxy/config-file.ts).
    drain: limits.drainMs,
  }
}

const readAdminPort = (variables: Variables): number | undefined =>
  read(variables, 'SALLYPORT_PROXY_ADMIN_PORT') === undefined
    ? undefined
    : whole(variables, 'SALLYPORT_PROXY_ADMIN_PORT', 3444, 65_535)

/** As long as a tap may take: what was approved under an old policy has then expired too. */
export const maxStale: Duration = minutes(5)
/** A lock that was made meanwhile is not heard of here; what the edge grants it grants by what it knows. */
export const maxOffline: Duration = hours(1)

/** Of a proxy with a file: as ghostunnel. */
export const drain: Duration = minutes(5)

/** To believe the edge's first answer is for one machine. Elsewhere the keys stand in a file (--config). */
function readTrust(variables: Variables): 'first-use' | 'none' {
  const mode = read(variables, 'SALLYPORT_PROXY_TRUST') ?? 'none'
  if (mode === 'first-use' || mode === 'none') return mode
  throw new SetupProblem(
    `SALLYPORT_PROXY_TRUST is ${JSON.stringify(mode)}`,
    'use first-use, which believes the keys that the edge shows first, or name them in the file of --config',
  )
}

const list = (variables: Variables, name: string): string[] | undefined =>
  read(variables, name)
    ?.split(',')
    .map((item) => item.trim().toLowerCase())

function readHosts(variables: Variables): readonly string[] {
  const hosts = list(variables, 'SALLYPORT_PROXY_HOST') ?? loopback
  const wrong = hosts.find((host) => isIP(host) === 0)
  if (wrong === undefined) return hosts
  throw new SetupProblem(
    `SALLYPORT_PROXY_HOST is ${JSON.stringify(hosts.join(','))}`,
    'use addresses of this machine, such as 127.0.0.1,::1, or 0.0.0.0 for all of IPv4',
  )
}

// Underscores are no host names and in use all the same; a last label of digits alone would be read as an address.
const dnsName = /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/

function readNames(variables: Variables): Names {
  const names = list(variables, 'SALLYPORT_PROXY_NAMES') ?? ['localhost']
  const wrong = names.find((name) => !isName(name))
  if (wrong !== undefined) {
    throw new SetupProblem(
      `SALLYPORT_PROXY_NAMES is ${JSON.stringify(names.join(','))}`,
      'use host names without port, separated by commas, such as proxy.example.com',
    )
  }
  return canonicalNames(names)
}

export const isName = (name: string): boolean => isIP(name) !== 0 || dnsName.test(name)

/** With those of the machine itself, which come last: the first is what the proxy is called. */
export function canonicalNames(given: readonly string[]): Names {
  const names = given.map((name) => name.toLowerCase())
  const addresses = names.filter((name) => isIP(name) !== 0).map(canonicalAddress)
  return {
    dns: [...new Set([...names.filter((name) => isIP(name) === 0), 'localhost'])],
    addresses: [...new Set([...loopback, ...addresses])],
  }
}

/** One spelling of IPv6, the one that browsers put into Host. */
const canonicalAddress = (address: string): string =>
  isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address

function readEdge(variables: Variables): URL {
  const port = whole(variables, 'SALLYPORT_EDGE_PORT', 3080, 65_535)
  return requireNear('SALLYPORT_EDGE_URL', read(variables, 'SALLYPORT_EDGE_URL') ?? `http://localhost:${port}`)
}

/** An address of the edge that tokens may pass to. `name`: of the setting. @throws SetupProblem */
export function requireNear(name: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || url.href !== `${url.origin}/` || !['http:', 'https:'].includes(url.protocol)) {
    throw new SetupProblem(
      `${name} is ${JSON.stringify(text)}`,
      'use scheme, host and port only, such as https://access.example.com',
    )
  }
  if (url.protocol === 'http:' && !isThisMachine(url.hostname)) {
    throw new SetupProblem(`${name} is ${text}`, 'use https: tokens pass there, and only this machine is near')
  }
  return url
}

const isThisMachine = (hostname: string): boolean =>
  hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]' || /^127\.[\d.]+$/.test(hostname)

function readCertificate(variables: Variables): CertificateFiles | undefined {
  const certificate = read(variables, 'SALLYPORT_PROXY_CERT')
  const key = read(variables, 'SALLYPORT_PROXY_KEY')
  if (certificate !== undefined && key !== undefined) return { certificate, key }
  if (certificate === undefined && key === undefined) return undefined
  const [set, missing] = key === undefined ? ['CERT', 'KEY'] : ['KEY', 'CERT']
  throw new SetupProblem(
    `SALLYPORT_PROXY_${set} is set, and SALLYPORT_PROXY_${missing} is not`,
    'set both to the paths of PEM files, or neither',
  )
}
