import { operations } from '../../core/api/operations.ts'
import type { Json } from '../../core/intent.ts'
import { beginInvite, checkInvite, finishInvite } from '../../core/login/invite.ts'
import type { App, Edge } from '../edge.ts'
import { openPageCall } from '../page-call.ts'
import { beginHolder, callerOf, setSession } from '../principal.ts'

export function inviteRoutes(app: App, edge: Edge): void {
  const { site, ports } = edge
  openPageCall(app, edge, operations.inviteCheck, async (c, { invite }) => {
    const open = await checkInvite(ports, c.get('asking'), invite)
    const { kind, user, roles, invitedBy, createdAt, expiresAt, key } = open
    const [made_at, expires_at] = [Math.floor(createdAt / 1000), Math.floor(expiresAt / 1000)]
    return { kind, name: user.name, roles, invited_by: invitedBy, made_at, expires_at, key }
  })
  openPageCall(app, edge, operations.inviteBegin, async (c, { invite }) => {
    const begun = await beginInvite(site, ports, c.get('asking'), beginHolder(c, ports), invite)
    return { ...begun, approved: begun.approved as unknown as Json }
  })
  openPageCall(app, edge, operations.inviteFinish, async (c, body) => {
    const { cookie, expiresAt } = await finishInvite(site, ports, callerOf(c), body)
    setSession(c, cookie, expiresAt, ports.now())
    return { location: '/account' }
  })
}
