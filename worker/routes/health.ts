import { operations } from '../../core/api/operations.ts'
import type { App, Edge } from '../edge.ts'
import { route } from '../route.ts'

/** For machines that watch. `/healthz`: this process answers. `/readyz`: its database does too, and is this cluster's. */
export function healthRoutes(app: App, edge: Edge): void {
  route(app, operations.health, async (c) => c.json({ status: 'ok' }))
  route(app, operations.readiness, async (c) => {
    await edge.ready()
    await edge.ports.administrator.state()
    return c.json({ status: 'ok' })
  })
}
