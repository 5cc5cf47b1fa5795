/** The proxy in one piece: what listens, what ends TLS, what speaks HTTP, what opens tunnels, and what asks the edge. */
import { Lru } from '../core/lib/lru.ts'
import { type Duration, seconds } from '../core/model.ts'
import type { ProofKey } from '../core/oauth/dpop.ts'
import { type Certificates, keepFresh } from './certificates.ts'
import type { Settings } from './config.ts'
import { makeEdgeCaller } from './edge-call.ts'
import { type Events, makeEvents } from './events.ts'
import type { World } from './exchange.ts'
import { fetchedKeys, pinnedKeys } from './first-keys.ts'
import { makeForward } from './forward.ts'
import { hostsOf, serverNamesOf } from './hosts.ts'
import { makeHttpEnd } from './http.ts'
import type { Identity } from './identity.ts'
import { listen } from './listener.ts'
import { makeSessions, type Sessions } from './sessions.ts'
import { rememberSpent } from './spent.ts'
import { makeTlsEnd } from './tls.ts'
import { noTrust, openTrust, type Trust } from './trust.ts'
import { makeTunnelEnd, tunnelProtocol } from './tunnel.ts'
import { makeWaiting } from './waiting.ts'

export interface Serving {
  /** Lets requests finish, for a while. */
  stop(): Promise<void>
  readonly trust: Trust
  readonly sessions: Sessions
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
  const { port, hosts, names, edge, publicUrl } = settings
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
  const protocols = [
    { name: tunnelProtocol, take: tunnel.take },
    { name: 'http/1.1', take: http.take },
  ]
  const tls = makeTlsEnd(await certificates.first(), { isOurName: serverNamesOf(names, publicUrl), protocols })
  const listening = await listen(hosts, port, world, tls.take)
  const rest = keepFresh(certificates, lookEvery, tls.renew, world.log)
  return {
    ...knowing,
    stop: async () => {
      rest()
      await Promise.all([listening.stop(), sessions.stop(world.limits.drainMs)])
      trust.stop()
      await events.stop(seconds(2))
      forward.close()
    },
  }
}

async function startKnowing({ settings, identity, world, askEvery = seconds(2) }: Given) {
  const { edge, publicUrl, home, trust: trusted } = settings
  const caller = makeEdgeCaller({ edge, publicUrl, identity, now: world.now })
  const { keys, maxStale } = trusted
  const first = keys === 'first-use' ? fetchedKeys(caller, home) : pinnedKeys(keys === 'none' ? [] : keys)
  const asking = { world, identity, caller, issuer: publicUrl.origin, home, first, maxStale, every: askEvery }
  const trust = keys === 'none' ? noTrust : await openTrust(asking)
  const sessions = makeSessions(world.limits.sessions)
  trust.onChange((trusting) => sessions.review(trusting, world.now()))
  const events = makeEvents(world, caller)
  const spent = rememberSpent(world.limits.spentGrants)
  return { world, identity, trust, sessions, events, spent, proofKeys: new Lru<string, ProofKey>(1000) }
}
