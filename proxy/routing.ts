/** All that follows from one configuration and may follow from another while the proxy runs: made whole, then put in place of the one before. */
import type { TLSSocket } from 'node:tls'
import { showPath } from '../core/access/place.ts'
import { compileTable, type RouteTable } from '../core/route/table.ts'
import { SetupProblem } from '../core/setup-problem.ts'
import { withChallenges } from './acme/protocol.ts'
import type { Choice } from './balance.ts'
import type { CertificateFor } from './certificate-book.ts'
import type { ServerCertificate } from './certificates.ts'
import type { Settings } from './config.ts'
import type { Connection } from './connection.ts'
import type { Taking } from './dispatch.ts'
import type { TakingWithoutTls } from './first-bytes.ts'
import type { FrontNeeds } from './front.ts'
import { type HostKind, hostsOf } from './hosts.ts'
import { keepCertificates } from './keep-certificates.ts'
import type { OwnCertificates } from './own-certificates.ts'
import { ours, portsOf } from './ports.ts'
import { makePostgresEnd, type PostgresNeeds } from './postgres-end.ts'
import { makeResourceCertificates } from './resource-certificates.ts'
import { inTable, type OwnProtocol, ownProtocols, ownRules, ownServerNames } from './routes.ts'
import { makeServiceEnd } from './service-end.ts'
import { makeStaticRoutes, type StaticNeeds } from './static-routes.ts'
import { makeTlsEnd, type TlsEnd } from './tls.ts'

export interface Routing {
  readonly table: RouteTable<Taking>
  /** The routes without TLS, by name. */
  readonly withoutTls: ReadonlyMap<string, TakingWithoutTls>
  /** Whether a CONNECT in the clear leads back here. */
  readonly isOurs: FrontNeeds['isOurs']
  /** For hellos behind a Postgres client's request for TLS. */
  readonly secured: RouteTable<Taking>
  /** As whom the proxy lets itself into databases. */
  readonly databases: Settings['databases']
  /** By the name of its static route. */
  readonly choices: ReadonlyMap<string, Choice>
  readonly certificates: {
    /** Reads the files now, instead of when their time comes. Never rejects: what is wrong stands in the log, and what was shown stays. */
    look(): Promise<void>
    /** Seconds until each ends, by its labels. */
    expiries(): ReadonlyMap<string, number>
  }
  kindOf(host: string): HostKind | undefined
  /** It is no longer that of new connections: nothing is looked at for it any more. */
  rest(): void
}

type Take = (connection: Connection, socket: TLSSocket) => void

export interface RoutingNeeds extends Omit<StaticNeeds, 'certificate' | 'certificateFor' | 'expiries'> {
  readonly takers: { readonly [protocol in OwnProtocol]: Take }
  readonly opening: Omit<PostgresNeeds, 'certificates' | 'names' | 'certificateFor'>
}

/** @throws SetupProblem */
export async function makeRouting(settings: Settings, shown: OwnCertificates, needs: RoutingNeeds): Promise<Routing> {
  const { names, publicUrl, routes, databases } = settings
  const { certificateFor, expiries, acme } = shown
  const certificate = await shown.certificates.first()
  // First of all that begins to look at something.
  const own = makeOwnEnd(certificate, certificateFor, needs.takers)
  const resources = makeResourceCertificates(shown)
  const ends = { ...needs.opening, certificates: resources, names: ownServerNames(settings), certificateFor }
  const ruled = ownRules(settings, routes)
  const postgres = makePostgresEnd(ends, certificate, ruled.postgres)
  const services = makeServiceEnd(ends, certificate, ruled, postgres.take)
  const statics = await makeStaticRoutes(routes, { ...needs, certificate, certificateFor, expiries })
  const owned = [{ ...ruled.own, take: own.take }, services.agreed, postgres.direct, services.unsaid]
  const rules = tableOf([...statics.rules, ...inTable(owned)], statics)
  const secured = tableOf([...statics.postgres, postgres.asked], statics)
  const table = withChallenges(rules, (name) => acme?.challenges.ruleFor(name))
  const renewing = [own, services, statics, resources]
  const fresh = keepCertificates(shown, statics, renewing, needs.lookEvery, needs.world)
  return {
    table,
    isOurs: ours(settings, table),
    withoutTls: statics.withoutTls,
    secured,
    databases,
    choices: statics.choices,
    kindOf: hostsOf(names, [...portsOf(settings)], publicUrl),
    certificates: { look: fresh.look, expiries: expiries.gauges },
    rest: fresh.stop,
  }
}

/** A client that offers nothing speaks HTTP. */
const makeOwnEnd = (
  certificate: ServerCertificate,
  certificateFor: CertificateFor,
  takers: RoutingNeeds['takers'],
): TlsEnd =>
  makeTlsEnd(certificate, {
    alpn: [...ownProtocols, ''],
    certificateFor,
    take: (connection, socket) => {
      socket.once('end', () => connection.note({ closed_by: 'client' }))
      const protocol = ownProtocols.find((name) => name === socket.alpnProtocol) ?? 'http/1.1'
      takers[protocol](connection, socket)
    },
  })

/** @throws SetupProblem */
function tableOf(rules: readonly Taking[], { rest }: Pick<Routing, 'rest'>): RouteTable<Taking> {
  const compiled = compileTable(rules)
  if (compiled.kind === 'value') return compiled.value
  rest()
  const told = compiled.problems.map(({ path, message }) => `${showPath(path)}: ${message}`)
  throw new SetupProblem(told.join('\n'), 'mend what is named')
}
