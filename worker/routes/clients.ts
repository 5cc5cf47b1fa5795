/** Approving: a client's request, and an administrative request of a program that waits. */

import { endOwnSessionAtPage } from '../../core/access/open-sessions.ts'
import { approveByCode } from '../../core/access/session-code.ts'
import { operations } from '../../core/api/operations.ts'
import type { Json } from '../../core/intent.ts'
import { endClientSession } from '../../core/login/session.ts'
import type { ClientSessionId } from '../../core/model.ts'
import {
  type AuthorizeParameters,
  beginAuthorize,
  finishAuthorize,
  parseAuthorizeRequest,
  refuseAuthorize,
} from '../../core/oauth/authorize.ts'
import { disownWaiting, refuseWaiting, waitingOptions } from '../../core/tap/waiting.ts'
import type { App, Edge } from '../edge.ts'
import { pageCall } from '../page-call.ts'
import { beginHolder, callerOf, setSession } from '../principal.ts'

export function clientRoutes(app: App, edge: Edge): void {
  const { site, ports, clients } = edge
  const read = (given: AuthorizeParameters) => parseAuthorizeRequest(site, clients, given)
  pageCall(app, edge, operations.authorizeBegin, async (c, { request }) =>
    beginAuthorize(site, ports, callerOf(c), beginHolder(c, ports), read(request)),
  )
  pageCall(app, edge, operations.authorizeFinish, async (c, { request, ...answer }) => {
    const { location, cookie, expiresAt } = await finishAuthorize(site, ports, callerOf(c), read(request), answer)
    setSession(c, cookie, expiresAt, ports.now())
    return { location }
  })
  pageCall(app, edge, operations.authorizeRefuse, async (c, { request }) =>
    refuseAuthorize(site, ports, callerOf(c), read(request)),
  )
  pageCall(app, edge, operations.tapOptions, async (c, { ticket }) => {
    const { options } = await waitingOptions(site, ports, callerOf(c), ticket)
    return { options: options as Json }
  })
  pageCall(app, edge, operations.tapCode, (c, body) => approveByCode(site, ports, callerOf(c), body))
  pageCall(app, edge, operations.tapRefuse, async (c, body) => refuseWaiting(site, ports, callerOf(c), body))
  pageCall(app, edge, operations.tapDisown, async (c, { ticket }) => disownWaiting(ports, callerOf(c), ticket))
  pageCall(app, edge, operations.clientSessionEnd, async (c) => {
    await endClientSession(ports, callerOf(c), c.req.param('id') as ClientSessionId)
    return { location: '/account' }
  })
  pageCall(app, edge, operations.connectionEnd, async (c) => {
    await endOwnSessionAtPage(ports, callerOf(c), c.req.param('id') ?? '')
    return { location: '/account' }
  })
}
