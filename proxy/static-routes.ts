/** What takes the hellos of a static route: the relay alone, or behind TLS that ends here. */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Duration } from '../core/model.ts'
import type { Hello } from '../core/route/hello.ts'
import { announcement } from './announce.ts'
import { type Choice, makeChoice } from './balance.ts'
import type { CertificateFor } from './certificate-book.ts'
import {
  certificatesOf,
  type Fresh,
  keepFresh,
  parseCertificate,
  readPem,
  type ServerCertificate,
} from './certificates.ts'
import type { Connection } from './connection.ts'
import type { Taking } from './dispatch.ts'
import type { Expiries } from './expiry.ts'
import type { TakingWithoutTls } from './first-bytes.ts'
import type { Health } from './health.ts'
import { telling } from './own-certificates.ts'
import { askForTls } from './postgres.ts'
import { type RelayNeeds, relay } from './relay.ts'
import { protocolWithoutTls, type StaticRoute } from './routes.ts'
import { makeTlsEnd, type TlsEnd } from './tls.ts'

export interface StaticNeeds extends RelayNeeds {
  readonly health: Health
  /** The proxy's own, for routes that name none. */
  readonly certificate: ServerCertificate
  readonly certificateFor: CertificateFor
  readonly expiries: Expiries
  readonly lookEvery: Duration
}

/** Of a client that says no hello. */
const noHello: Told = { sni: undefined, alpn: [] }

export interface StaticRoutes {
  readonly rules: readonly Taking[]
  /** Of hellos behind a Postgres client's request for TLS: the server is asked in the same words. */
  readonly postgres: readonly Taking[]
  /** Of each route, in their order. */
  readonly choices: ReadonlyMap<string, Choice>
  /** By name. */
  readonly withoutTls: ReadonlyMap<string, TakingWithoutTls>
  /** The proxy's own certificate was renewed. */
  renew(certificate: ServerCertificate): void
  /** Looks at the routes' own certificates now. */
  look(): Promise<void>
  /** Looks at no certificates and backends any more. */
  rest(): void
}

/** @throws SetupProblem: then nothing is looked at */
export async function makeStaticRoutes(routes: readonly StaticRoute[], needs: StaticNeeds): Promise<StaticRoutes> {
  const withoutTls = new Map<string, TakingWithoutTls>()
  const shared: TlsEnd[] = []
  const resting: (() => void)[] = []
  const fresh: Fresh[] = []
  const rest = () => {
    for (const one of resting) one()
  }
  const choices = new Map<string, Choice>()
  const ruleOf = async (route: StaticRoute): Promise<Taking | undefined> => {
    const choice = makeChoice(route, needs.health)
    choices.set(route.name, choice)
    resting.push(choice.rest)
    const pass = passing(route, choice, needs)
    const protocol = protocolWithoutTls(route)
    if (protocol !== undefined) {
      withoutTls.set(route.name, { protocol, take: (connection) => passUntold(route, connection, pass) })
      return undefined
    }
    if (route.tls === 'passthrough')
      return { ...route, take: (connection, hello) => pass(connection, hello, connection.raw) }
    const files = route.certificate && certificatesOf(route.certificate, needs.world.now)
    const own = files && telling(files, `route:${route.name}`, needs.expiries)
    const end = endOf(route, needs, await own?.first(), pass)
    if (own) {
      const kept = keepFresh(own, needs.lookEvery, end.renew, needs.world.log)
      fresh.push(kept)
      resting.push(kept.stop)
    } else shared.push(end)
    return { ...route, take: end.take }
  }
  const rules: Taking[] = []
  try {
    for (const route of routes) {
      const rule = await ruleOf(route)
      if (rule) rules.push(rule)
    }
  } catch (error) {
    rest()
    throw error
  }
  const postgres = routes
    .filter(({ protocol }) => protocol === 'postgres')
    .map((route) => asking(route, choices, needs))
  const renew = (certificate: ServerCertificate) => {
    for (const end of shared) end.renew(certificate)
  }
  const look = async () => {
    for (const one of fresh) await one.look()
  }
  return { rules, postgres, withoutTls, choices, renew, look, rest }
}

function passUntold({ name }: StaticRoute, connection: Connection, pass: Pass): void {
  connection.note({ route: name, route_ms: connection.age })
  pass(connection, noHello, connection.raw)
}

type Told = Pick<Hello, 'sni' | 'alpn'>
/** `agreed`: the protocol, where TLS ended here. */
type Pass = (connection: Connection, hello: Told, stream: Duplex, agreed?: string) => void

const passing =
  ({ name, sendProxy }: StaticRoute, choice: Choice, needs: StaticNeeds): Pass =>
  (connection, hello, stream, agreed) => {
    const announced = sendProxy ? announcement(connection, hello, agreed) : undefined
    relay(needs, { name, choice }, connection, { stream, announcement: announced })
  }

/** A header goes before the question for TLS, which is the proxy's own. */
function asking(route: StaticRoute, choices: StaticRoutes['choices'], needs: StaticNeeds): Taking {
  const { name, sendProxy } = route
  return {
    ...route,
    take: (connection, hello) => {
      const announced = sendProxy ? announcement(connection, hello, undefined) : new Uint8Array()
      const prepare = (backend: Socket, at: string, signal: AbortSignal) => askForTls(backend, at, signal, announced)
      const client = { stream: connection.raw, announcement: undefined }
      relay({ ...needs, prepare }, { name, choice: choices.get(name) as Choice }, connection, client)
    },
  }
}

/** `own`: its certificate, the only one that it shows. */
function endOf(
  { alpn, clientCa }: StaticRoute,
  needs: StaticNeeds,
  own: ServerCertificate | undefined,
  pass: Pass,
): TlsEnd {
  return makeTlsEnd(own ?? needs.certificate, {
    alpn,
    certificateFor: own ? undefined : needs.certificateFor,
    clientCa: clientCa === undefined ? undefined : readAuthorities(clientCa),
    take: (connection, socket, routing) => pass(connection, routing, socket, socket.alpnProtocol || ''),
  })
}

/** A file without a certificate must not count as none at all: then every authority that Node knows would do. @throws SetupProblem */
function readAuthorities(file: string): string {
  const pem = readPem(file)
  parseCertificate(file, pem)
  return pem
}
