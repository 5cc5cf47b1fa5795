/** Browser sessions and programs' logins alike: one's own, and for administrators anybody's. */
import type { ListedLogin } from '../admin-ports.ts'
import { recordingRefusals } from '../audit.ts'
import type { Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { actorOf, type Principal } from './principal.ts'

type Needs = Pick<Ports, 'now' | 'logins' | 'audit'>

/** No tap, as on the account page: it only takes away. @throws Refusal login_unknown, token_invalid */
export function endOwnLogin(ports: Needs, principal: Principal, id: string): Promise<ListedLogin> {
  return endLogin(ports, principal, id, 'revoked')
}

/** @throws Refusal login_unknown, token_invalid, role_missing */
export function endAnyLogin(ports: Needs, principal: Principal, id: string): Promise<ListedLogin> {
  return endLogin(ports, principal, id, 'administrator')
}

function endLogin(ports: Needs, principal: Principal, id: string, reason: 'revoked' | 'administrator') {
  const { asking, user, session } = principal
  return recordingRefusals(ports, asking, 'login.end', async () => {
    const isAdministrator = reason === 'administrator'
    const [found] = await ports.logins.list({ id, userId: isAdministrator ? undefined : user.id }, ports.now())
    if (!found) throw new Refusal('login_unknown', { user: user.id })
    const detail = { ended: id, of: found.user.name }
    const who = { userId: user.id, sessionId: session.id, detail }
    const event = { at: ports.now(), kind: 'login.end', outcome: 'done', asking, ...who } as const
    const actor = actorOf(principal, isAdministrator ? [{ resource: 'session', verb: 'delete' }] : [])
    await ports.logins.end(actor, { id, owner: found.user.id, reason }, event)
    return found
  })
}
