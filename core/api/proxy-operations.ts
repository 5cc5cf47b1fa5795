/** What registered proxies call, each request with a proof of the proxy's key. */
import { kindsOfResources } from '../access/resource.ts'
import type { AnyOperation } from './operation.ts'
import { anything, list, object, oneOf, optional, text, whole } from './shape.ts'

const id = text(128)

/** One session, as the proxy saw it. `id` is the proxy's own and new for each event: told twice, it is written once. */
export const proxyEvent = object({
  id,
  /** Milliseconds since 1970. */
  at: whole,
  /** `proxy.start`: of whatever was open before nothing is. */
  kind: oneOf(['proxy.start', 'session.start', 'session.refuse', 'session.stop']),
  /** The grant's id, which is the tapped intent's where there was a tap; of one of a set with its resource and use behind. */
  session: optional(id),
  /** Which process of the proxy. */
  boot: optional(id),
  user: optional(id),
  resource: optional(text(64)),
  resource_kind: optional(oneOf(kindsOfResources)),
  /** As whom, in words. */
  principal: optional(text(4096)),
  /** The name of the user with whose rights. */
  impersonated: optional(text(256)),
  address: text(64),
  /** Of a refusal: its code. */
  code: optional(text(64)),
  detail: optional(anything),
})

export const proxyOperations = {
  proxyAdd: {
    method: 'POST',
    path: '/v1/proxies',
    summary: 'Register a proxy, proven by SALLYPORT_KEY',
    auth: 'none',
    body: object({ name: text(64), x: text(64), id: text(64), iat: whole, proof: text(64) }),
    /** `keys`: the edge's signing keys, for the proxy's own file. */
    answer: object({ id: text(64), keys: list(text(64), 16) }),
  },
  proxySnapshot: {
    method: 'POST',
    path: '/v1/proxy/snapshot',
    summary: 'What proxies must know, stated for this nonce (core/snapshot.ts)',
    auth: 'proxy',
    /** `have`: the hash of the snapshot that the proxy has. `logins`: those whose end would end sessions that are open there. */
    body: object({ nonce: text(64), have: optional(text(64)), logins: optional(list(text(64), 5120)) }),
    /** Long where thousands of those logins were ended. */
    answer: object({ statement: text(256 * 1024), snapshot: optional(anything) }),
  },
  proxyEvents: {
    method: 'POST',
    path: '/v1/proxy/events',
    summary: 'What happened to sessions; told again until it is acknowledged',
    auth: 'proxy',
    body: object({ events: list(proxyEvent, 100) }),
    answer: object({ accepted: whole }),
  },
} as const satisfies Record<string, AnyOperation>
