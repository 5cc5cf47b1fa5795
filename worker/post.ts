/** What every POST of the API passes before its ceremony begins. */
import type { Json } from '../core/intent.ts'
import { Refusal } from '../core/refusal.ts'
import { readJson, type Shape } from './body.ts'
import type { Edge, EdgeContext } from './edge.ts'

/** Words that say a ceremony failed: these count against the address. A name that is taken does not. */
const failures: ReadonlySet<string> = new Set(['refused', 'link_invalid'])

/**
 * A handler that gets a body of the right shape from a page of ours, and whose failures are counted. The exact Origin is
 * the guard against forged requests: a browser sends it with every POST, and no other site can send ours.
 */
export const post =
  <T>(edge: Edge, shape: Shape<T>, work: (c: EdgeContext, body: T) => Promise<Json>) =>
  async (c: EdgeContext): Promise<Response> => {
    const { address } = c.get('asking').from
    const wait = edge.attempts.retryAfter(address)
    if (wait !== undefined) {
      c.header('Retry-After', String(Math.ceil(wait / 1000)))
      throw new Refusal('too_many_attempts')
    }
    const body = await recordingNoise(edge, c, async () => {
      if (c.req.header('origin') !== edge.site.origin) throw new Refusal('wrong_origin')
      return shape(await readJson(c, edge.lengthsHold), 'body')
    })
    try {
      return c.json(await work(c, body))
    } catch (error) {
      if (error instanceof Refusal && failures.has(error.word)) await edge.attempts.failed(address)
      throw error
    }
  }

/** Requests that never became a ceremony get an audit row too, but only so many: any page can make a browser send them. */
async function recordingNoise<T>(edge: Edge, c: EdgeContext, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const asking = c.get('asking')
    const { address } = asking.from
    if (error instanceof Refusal && edge.noise.retryAfter(address) === undefined) {
      await edge.noise.failed(address)
      const { code } = error
      const detail = { ...error.detail, path: c.req.path }
      await edge.ports.audit.record({ at: edge.ports.now(), kind: 'request', outcome: 'refused', asking, code, detail })
    }
    throw error
  }
}
