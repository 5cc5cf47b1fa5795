/** The edge's HTTP: one Hono app, the same on every runtime. */
import { Hono } from 'hono'
import { Refusal } from '../core/refusal.ts'
import type { App, Edge, EdgeContext, Variables } from './edge.ts'
import { boundedAudit } from './page-call.ts'
import { answerProblem, answerRefusal } from './problems.ts'
import { administrationRoutes } from './routes/administration.ts'
import { administratorRoutes, recoveryRoutes } from './routes/administrator.ts'
import { clientRoutes } from './routes/clients.ts'
import { deviceRoutes } from './routes/device.ts'
import { factorRoutes } from './routes/factors.ts'
import { healthRoutes } from './routes/health.ts'
import { inviteRoutes } from './routes/invites.ts'
import { loginRoutes } from './routes/login.ts'
import { oauthRoutes } from './routes/oauth.ts'
import { pageRoutes } from './routes/pages.ts'
import { passkeyRoutes } from './routes/passkeys.ts'
import { proxyRoutes } from './routes/proxies.ts'
import { relatedOriginRoutes } from './routes/related-origins.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { userPageRoutes } from './routes/users.ts'
import { whyRoutes } from './routes/why.ts'
import { isOurHost, observe, secure } from './surroundings.ts'

export function makeApp(given: Edge): App {
  const edge = { ...given, ports: { ...given.ports, audit: boundedAudit(given.ports.audit, given) } }
  const app = new Hono<{ Variables: Variables }>()
  app.use(observe(edge))
  app.use(secure(edge.site))
  app.onError((error, c) => (error instanceof Refusal ? answerRefusal(edge, c, error) : answerProblem(edge, c, error)))
  app.notFound((c) => answerRefusal(edge, c, new Refusal('not_found')))

  healthRoutes(app, edge)
  relatedOriginRoutes(app, edge)
  app.use(async (c, next) => {
    if (!isOurHost(edge.site, c)) return elsewhere(edge, c)
    return next()
  })
  app.get('/assets/*', async (c) => {
    const asset = await edge.assets.fetch(c.req.path)
    if (!asset) return c.notFound()
    const type = asset.headers.get('Content-Type') ?? 'application/octet-stream'
    // The name holds the hash of the content.
    return c.body(await asset.arrayBuffer(), 200, {
      'Content-Type': type,
      'Cache-Control': 'public, max-age=31536000, immutable',
    })
  })
  app.use(async (_, next) => {
    await edge.ready()
    await next()
  })
  app.route('/', pageRoutes(edge))
  loginRoutes(app, edge)
  administratorRoutes(app, edge)
  recoveryRoutes(app, edge)
  passkeyRoutes(app, edge)
  factorRoutes(app, edge)
  sessionRoutes(app, edge)
  inviteRoutes(app, edge)
  clientRoutes(app, edge)
  deviceRoutes(app, edge)
  userPageRoutes(app, edge)
  oauthRoutes(app, edge)
  administrationRoutes(app, edge)
  proxyRoutes(app, edge)
  whyRoutes(app, edge)
  return app
}

/** A page asked for under another name or address of this machine is shown at the public one: passkeys work only there. */
function elsewhere(edge: Edge, c: EdgeContext): Response {
  if (c.req.method !== 'GET' && c.req.method !== 'HEAD') throw new Refusal('wrong_host')
  const { pathname, search } = new URL(c.req.url)
  return c.redirect(`${edge.site.origin}${pathname.replace(/^\/+/, '/')}${search}`, 307)
}
