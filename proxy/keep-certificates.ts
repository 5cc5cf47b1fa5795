/** All certificates of a proxy that serves, kept fresh: files that have changed, what ACME must renew, and what ends soon. */
import type { Duration } from '../core/model.ts'
import { type Fresh, keepFresh, type ServerCertificate } from './certificates.ts'
import type { World } from './exchange.ts'
import type { OwnCertificates } from './own-certificates.ts'
import type { StaticRoutes } from './static-routes.ts'

interface Shower {
  renew(certificate: ServerCertificate): void
}

/** `showers`: of the one that is shown where no name decides. */
export function keepCertificates(
  { certificates, acme, expiries }: OwnCertificates,
  statics: Pick<StaticRoutes, 'look' | 'rest'>,
  showers: readonly Shower[],
  every: Duration,
  { log }: World,
): Fresh {
  const renew = (next: ServerCertificate) => {
    for (const shower of showers) shower.renew(next)
  }
  const base = keepFresh(certificates, every, renew, log)
  const tend = () => {
    expiries.look()
    // It takes minutes where an authority is slow, and tells what became of it by itself.
    void acme?.look()
  }
  tend()
  const timer = setInterval(tend, every).unref()
  return {
    look: async () => {
      await base.look()
      await statics.look()
      tend()
    },
    stop: () => {
      clearInterval(timer)
      base.stop()
      statics.rest()
      acme?.stop()
    },
  }
}
