/** What the proxy is doing just now, for /metrics. */
import type { Measures } from './metrics.ts'
import type { Reloading } from './reload.ts'
import type { Serving } from './serve.ts'

type Measured = Pick<Serving, 'sessions' | 'relays' | 'events' | 'routing'>

export function measuresOf(
  { sessions, relays, events, routing }: Measured,
  reloading: Pick<Reloading, 'generation' | 'failures'> | undefined,
  isStopping: boolean,
): Measures {
  const backends = [...routing.choices].flatMap(([route, choice]) =>
    choice.backends.map((backend) => [`route="${route}",backend="${backend.uri}"`, backend] as const),
  )
  return {
    sessions: sessions.count,
    relays: relays.count,
    events_waiting: events.waiting,
    events_lost_total: events.lost,
    stopping: isStopping ? 1 : 0,
    config_generation: reloading?.generation ?? 1,
    config_reload_failures_total: reloading?.failures ?? 0,
    certificate_expires_seconds: routing.certificates.expiries(),
    backend_up: new Map(backends.map(([labels, { isUp }]) => [labels, isUp ? 1 : 0])),
    backend_connections: new Map(backends.map(([labels, { open }]) => [labels, open])),
  }
}
