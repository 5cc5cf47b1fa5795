/** Sessions on resources that are open at proxies: one's own, and for administrators anybody's. */
import type { Actor, ListedSession } from '../admin-ports.ts'
import { recordingRefusals } from '../audit.ts'
import type { Asking, Site, UserId } from '../model.ts'
import type { Caller, Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { type ApprovalNeeds, type Request, standingEvent, withStanding } from './approved.ts'
import { linesOf, removedLines, titleLine } from './difference.ts'
import { actorOf, type Principal } from './principal.ts'
import type { Foreseen } from './subject.ts'

type Needs = Pick<Ports, 'now' | 'openSessions' | 'audit'>

/** No tap: it only takes away. @throws Refusal session_unknown, token_invalid */
export function endOwnSession(ports: Needs, principal: Principal, id: string): Promise<ListedSession> {
  return recordingRefusals(ports, principal.asking, 'session.disconnect', () =>
    endOwn(ports, principal.asking, actorOf(principal, []), id),
  )
}

/** The same at the account page. @throws Refusal session_missing, session_unknown */
export function endOwnSessionAtPage(
  ports: Needs & Pick<Ports, 'sessions'>,
  { asking, claim }: Pick<Caller, 'asking' | 'claim'>,
  id: string,
): Promise<ListedSession> {
  return recordingRefusals(ports, asking, 'session.disconnect', async () => {
    const user = claim && (await ports.sessions.find(claim, ports.now()))
    if (!claim || !user) throw new Refusal('session_missing')
    return endOwn(ports, asking, { userId: user.id, sessionId: claim.id, by: [], claim }, id)
  })
}

async function endOwn(ports: Needs, asking: Asking, actor: Actor, id: string): Promise<ListedSession> {
  const { userId, sessionId } = actor
  const found = await requireSession(ports, id, userId)
  const done = { at: ports.now(), kind: 'session.disconnect', outcome: 'done', asking } as const
  const event = { ...done, userId, sessionId, detail: detailOf(found) }
  await ports.openSessions.end(actor, { id, owner: userId }, event)
  return found
}

/** @throws Refusal session_unknown */
export const foreseeSessionEnd = async (ports: Pick<Ports, 'now' | 'openSessions'>, id: string): Promise<Foreseen> =>
  foreseenOf(await requireSession(ports, id))

/** Any passkey may tap it, as for logins. */
function foreseenOf({
  id,
  user,
  resource,
  principal,
  impersonated,
  proxy,
  address,
  openedAt,
}: ListedSession): Foreseen {
  const what = {
    user: user.name,
    resource: `${resource.kind}/${resource.name}`,
    ...(principal !== '' && { principal }),
    ...(impersonated !== undefined && { impersonated }),
    ...{ opened_at: new Date(openedAt).toISOString(), address, proxy },
  }
  const changes = [titleLine('Ended: the session'), ...removedLines(linesOf(what))].join('\n')
  return {
    summary: `End the session ${id} of ${user.name} on ${resource.name}`,
    revision: user.id,
    changes,
    key: 'any',
  }
}

/** @throws Refusal session_unknown, token_invalid, role_missing */
export function endAnySession(
  site: Site,
  ports: Needs & ApprovalNeeds,
  principal: Principal,
  id: string,
  request: Request,
): Promise<ListedSession> {
  return recordingRefusals(ports, principal.asking, 'session.disconnect', async () => {
    const found = await requireSession(ports, id)
    const expected = foreseenOf(found)
    return withStanding(site, ports, principal, 'openSessionEnd', request, expected, async ({ actor, approved }) => {
      const event = standingEvent(ports, principal, approved, request, 'session.disconnect', detailOf(found))
      await ports.openSessions.end(actor, { id, owner: found.user.id }, event)
      return found
    })
  })
}

const detailOf = ({ id, user, resource }: ListedSession) => ({ ended: id, of: user.name, resource: resource.name })

async function requireSession(
  { openSessions, now }: Pick<Ports, 'now' | 'openSessions'>,
  id: string,
  userId?: UserId,
): Promise<ListedSession> {
  const [found] = await openSessions.list({ id, userId }, now())
  if (!found) throw new Refusal('session_unknown')
  return found
}
