import { Hono } from 'hono'
import type { Edge, Variables } from '../edge.ts'

/** For machines that watch. `/healthz`: this process answers. `/readyz`: its database does too, and is this cluster's. */
export const healthRoutes = (edge: Edge) =>
  new Hono<{ Variables: Variables }>()
    .get('/healthz', (c) => c.json({ status: 'ok' }))
    .get('/readyz', async (c) => {
      await edge.ready()
      await edge.ports.administrator.state()
      return c.json({ status: 'ok' })
    })
