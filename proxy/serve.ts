/** The proxy in one piece: what listens, what ends TLS, what speaks HTTP, and what asks the edge. */
import type { Duration } from '../core/model.ts'
import { type Certificates, keepFresh } from './certificates.ts'
import type { Settings } from './config.ts'
import type { World } from './exchange.ts'
import { makeForward } from './forward.ts'
import { hostsOf, serverNamesOf } from './hosts.ts'
import { makeHttpEnd } from './http.ts'
import { listen } from './listener.ts'
import { makeTlsEnd } from './tls.ts'

export interface Serving {
  /** Lets requests finish, for a while. */
  stop(): Promise<void>
}

interface Given {
  readonly settings: Settings
  readonly certificates: Certificates
  readonly world: World
  /** How often it looks whether the certificate must be renewed. */
  readonly lookEvery: Duration
}

/** @throws SetupProblem */
export async function serve({ settings, certificates, world, lookEvery }: Given): Promise<Serving> {
  const { port, hosts, names, edge, publicUrl } = settings
  const forward = makeForward(edge, world.limits)
  const http = makeHttpEnd({ world, publicUrl, kindOf: hostsOf(names, port, publicUrl), forward })
  const tls = makeTlsEnd(await certificates.first(), { isOurName: serverNamesOf(names, publicUrl), secured: http.take })
  const listening = await listen(hosts, port, world, tls.take)
  const rest = keepFresh(certificates, lookEvery, tls.renew, world.log)
  return {
    stop: async () => {
      rest()
      await listening.stop()
      forward.close()
    },
  }
}
