/** Session events that a proxy tells: at least once each, with an id of the proxy's own, so that each is written once. */

import type { proxyEvent } from '../api/proxy-operations.ts'
import type { Of } from '../api/shape.ts'
import type { AuditEvent } from '../audit.ts'
import type { Asking, ClientSessionId, UserId } from '../model.ts'
import type { Ports } from '../ports.ts'
import type { ProxyEvent, ProxyRecord } from '../proxy-ports.ts'
import type { RefusalCode, RefusalDetail } from '../refusal.ts'

type Told = Of<typeof proxyEvent>

export async function recordProxyEvents(
  { events }: Pick<Ports, 'events'>,
  proxy: ProxyRecord,
  asking: Asking,
  told: readonly Told[],
): Promise<number> {
  await events.record(told.map((one) => eventOf(proxy, asking, one)))
  return told.length
}

/** The proxy's id is part of the event's: one proxy cannot take the place of another's. */
function eventOf(proxy: ProxyRecord, { requestId }: Asking, told: Told): ProxyEvent {
  const detail: RefusalDetail = {
    proxy: proxy.name,
    session: told.session,
    ...(told.resource !== undefined && { resource: told.resource }),
    ...(told.detail !== undefined && { said: JSON.stringify(told.detail).slice(0, longestDetail) }),
  }
  const event: AuditEvent = {
    at: told.at,
    kind: told.kind,
    outcome: told.kind === 'session.refuse' ? 'refused' : 'done',
    asking: { requestId, from: { address: told.address, place: '', browser: `Proxy ${proxy.name}` } },
    userId: told.user as UserId | undefined,
    sessionId: told.session as ClientSessionId,
    code: told.code as RefusalCode | undefined,
    detail,
  }
  return { id: `${proxy.id}.${told.id}`, event }
}

const longestDetail = 2048
