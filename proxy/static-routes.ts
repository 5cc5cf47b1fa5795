/** What takes the hellos of a static route: the relay alone, or behind TLS that ends here. */
import type { SecureContextOptions } from 'node:tls'
import type { Duration, Instant } from '../core/model.ts'
import { type Certificates, certificatesOf, keepFresh, parseCertificate, readPem } from './certificates.ts'
import type { Taking } from './dispatch.ts'
import { askForTls } from './postgres.ts'
import { type RelayNeeds, relay } from './relay.ts'
import type { StaticRoute } from './routes.ts'
import { makeTlsEnd, type TlsEnd } from './tls.ts'

interface Needs extends RelayNeeds {
  /** The proxy's own, for routes that name none. */
  readonly certificate: SecureContextOptions
  readonly lookEvery: Duration
}

export interface StaticRoutes {
  readonly rules: readonly Taking[]
  /** Of hellos behind a Postgres client's request for TLS: the server is asked in the same words. */
  readonly postgres: readonly Taking[]
  /** The proxy's own certificate was renewed. */
  renew(certificate: SecureContextOptions): void
  /** Looks at no certificates any more. */
  rest(): void
}

/** @throws SetupProblem */
export async function makeStaticRoutes(routes: readonly StaticRoute[], needs: Needs): Promise<StaticRoutes> {
  const rules: Taking[] = []
  const shared: TlsEnd[] = []
  const resting: (() => void)[] = []
  for (const route of routes) {
    if (route.tls === 'passthrough') {
      rules.push({ ...route, take: (connection) => relay(needs, route, connection, connection.raw) })
      continue
    }
    const files = route.certificate && certificatesOf(route.certificate, needs.world.now)
    const end = endOf(route, needs, files ? await files.first() : needs.certificate)
    if (files) resting.push(keepOwn(files, end, needs))
    else shared.push(end)
    rules.push({ ...route, take: end.take })
  }
  const asking = { ...needs, prepare: askForTls }
  const postgres = routes
    .filter(({ protocol }) => protocol === 'postgres')
    .map((route): Taking => ({ ...route, take: (connection) => relay(asking, route, connection, connection.raw) }))
  return {
    rules,
    postgres,
    renew: (certificate) => {
      for (const end of shared) end.renew(certificate)
    },
    rest: () => {
      for (const rest of resting) rest()
    },
  }
}

/** Reads what a start would read. @throws SetupProblem */
export async function checkFiles(routes: readonly StaticRoute[], now: () => Instant): Promise<void> {
  for (const { certificate, clientCa } of routes) {
    if (certificate) await certificatesOf(certificate, now).first()
    if (clientCa !== undefined) readAuthorities(clientCa)
  }
}

function endOf(route: StaticRoute, needs: Needs, certificate: SecureContextOptions): TlsEnd {
  const { alpn, clientCa } = route
  return makeTlsEnd(certificate, {
    alpn,
    clientCa: clientCa === undefined ? undefined : readAuthorities(clientCa),
    take: (connection, socket) => relay(needs, route, connection, socket),
  })
}

const keepOwn = (certificates: Certificates, end: TlsEnd, { lookEvery, world }: Needs): (() => void) =>
  keepFresh(certificates, lookEvery, end.renew, world.log)

/** A file without a certificate must not count as none at all: then every authority that Node knows would do. @throws SetupProblem */
function readAuthorities(file: string): string {
  const pem = readPem(file)
  parseCertificate(file, pem)
  return pem
}
