/** The edge on Cloudflare Workers: D1, KV, static assets, rate limiting and a schedule, as wrangler.toml binds them. */
import type { Context } from 'hono'
import { deriveKeys } from '../core/keys.ts'
import type { Instant } from '../core/model.ts'

import { builtInClients } from '../core/oauth/clients.ts'
import type { Ports } from '../core/ports.ts'
import type { Variables } from '../core/settings.ts'
import { SetupProblem } from '../core/setup-problem.ts'
import { type ClusterClaim, claimCluster, type Ownership, purge } from '../storage/cluster.ts'
import { type D1, openD1 } from '../storage/d1.ts'
import type { Kv } from '../storage/kv.ts'
import type { Store } from '../storage/store.ts'
import { makeApp } from './app.ts'
import { assetUrl } from './asset-names.ts'
import type { AssetStore, Edge, LogLine } from './edge.ts'
import { readKey, readSite } from './env.ts'
import { bindingLimit, memoryLimit, type RateLimitBinding } from './limits.ts'
import { makePorts } from './ports.ts'
import { pooled } from './random.ts'
import { readiness } from './readiness.ts'

interface Bindings extends Variables {
  readonly DB: D1
  readonly KV: Kv
  readonly ASSETS: { fetch(request: Request | URL): Promise<Response> }
  readonly ATTEMPTS: RateLimitBinding
}

/** Audit rows about refusals, for an address. */
const noiseAMinute = 30
const now = (): Instant => Date.now()
const random = pooled((length) => crypto.getRandomValues(new Uint8Array(length)))

/** Workers Logs reads what is printed. */
const log = ({ level, ...line }: LogLine) =>
  console[level](JSON.stringify({ at: new Date().toISOString(), level, ...line }))

function makeEdge(env: Bindings): Edge {
  const secret = readKey(env)
  if (!secret) throw new SetupProblem('SALLYPORT_KEY is not set', 'npx wrangler secret put SALLYPORT_KEY')
  const site = readSite(env)
  const keys = deriveKeys(secret)
  const store = openD1(env.DB)
  const ports = makePorts({ now, random, keys, store, kv: env.KV })
  return {
    site,
    ports,
    clients: builtInClients,
    assets: assetsOf(env, site.origin),
    attempts: bindingLimit(env.ATTEMPTS, now),
    programs: bindingLimit(env.ATTEMPTS, now, 'program '),
    deviceCodes: bindingLimit(env.ATTEMPTS, now, 'device code '),
    userCodes: bindingLimit(env.ATTEMPTS, now, 'user code '),
    noise: memoryLimit(noiseAMinute, now),
    log,
    lengthsHold: false,
    whereOf,
    ready: readiness(() => begin(ports, store, { name: site.cluster, keyCheck: keys.check }), log),
  }
}

/** Both at once: so the first login of an isolate waits for no preference. */
async function begin({ preferences }: Ports, store: Store, claim: ClusterClaim): Promise<Ownership> {
  const [ownership] = await Promise.all([claimCluster(store, claim, now()), preferences.newest()])
  return ownership
}

function assetsOf(env: Bindings, origin: string): AssetStore {
  return {
    url: assetUrl,
    fetch: async (path) => {
      const found = await env.ASSETS.fetch(new URL(path, origin))
      return found.ok ? found : undefined
    },
  }
}

/** Cloudflare sets CF-Connecting-IP itself and drops a client's own. */
function whereOf(c: Context) {
  const { city, country } = (c.req.raw as Request & { cf?: { city?: string; country?: string } }).cf ?? {}
  const place = [city, country].filter((part) => part !== undefined).join(', ')
  return { address: c.req.header('cf-connecting-ip') ?? 'unknown', place }
}

/** One app an isolate. A setting that is wrong is told at each request until it is mended. */
let app: ReturnType<typeof makeApp> | undefined

export default {
  async fetch(request: Request, env: Bindings): Promise<Response> {
    try {
      app ??= makeApp(makeEdge(env))
      return await app.fetch(request)
    } catch (error) {
      const hint = error instanceof SetupProblem ? error.hint : ''
      log({ level: 'error', message: `Cannot start: ${(error as Error).message}`, hint })
      return Response.json(
        { error: 'unavailable', message: 'The operator finds the reason in the log.' },
        { status: 503 },
      )
    }
  },
  async scheduled(_: unknown, env: Bindings): Promise<void> {
    await purge(openD1(env.DB), now())
  },
}
