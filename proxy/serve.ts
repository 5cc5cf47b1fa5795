/** The proxy in one piece: what listens, what ends TLS, what speaks HTTP, what opens tunnels, and what asks the edge. */
import { Lru } from '../core/lib/lru.ts'
import { type Duration, seconds } from '../core/model.ts'
import { helloLimits } from '../core/route/hello.ts'
import type { AuthorizeNeeds } from './authorize.ts'
import { makeBearers } from './bearers.ts'
import { makeCancels } from './cancels.ts'
import { type CertificateLogins, makeCertificateLogins } from './certificate-logins.ts'
import type { Settings } from './config.ts'
import { makeEdgeCaller } from './edge-call.ts'
import { type Events, makeEvents } from './events.ts'
import type { World } from './exchange.ts'
import { makeExposed } from './exposed.ts'
import { fetchedKeys, pinnedKeys } from './first-keys.ts'
import { makeFirstRequest } from './first-request.ts'
import { makeForward } from './forward.ts'
import { makeHealth } from './health.ts'
import { makeHttpEnd } from './http.ts'
import { makeHttp2End } from './http2.ts'
import type { Identity } from './identity.ts'
import { makeNamedResources } from './named-resources.ts'
import type { OwnCertificates } from './own-certificates.ts'
import { openPorts, portsOf } from './ports.ts'
import { makeRelays, type Relays } from './relays.ts'
import { makeRouting, type Routing } from './routing.ts'
import { makeSessions, type Sessions } from './sessions.ts'
import { rememberSpent } from './spent.ts'
import { noSpool, openSpool } from './spool.ts'
import { noTrust, openTrust, type Trust, watchingBoth } from './trust.ts'
import { makeTunnelEnd } from './tunnel.ts'
import { makeWaiting } from './waiting.ts'

export interface Serving {
  /** Takes no more connections, and lets those that are open go on for a while; called again, for that while from then on. */
  stop(drain?: Duration): Promise<void>
  /**
   * From now on connections go by another table; those that are open keep theirs. What stands in `fixedSettings` (proxy/reload.ts) stays
   * as it is. @throws SetupProblem: nothing has changed
   */
  reload(settings: Settings, own: OwnCertificates): Promise<void>
  readonly trust: Trust
  readonly sessions: Sessions
  readonly certificateLogins: CertificateLogins
  readonly relays: Relays
  readonly events: Events
  /** That of now. */
  readonly routing: Routing
}

interface Given {
  readonly settings: Settings
  readonly own: OwnCertificates
  readonly identity: Identity
  readonly world: World
  /** How often it looks whether the certificate must be renewed. */
  readonly lookEvery: Duration
  /** How often it asks what is new. A lock must close what it covers within five seconds. */
  readonly askEvery?: Duration
}

/** @throws SetupProblem */
export async function serve(given: Given): Promise<Serving> {
  const { settings, world, lookEvery } = given
  const { edge, publicUrl } = settings
  const ownPorts = portsOf(settings)
  const knowing = await startKnowing(given)
  const { trust, sessions, events } = knowing
  const forward = makeForward(edge, world.limits)
  const relays = makeRelays(world.limits)
  // What is asked of the table is asked of that of the moment.
  const kindOf = (host: string) => routing.kindOf(host)
  const opening = { ...knowing, ownPorts, databases: () => routing.databases }
  const web = { world, publicUrl, kindOf, forward }
  const [http, api] = [makeHttpEnd({ ...web, words: opening }), makeHttpEnd({ ...web, isApiAlone: true })]
  const waiting = makeWaiting(world.limits.waitingOfOneUser)
  const tunnel = makeTunnelEnd({ ...opening, publicUrl, kindOf, waiting })
  const needs: Parameters<typeof makeRouting>[2] = {
    ...{ world, relays, ownPorts, lookEvery, health: makeHealth({ world, ownPorts }) },
    takers: {
      sallyport: tunnel.take,
      'sallyport-auth': (connection, socket) => {
        connection.within(world.limits.headMs, 'head_too_slow')
        api.take(connection, socket)
      },
      h2: makeHttp2End({ ...opening, http }).take,
      'http/1.1': makeFirstRequest({ ...opening, http }),
    },
    opening,
  }
  let routing = await makeRouting(settings, given.own, needs)
  const end = async () => {
    routing.rest()
    trust.stop()
    await events.stop(seconds(2))
    forward.close()
  }
  const helloOf = { ...helloLimits, maxHelloBytes: settings.maxHello }
  let over: Promise<void> | undefined
  const ports = { current: () => routing, cancels: knowing.cancels, hello: helloOf, exposed: makeExposed(knowing) }
  const listening = await openPorts(settings.listeners, world, ports)
  return {
    ...knowing,
    relays,
    get routing() {
      return routing
    },
    reload: async (next, shown) => {
      const made = await makeRouting(next, shown, needs)
      const before = routing
      routing = made
      before.rest()
    },
    stop: async (drain = world.limits.drainMs) => {
      // Who is still there then is ended first, and reset a moment later.
      const grace = Math.max(drain + seconds(2), world.limits.graceMs)
      await Promise.all([listening.stop(grace), sessions.stop(drain), relays.stop(drain)])
      over ??= end()
      await over
    },
  }
}

async function startKnowing({ settings, identity, world, askEvery = seconds(2) }: Given) {
  const { edge, publicUrl, home, trust: trusted } = settings
  const caller = makeEdgeCaller({ edge, publicUrl, identity, now: world.now })
  const { keys, maxStale, maxOffline } = trusted
  const first = keys === 'first-use' ? fetchedKeys(caller, home) : pinnedKeys(keys === 'none' ? [] : keys)
  const sessions = makeSessions(world.limits.sessions)
  const certificateLogins = makeCertificateLogins({
    now: world.now,
    ask: () => trust.ask(),
    cut: sessions.endCertified,
  })
  const asking = {
    watched: watchingBoth(sessions.watched, certificateLogins.watched),
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
  const events = makeEvents(world, caller, keys === 'none' ? noSpool : openSpool(home, identity.boot, world.log))
  if (keys !== 'none') events.started(identity.boot)
  const spent = rememberSpent(world.limits.spentGrants)
  const more = { certificateLogins, cancels: makeCancels(world), bearers: makeBearers(world) }
  const named = makeNamedResources(trust)
  return { ...more, named, world, identity, trust, sessions, events, spent, ...remembered() }
}

/** What was right before, of clients that come again. */
const remembered = (): Pick<AuthorizeNeeds, 'proofKeys' | 'accessTokens'> => ({
  proofKeys: new Lru(1000),
  accessTokens: new Lru(1000),
})
