/** What takes the hellos of a static route: the relay alone, or behind TLS that ends here. */
import type { Duration } from '../core/model.ts'
import type { CertificateFor } from './certificate-book.ts'
import {
  certificatesOf,
  type Fresh,
  keepFresh,
  parseCertificate,
  readPem,
  type ServerCertificate,
} from './certificates.ts'
import type { Taking } from './dispatch.ts'
import type { Expiries } from './expiry.ts'
import { telling } from './own-certificates.ts'
import { type RelayNeeds, relay } from './relay.ts'
import type { StaticRoute } from './routes.ts'
import { makeTlsEnd, type TlsEnd } from './tls.ts'

interface Needs extends RelayNeeds {
  /** The proxy's own, for routes that name none. */
  readonly certificate: ServerCertificate
  readonly certificateFor: CertificateFor
  readonly expiries: Expiries
  readonly lookEvery: Duration
}

export interface StaticRoutes {
  readonly rules: readonly Taking[]
  /** The proxy's own certificate was renewed. */
  renew(certificate: ServerCertificate): void
  /** Looks at the routes' own certificates now. */
  look(): Promise<void>
  /** Looks at no certificates any more. */
  rest(): void
}

/** @throws SetupProblem */
export async function makeStaticRoutes(routes: readonly StaticRoute[], needs: Needs): Promise<StaticRoutes> {
  const rules: Taking[] = []
  const shared: TlsEnd[] = []
  const fresh: Fresh[] = []
  for (const route of routes) {
    if (route.tls === 'passthrough') {
      rules.push({ ...route, take: (connection) => relay(needs, route, connection, connection.raw) })
      continue
    }
    const files = route.certificate && certificatesOf(route.certificate, needs.world.now)
    const own = files && telling(files, `route:${route.name}`, needs.expiries)
    const end = endOf(route, needs, await own?.first())
    if (own) fresh.push(keepFresh(own, needs.lookEvery, end.renew, needs.world.log))
    else shared.push(end)
    rules.push({ ...route, take: end.take })
  }
  return {
    rules,
    renew: (certificate) => {
      for (const end of shared) end.renew(certificate)
    },
    look: async () => {
      for (const one of fresh) await one.look()
    },
    rest: () => {
      for (const one of fresh) one.stop()
    },
  }
}

/** `own`: its certificate, the only one that it shows. */
function endOf(route: StaticRoute, needs: Needs, own: ServerCertificate | undefined): TlsEnd {
  const { alpn, clientCa } = route
  return makeTlsEnd(own ?? needs.certificate, {
    alpn,
    certificateFor: own ? undefined : needs.certificateFor,
    clientCa: clientCa === undefined ? undefined : readAuthorities(clientCa),
    take: (connection, socket) => relay(needs, route, connection, socket),
  })
}

/** A file without a certificate must not count as none at all: then every authority that Node knows would do. @throws SetupProblem */
function readAuthorities(file: string): string {
  const pem = readPem(file)
  parseCertificate(file, pem)
  return pem
}
