/** The page about users, and what its script asks for. */
import { rolesToGive } from '../../core/access/given-role.ts'
import { beginPageAction, makePageAction } from '../../core/access/page-action.ts'
import { may } from '../../core/access/principal.ts'
import type { RuleVerb } from '../../core/access/rule.ts'
import { userState } from '../../core/access/users.ts'
import { operations } from '../../core/api/operations.ts'
import type { App, Edge, EdgeContext } from '../edge.ts'
import { pageCall } from '../page-call.ts'
import { usersPage, usersRefusedPage } from '../pages/users.ts'
import { beginHolder, callerOf, clearSession, findClaim } from '../principal.ts'
import { linked } from './administration.ts'
import { signInFirst } from './pages.ts'

export function userPageRoutes(app: App, edge: Edge): void {
  const { site, ports } = edge
  app.get('/users', (c) => showUsers(edge, c))
  pageCall(app, edge, operations.actionBegin, (c, asked) =>
    beginPageAction(site, ports, callerOf(c), beginHolder(c, ports), asked),
  )
  pageCall(app, edge, operations.action, async (c, { ticket, assertion, ...asked }) =>
    linked(edge, await makePageAction(site, ports, callerOf(c), asked, { ticket, assertion })),
  )
}

async function showUsers({ site: { cluster }, ports, assets }: Edge, c: EdgeContext): Promise<Response> {
  const claim = findClaim(c)
  const now = ports.now()
  const reader = claim && (await ports.sessions.findWithRoles(claim, now))
  if (!reader) {
    if (claim) clearSession(c)
    return c.redirect(signInFirst(c))
  }
  const { user } = reader
  const mayDo = (verb: RuleVerb) => may(reader, { resource: 'user', verb })
  if (!mayDo('list')) return c.html(usersRefusedPage(assets, { cluster, user }), 403)
  const [all, roles] = await Promise.all([ports.users.list(now), mayDo('create') ? rolesToGive(ports) : undefined])
  const users = all.map((one) => ({ ...one, isReader: one.name === user.name, state: userState(one) }))
  return c.html(usersPage(assets, { cluster, user, users, roles, mayReset: mayDo('update'), now }))
}
