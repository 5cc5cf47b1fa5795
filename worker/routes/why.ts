/** What programs ask about decisions. */
import type { Constraints } from '../../core/access/constraints.ts'
import { replayEvents } from '../../core/access/event-replay.ts'
import { requirePrincipal } from '../../core/access/session-principal.ts'
import { explain, type Why } from '../../core/access/why.ts'
import { operations } from '../../core/api/operations.ts'
import type { App, Edge } from '../edge.ts'
import { tokenCall } from '../token-call.ts'
import { inSeconds } from './own.ts'
import { noLists } from './proxies.ts'

export function whyRoutes(app: App, edge: Edge): void {
  const { ports } = edge
  tokenCall(app, edge, operations.why, async ({ principal: caller, body: { resource, principal, user } }) => {
    const asWhom = principal === undefined ? undefined : requirePrincipal(resource.kind, principal)
    return whyView(await explain(ports, caller, { resource, principal: asWhom, user }))
  })
  tokenCall(app, edge, operations.eventsReplay, async ({ c, principal }) => {
    const replayed = await replayEvents(ports, principal, c.req.param('id') ?? '')
    return {
      events: replayed.map(({ event: { at, requestId, seq, kind, outcome, code, user, detail = {} }, ...said }) => {
        const { resource } = detail
        return {
          ...{ seq, kind, outcome, code, user, ...said, at: new Date(at).toISOString(), request_id: requestId },
          resource: typeof resource === 'string' ? resource : undefined,
        }
      }),
    }
  })
}

function whyView({ user, told, rules, remedies, answer }: Why) {
  const { outcome } = answer
  return {
    ...{ user, outcome, told, rules },
    remedies: remedies.map(({ told: what, command }) => ({ told: what, command })),
    because: outcome === 'refuse' ? answer.because : undefined,
    constraints: outcome === 'allow' ? constraintsView(answer.constraints) : undefined,
    reach:
      outcome === 'reach' ? answer.reach.map((one) => ({ ...one, lists: { ...noLists, ...one.lists } })) : undefined,
  }
}

const constraintsView = ({ maxTtl, clientIdleTimeout, ...one }: Constraints) => ({
  tap: one.tap,
  max_ttl: inSeconds(maxTtl),
  pin_source_ip: one.pinSourceIp,
  client_idle_timeout: clientIdleTimeout === undefined ? undefined : inSeconds(clientIdleTimeout),
  disconnect_expired_cert: one.disconnectExpiredCert,
  max_connections: one.maxConnections,
  max_sessions: one.maxSessions,
  strict_locks: one.strictLocks,
  networks: one.networks && { allowed: [...one.networks.allowed], denied: [...one.networks.denied] },
})
