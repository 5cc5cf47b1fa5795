/** What every call with an access token passes before its work begins: token, proof, session, role, age of the login. */
import type { Request } from '../core/access/approved.ts'
import { authenticate, type Principal, requireNeeds, requireTapped, tokenIn } from '../core/access/principal.ts'
import type { AnswerOf, AnyOperation, BodyOf, QueryOf } from '../core/api/operation.ts'
import type { Json } from '../core/intent.ts'
import { nonceAt } from '../core/oauth/nonce.ts'
import { parseSentTap, type SentTap, tapHeader } from '../core/tap/sent.ts'
import { readJson } from './body.ts'
import type { App, Edge, EdgeContext } from './edge.ts'
import { limitingFailures, recordingNoise } from './page-call.ts'
import { route } from './route.ts'

export interface Call<O> {
  readonly c: EdgeContext
  readonly principal: Principal
  readonly body: BodyOf<O>
  readonly query: QueryOf<O>
  /** What a tap of it signs, and the tap that came with it. */
  readonly request: Request
}

type Work<O> = (call: Call<O>) => Promise<AnswerOf<O>>

/** Words that say that somebody tries tokens: these count against the address. A nonce that is due or a clock does not. */
const failures: ReadonlySet<string> = new Set(['invalid_token', 'refused'])

export function tokenCall<const O extends AnyOperation>(app: App, edge: Edge, operation: O, work: Work<O>): void {
  const { site, ports } = edge
  route(app, operation, (c) =>
    limitingFailures(edge, c, edge.programs, failures, async () => {
      giveNonce(edge, c)
      const { principal, json } = await recordingNoise(edge, c, async () => {
        const asked = { method: c.req.method, url: site.origin + c.req.path, asking: c.get('asking') }
        const headers = { accessToken: tokenIn(c.req.header('authorization')), proof: c.req.header('dpop') }
        const entered = await authenticate(site, ports, { ...asked, ...headers })
        requireNeeds(entered, operation.needs)
        if (c.req.header(tapHeader) === undefined) requireTapped(entered, operation.needs)
        return { principal: entered, json: operation.body ? await readJson(c, edge.lengthsHold) : null }
      })
      const body = operation.body?.(json, 'body') as BodyOf<O>
      const query = operation.query?.(c.req.query() as Json, 'query') as QueryOf<O>
      const request = { parameters: c.req.param(), query: query ?? {}, json, sent: sentTap(c, operation) }
      return c.json((await work({ c, principal, body, query, request })) as Json)
    }),
  )
}

/** The tap that a request brings, where it may want one: a ceremony of its own (`browser`) too. @throws Refusal bad_request */
const sentTap = (c: EdgeContext, { needs }: AnyOperation): SentTap | undefined =>
  needs?.presence === undefined && !needs?.browser ? undefined : parseSentTap(c.req.header(tapHeader))

/** RFC 9449 section 8.2: with every answer, so that a client has the next one before it is asked for. */
export function giveNonce({ ports }: Edge, c: EdgeContext): void {
  c.header('DPoP-Nonce', nonceAt(ports.keys.nonce, ports.now()))
}
