/** What every call of a proxy passes before its work begins: a proof of a registered key for this request and this body. */
import { authenticateProxy } from '../core/access/cluster-snapshot.ts'
import type { AnswerOf, AnyOperation, BodyOf } from '../core/api/operation.ts'
import type { Json } from '../core/intent.ts'
import { textOf } from '../core/lib/bytes.ts'
import type { ProxyRecord } from '../core/proxy-ports.ts'
import { Refusal } from '../core/refusal.ts'
import { readBody } from './body.ts'
import type { App, Edge, EdgeContext } from './edge.ts'
import { limitingFailures, recordingNoise } from './page-call.ts'
import { route } from './route.ts'

export interface ProxyCall<O> {
  readonly c: EdgeContext
  readonly proxy: ProxyRecord
  readonly body: BodyOf<O>
}

const failures: ReadonlySet<string> = new Set(['proxy_unproven'])

export function proxyCall<const O extends AnyOperation>(
  app: App,
  edge: Edge,
  operation: O,
  work: (call: ProxyCall<O>) => Promise<AnswerOf<O>>,
): void {
  const { site, ports } = edge
  route(app, operation, (c) =>
    limitingFailures(edge, c, edge.programs, failures, async () => {
      const { proxy, body } = await recordingNoise(edge, c, async () => {
        const bytes = await readBody(c, edge.lengthsHold)
        const asked = { method: c.req.method, url: site.origin + c.req.path, body: bytes }
        const known = await authenticateProxy(ports, c.req.header('sallyport-proxy'), asked)
        return { proxy: known, body: operation.body?.(jsonOf(bytes), 'body') as BodyOf<O> }
      })
      return c.json((await work({ c, proxy, body })) as Json)
    }),
  )
}

function jsonOf(bytes: Uint8Array): Json {
  try {
    return JSON.parse(textOf(bytes) ?? '') as Json
  } catch (cause) {
    throw new Refusal('bad_request', { why: 'no JSON' }, { cause })
  }
}
