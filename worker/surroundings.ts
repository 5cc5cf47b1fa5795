/** What surrounds every request: its id, its log line, the headers of its answer. */
import type { Context, MiddlewareHandler } from 'hono'
import { operations } from '../core/api/operations.ts'
import { base64url } from '../core/lib/bytes.ts'
import type { Site } from '../core/model.ts'
import { browserName } from './browser-name.ts'
import type { Edge, Variables } from './edge.ts'

type Middleware = MiddlewareHandler<{ Variables: Variables }>

export function observe({ ports, whereOf, log }: Edge): Middleware {
  return async (c, next) => {
    const startedAt = ports.now()
    const requestId = base64url(ports.random(12))
    const from = { ...whereOf(c), browser: browserName(c.req.header('user-agent')) }
    c.set('asking', { requestId, from })
    c.header('X-Request-Id', requestId)
    await next()
    const { status } = c.res
    if (status < 400 && askedAllDay.has(c.req.path)) return
    log({
      level: status >= 500 ? 'error' : 'info',
      message: 'request',
      request_id: requestId,
      method: c.req.method,
      path: c.req.path,
      status,
      code: c.get('code'),
      address: from.address,
      ms: ports.now() - startedAt,
    })
  }
}

/** A proxy asks every two seconds, and a balancer looks as often: a line each would hide the others. What fails is told. */
const { proxySnapshot, health, readiness } = operations
const askedAllDay: ReadonlySet<string> = new Set([proxySnapshot, health, readiness].map(({ path }) => path))

/** No script, style or frame from anywhere else, and none inline: what is in a page is what we shipped. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const headers: Readonly<Record<string, string>> = {
  'Content-Security-Policy': contentSecurityPolicy,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy':
    'publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), microphone=(), geolocation=()',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
}
const twoYears = 63_072_000

export function secure(site: Site): Middleware {
  const all = Object.entries(headers)
  if (site.origin.startsWith('https:'))
    all.push(['Strict-Transport-Security', `max-age=${twoYears}; includeSubDomains`])
  // Set before the handler runs, for whatever it answers or throws. So no handler may answer with a Response of its own:
  // that would drop them. (Setting them afterwards makes a whole Headers of every answer, which is slow on Node.)
  return async (c, next) => {
    for (const [name, value] of all) c.header(name, value)
    c.header('Cache-Control', 'no-store')
    await next()
  }
}

/** Exactly the public host: a name that somebody else's DNS points here must not become an origin of ours. */
export function isOurHost(site: Site, c: Context): boolean {
  const host = c.req.header('host') ?? new URL(c.req.url).host
  if (`//${host}` === site.origin.slice(site.origin.indexOf('//'))) return true
  const here = new URL(site.origin)
  // Parsed, because a client may spell out the port that its scheme has anyway.
  const there = `${here.protocol}//${host}`
  return URL.canParse(there) && new URL(there).host === here.host
}
