import { operations } from '../../core/api/operations.ts'
import { endSession } from '../../core/login/session.ts'
import type { SessionId } from '../../core/model.ts'
import { Refusal } from '../../core/refusal.ts'
import type { App, Edge } from '../edge.ts'
import { pageCall } from '../page-call.ts'
import { callerOf, clearSession } from '../principal.ts'

export function sessionRoutes(app: App, edge: Edge): void {
  const { ports } = edge
  pageCall(app, edge, operations.logout, async (c) => {
    const caller = callerOf(c)
    // A session that has ended meanwhile is what was wanted.
    if (caller.claim) await endSession(ports, caller, caller.claim.id).catch(unlessMissing)
    clearSession(c)
    return { location: '/' }
  })
  pageCall(app, edge, operations.sessionEnd, async (c) => {
    const caller = callerOf(c)
    const id = c.req.param('id') as SessionId
    await endSession(ports, caller, id)
    if (id === caller.claim?.id) clearSession(c)
    return { location: id === caller.claim?.id ? '/' : '/account' }
  })
}

function unlessMissing(error: unknown): void {
  if (!(error instanceof Refusal && error.code === 'session_missing')) throw error
}
