import { Hono } from 'hono'
import { endSession } from '../../core/login/session.ts'
import type { SessionId } from '../../core/model.ts'
import { Refusal } from '../../core/refusal.ts'
import { object } from '../body.ts'
import type { Edge, Variables } from '../edge.ts'
import { post } from '../post.ts'
import { callerOf, clearSession } from '../principal.ts'

export const sessionRoutes = (edge: Edge) => {
  const { ports } = edge
  return new Hono<{ Variables: Variables }>()
    .post(
      '/logout',
      post(edge, object({}), async (c) => {
        const caller = callerOf(c)
        // A session that has ended meanwhile is what was wanted.
        if (caller.claim) await endSession(ports, caller, caller.claim.id).catch(unlessMissing)
        clearSession(c)
        return { location: '/' }
      }),
    )
    .post(
      '/sessions/:id/end',
      post(edge, object({}), async (c) => {
        const caller = callerOf(c)
        const id = c.req.param('id') as SessionId
        await endSession(ports, caller, id)
        if (id === caller.claim?.id) clearSession(c)
        return { location: id === caller.claim?.id ? '/' : '/account' }
      }),
    )
}

function unlessMissing(error: unknown): void {
  if (!(error instanceof Refusal && error.code === 'session_missing')) throw error
}
