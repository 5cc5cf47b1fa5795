/** Browser sessions and programs' logins alike: one's own, and for administrators anybody's. */
import type { Actor, ListedLogin } from '../admin-ports.ts'
import { type AuditEvent, recordingRefusals } from '../audit.ts'
import type { Site, UserId } from '../model.ts'
import type { Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { type ApprovalNeeds, type Request, standingEvent, withStanding } from './approved.ts'
import { linesOf, removedLines, titleLine } from './difference.ts'
import { actorOf, type Principal } from './principal.ts'
import type { Foreseen } from './subject.ts'

type Needs = Pick<Ports, 'now' | 'logins' | 'audit'>

/** No tap, as on the account page: it only takes away. @throws Refusal login_unknown, token_invalid */
export function endOwnLogin(ports: Needs, principal: Principal, id: string): Promise<ListedLogin> {
  const { asking, user, session } = principal
  return recordingRefusals(ports, asking, 'login.end', async () => {
    const found = await requireLogin(ports, id, user.id)
    const done = { at: ports.now(), kind: 'login.end', outcome: 'done', asking } as const
    const event = { ...done, userId: user.id, sessionId: session.id, detail: detailOf(found) }
    return end(ports, actorOf(principal, undefined), found, 'revoked', event)
  })
}

/** @throws Refusal login_unknown */
export const foreseeLoginEnd = async (ports: Pick<Ports, 'now' | 'logins'>, id: string): Promise<Foreseen> =>
  foreseenOf(await requireLogin(ports, id))

/** Any passkey may tap it: whoever is thrown out can sign in again, and whoever throws a thief out is in a hurry. */
function foreseenOf({ id, kind, user, clientId, openedAt, origin }: ListedLogin): Foreseen {
  const opened_at = new Date(openedAt).toISOString()
  const from = {
    address: origin.address,
    browser: origin.browser,
    ...(clientId !== undefined && { program: clientId }),
  }
  const lines = removedLines(linesOf({ user: user.name, opened_at, ...from }))
  const what = kind === 'browser' ? 'browser session' : 'program’s login'
  const changes = [titleLine(`Ended: the ${what}`), ...lines].join('\n')
  return { summary: `End the ${what} ${id} of ${user.name}`, revision: user.id, changes, key: 'any' }
}

/** @throws Refusal login_unknown, token_invalid, role_missing */
export function endAnyLogin(
  site: Site,
  ports: Needs & ApprovalNeeds,
  principal: Principal,
  id: string,
  request: Request,
): Promise<ListedLogin> {
  return recordingRefusals(ports, principal.asking, 'login.end', async () => {
    const found = await requireLogin(ports, id)
    return withStanding(site, ports, principal, 'loginEnd', request, foreseenOf(found), ({ actor, approved }) => {
      const event = standingEvent(ports, principal, approved, request, 'login.end', detailOf(found))
      return end(ports, actor, found, 'administrator', event)
    })
  })
}

const detailOf = ({ id, user }: ListedLogin) => ({ ended: id, of: user.name })

async function requireLogin({ logins, now }: Pick<Ports, 'now' | 'logins'>, id: string, userId?: UserId) {
  const [found] = await logins.list({ id, userId }, now())
  if (!found) throw new Refusal('login_unknown')
  return found
}

async function end(
  { logins }: Pick<Ports, 'logins'>,
  actor: Actor,
  found: ListedLogin,
  reason: 'revoked' | 'administrator',
  event: AuditEvent,
): Promise<ListedLogin> {
  await logins.end(actor, { id: found.id, owner: found.user.id, reason }, event)
  return found
}
