/** Until when each certificate that is shown is good: for /metrics, and for the log while there is still time. */
import { X509Certificate } from 'node:crypto'
import { type Duration, hours, type Instant } from '../core/model.ts'
import type { Log } from './log.ts'

export interface Expiries {
  /** `cert`: PEM, the server's own first. `label` is a place in the file, or a name that stands there. */
  set(label: string, cert: string): void
  /** Tells what ends soon, each once a day. */
  look(): void
  /** Seconds of each, by its labels in /metrics; below zero where it has ended. */
  gauges(): ReadonlyMap<string, number>
}

const day: Duration = hours(24)
/** Whoever renews in time does it before: ACME clients at two thirds of a life, this machine's authority at half. */
const soonShare = 0.2
const soonAtMost: Duration = 14 * day

interface Life {
  readonly from: Instant
  readonly to: Instant
  toldAt: Instant | undefined
}

export function makeExpiries(now: () => Instant, log: Log): Expiries {
  const lives = new Map<string, Life>()
  return {
    set: (label, cert) => {
      const { validFromDate, validToDate } = new X509Certificate(cert)
      lives.set(label, { from: validFromDate.getTime(), to: validToDate.getTime(), toldAt: undefined })
    },
    look: () => {
      for (const [label, life] of lives) {
        if (!isDue(life, now())) continue
        life.toldAt = now()
        const [has, until] = [now() > life.to, new Date(life.to).toISOString()]
        const message = has ? 'certificate has expired' : 'certificate expires soon'
        log({ level: has ? 'error' : 'warn', message, certificate: label, until })
      }
    },
    gauges: () =>
      new Map([...lives].map(([label, { to }]) => [`certificate="${label}"`, Math.floor((to - now()) / 1000)])),
  }
}

function isDue({ from, to, toldAt }: Life, now: Instant): boolean {
  const soon = Math.min((to - from) * soonShare, soonAtMost)
  return now > to - soon && (toldAt === undefined || now - toldAt >= day)
}
