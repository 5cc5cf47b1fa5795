/** The proxy in one piece: what listens, what ends TLS, what speaks HTTP, what opens tunnels, and what asks the edge. */
import type { SecureContextOptions, TLSSocket } from 'node:tls'
import { showPath } from '../core/access/place.ts'
import { Lru } from '../core/lib/lru.ts'
import { type Duration, seconds } from '../core/model.ts'
import { compileTable, type RouteTable } from '../core/route/table.ts'
import { SetupProblem } from '../core/setup-problem.ts'
import type { AuthorizeNeeds } from './authorize.ts'
import { makeBearers } from './bearers.ts'
import { makeCancels } from './cancels.ts'
import { type Certificates, keepFresh } from './certificates.ts'
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
import type { Identity } from './identity.ts'
import { listen } from './listener.ts'
import { makePostgresEnd } from './postgres-end.ts'
import { postgresWires } from './postgres-front.ts'
import { makeRelays, type Relays } from './relays.ts'
import { makeResourceCertificates } from './resource-certificates.ts'
import { type OwnProtocol, ownProtocols, ownRule, ownServerNames } from './routes.ts'
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
}

interface Given {
  readonly settings: Settings
  readonly certificates: Certificates
  readonly identity: Identity
  readonly world: World
  /** How often it looks whether the certificate must be renewed. */
  readonly lookEvery: Duration
  /** How often it asks what is new. A lock must close what it covers within five seconds. */
  readonly askEvery?: Duration
}

/** @throws SetupProblem */
export async function serve(given: Given): Promise<Serving> {
  const { settings, certificates, world, lookEvery } = given
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
  const certificate = await certificates.first()
  const relays = makeRelays(world.limits)
  const statics = await makeStaticRoutes(routes, { world, relays, ownPort: port, certificate, lookEvery })
  const own = makeOwnEnd(certificate, { sallyport: tunnel.take, 'http/1.1': http.take })
  const resources = makeResourceCertificates(certificates, certificate)
  const named = { certificates: resources, names: ownServerNames(settings), ownPort: port }
  const postgres = makePostgresEnd({ ...knowing, ...named }, certificate)
  const table = tableOf([...statics.rules, postgres.direct, { ...ownRule(settings, routes), take: own.take }])
  const secured = makeDispatch(tableOf([...statics.postgres, postgres.asked]))
  const listening = await listen(
    hosts,
    port,
    world,
    makeDispatch(table, postgresWires({ secured, cancels: knowing.cancels })),
  )
  const renewing = [own, statics, resources]
  const rest = keepFresh(certificates, lookEvery, (next) => renewing.map((end) => end.renew(next)), world.log)
  return {
    ...knowing,
    relays,
    stop: async () => {
      rest()
      statics.rest()
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
const makeOwnEnd = (certificate: SecureContextOptions, takers: { readonly [protocol in OwnProtocol]: Take }): TlsEnd =>
  makeTlsEnd(certificate, {
    alpn: [...ownProtocols, ''],
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
  const more = { cancels: makeCancels(world), bearers: makeBearers(world), databases: settings.databases }
  return { ...more, world, identity, trust, sessions, events, spent, ...remembered() }
}

/** What was right before, of clients that come again. */
const remembered = (): Pick<AuthorizeNeeds, 'proofKeys' | 'accessTokens'> => ({
  proofKeys: new Lru(1000),
  accessTokens: new Lru(1000),
})
