/** The proxy in one piece: what listens, what ends TLS, what speaks HTTP, what opens tunnels, and what asks the edge. */
import type { TLSSocket } from 'node:tls'
import { showPath } from '../core/access/place.ts'
import { Lru } from '../core/lib/lru.ts'
import { type Duration, seconds } from '../core/model.ts'
import { helloLimits } from '../core/route/hello.ts'
import { compileTable, type RouteTable } from '../core/route/table.ts'
import { SetupProblem } from '../core/setup-problem.ts'
import { withChallenges } from './acme/challenges.ts'
import type { AuthorizeNeeds } from './authorize.ts'
import type { CertificateFor } from './certificate-book.ts'
import type { ServerCertificate } from './certificates.ts'
import type { Settings } from './config.ts'
import type { Connection } from './connection.ts'
import { makeDispatch, type Taking } from './dispatch.ts'
import { makeEdgeCaller } from './edge-call.ts'
import { type Events, makeEvents } from './events.ts'
import type { World } from './exchange.ts'
import { fetchedKeys, pinnedKeys } from './first-keys.ts'
import { makeForward } from './forward.ts'
import { hostsOf } from './hosts.ts'
import { makeHttpEnd } from './http.ts'
import { makeHttp2End } from './http2.ts'
import type { Identity } from './identity.ts'
import { keepCertificates } from './keep-certificates.ts'
import { listen } from './listener.ts'
import type { Gauge } from './metrics.ts'
import type { OwnCertificates } from './own-certificates.ts'
import { makeRelays, type Relays } from './relays.ts'
import { type OwnProtocol, ownProtocols, ownRule } from './routes.ts'
import { makeSessions, type Sessions } from './sessions.ts'
import { rememberSpent } from './spent.ts'
import { makeStaticRoutes } from './static-routes.ts'
import { makeTlsEnd, type TlsEnd } from './tls.ts'
import { noTrust, openTrust, type Trust } from './trust.ts'
import { makeTunnelEnd } from './tunnel.ts'
import { makeWaiting } from './waiting.ts'

export interface Serving {
  /** Lets requests finish, for a while. */
  stop(): Promise<void>
  readonly trust: Trust
  readonly sessions: Sessions
  readonly relays: Relays
  readonly events: Events
  readonly certificates: ServingCertificates
}

export interface ServingCertificates {
  /** Reads the files now, instead of when their time comes. Never rejects: what is wrong stands in the log, and what was shown stays. */
  look(): Promise<void>
  /** Seconds until each ends. */
  expiries(): Gauge
}

interface Given {
  readonly settings: Settings
  readonly own: OwnCertificates
  readonly identity: Identity
  readonly world: World
  /** How often it looks whether certificates have changed, or must be renewed. */
  readonly lookEvery: Duration
  /** How often it asks what is new. A lock must close what it covers within five seconds. */
  readonly askEvery?: Duration
}

/** @throws SetupProblem */
export async function serve(given: Given): Promise<Serving> {
  const { settings, own: shown, world, lookEvery } = given
  const { port, hosts, names, edge, publicUrl, routes } = settings
  const knowing = await startKnowing(given)
  const { trust, sessions, events } = knowing
  const forward = makeForward(edge, world.limits)
  const kindOf = hostsOf(names, port, publicUrl)
  const http = makeHttpEnd({ world, publicUrl, kindOf, forward })
  const tunnel = makeTunnelEnd({
    ...knowing,
    publicUrl,
    kindOf,
    ownPort: port,
    waiting: makeWaiting(world.limits.waitingOfOneUser),
  })
  const certificate = await shown.certificates.first()
  const { certificateFor, expiries } = shown
  const relays = makeRelays(world.limits)
  const showing = { certificate, certificateFor, expiries, lookEvery }
  const statics = await makeStaticRoutes(routes, { world, relays, ownPort: port, ...showing })
  const own = makeOwnEnd(certificate, certificateFor, {
    sallyport: tunnel.take,
    h2: makeHttp2End({ limits: world.limits, http }).take,
    'http/1.1': http.take,
  })
  const table = withChallenges(tableOf([...statics.rules, { ...ownRule(settings, routes), take: own.take }]), (name) =>
    shown.acme?.challenges.ruleFor(name),
  )
  const helloOf = { ...helloLimits, maxHelloBytes: settings.maxHello }
  const listening = await listen(hosts, port, world, makeDispatch(table, helloOf))
  const fresh = keepCertificates(shown, statics, [own, statics], lookEvery, world)
  return {
    ...knowing,
    relays,
    certificates: { look: fresh.look, expiries: expiries.gauges },
    stop: async () => {
      fresh.stop()
      const { drainMs } = world.limits
      await Promise.all([listening.stop(), sessions.stop(drainMs), relays.stop(drainMs)])
      trust.stop()
      await events.stop(seconds(2))
      forward.close()
    },
  }
}

type Take = (connection: Connection, socket: TLSSocket) => void

/** A client that offers nothing speaks HTTP. */
const makeOwnEnd = (
  certificate: ServerCertificate,
  certificateFor: CertificateFor,
  takers: { readonly [protocol in OwnProtocol]: Take },
): TlsEnd =>
  makeTlsEnd(certificate, {
    alpn: [...ownProtocols, ''],
    certificateFor,
    take: (connection, socket) => {
      const protocol = ownProtocols.find((name) => name === socket.alpnProtocol) ?? 'http/1.1'
      takers[protocol](connection, socket)
    },
  })

/** @throws SetupProblem */
function tableOf(rules: readonly Taking[]): RouteTable<Taking> {
  const compiled = compileTable(rules)
  if (compiled.kind === 'value') return compiled.value
  const told = compiled.problems.map(({ path, message }) => `${showPath(path)}: ${message}`)
  throw new SetupProblem(told.join('\n'), 'mend what is named')
}

async function startKnowing({ settings, identity, world, askEvery = seconds(2) }: Given) {
  const { edge, publicUrl, home, trust: trusted } = settings
  const caller = makeEdgeCaller({ edge, publicUrl, identity, now: world.now })
  const { keys, maxStale, maxOffline } = trusted
  const first = keys === 'first-use' ? fetchedKeys(caller, home) : pinnedKeys(keys === 'none' ? [] : keys)
  const sessions = makeSessions(world.limits.sessions)
  const asking = {
    watched: sessions.watched,
    world,
    identity,
    caller,
    issuer: publicUrl.origin,
    home,
    first,
    maxStale,
    maxOffline,
    every: askEvery,
  }
  const trust = keys === 'none' ? noTrust : await openTrust(asking)
  trust.onChange((trusting) => sessions.review(trusting, world.now(), false))
  trust.onStale((trusting) => sessions.review(trusting, world.now(), true))
  const events = makeEvents(world, caller)
  if (keys !== 'none') events.started(identity.boot)
  const spent = rememberSpent(world.limits.spentGrants)
  return { world, identity, trust, sessions, events, spent, ...remembered() }
}

/** What was right before, of clients that come again. */
const remembered = (): Pick<AuthorizeNeeds, 'proofKeys' | 'accessTokens'> => ({
  proofKeys: new Lru(1000),
  accessTokens: new Lru(1000),
})
