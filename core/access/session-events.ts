/** Session events that a proxy tells: at least once each, with an id of the proxy's own, so that each is written once. */

import type { proxyEvent } from '../api/proxy-operations.ts'
import type { Of } from '../api/shape.ts'
import type { AuditEvent } from '../audit.ts'
import type { Asking, ClientSessionId, UserId } from '../model.ts'
import type { Ports } from '../ports.ts'
import type { ProxyEvent, ProxyRecord, SessionChange } from '../proxy-ports.ts'
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
function eventOf(proxy: ProxyRecord, asking: Asking, told: Told): ProxyEvent {
  const { requestId } = asking
  const detail: RefusalDetail = {
    proxy: proxy.name,
    ...(told.session !== undefined && { session: told.session }),
    ...(told.resource !== undefined && { resource: told.resource }),
    ...(told.kind === 'proxy.start' && told.boot !== undefined && { boot: told.boot }),
    ...(told.detail !== undefined && { said: JSON.stringify(told.detail).slice(0, longestDetail) }),
  }
  const from = { address: told.address, place: '', browser: `Proxy ${proxy.name}` }
  const event: AuditEvent = {
    at: told.at,
    kind: told.kind,
    outcome: told.kind === 'session.refuse' ? 'refused' : 'done',
    asking: told.kind === 'proxy.start' ? asking : { requestId, from },
    userId: told.user as UserId | undefined,
    sessionId: told.session as ClientSessionId | undefined,
    code: told.code as RefusalCode | undefined,
    detail,
  }
  return { id: `${proxy.id}.${told.id}`, event, proxyId: proxy.id, session: changeOf(told) }
}

/** A proxy of before did not say all that is listed: what it opens is not. */
function changeOf({ kind, at, address, ...told }: Told): SessionChange | undefined {
  const { session: id, user, boot, resource, resource_kind, principal = '', impersonated = null } = told
  if (kind === 'proxy.start') return boot === undefined ? undefined : { kind: 'started', boot }
  if (id === undefined || kind === 'session.refuse') return undefined
  if (kind === 'session.stop') return { kind: 'closed', id }
  if (user === undefined || boot === undefined || resource === undefined || resource_kind === undefined)
    return undefined
  const what = { kind: resource_kind, resource, principal, impersonated }
  return { kind: 'opened', opened: { id, userId: user as UserId, boot, ...what, address, openedAt: at } }
}

const longestDetail = 2048
