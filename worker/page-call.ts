/** What every call from a page of ours passes before its ceremony begins. */
import type { AnswerOf, AnyOperation, BodyOf } from '../core/api/operation.ts'
import type { Json } from '../core/intent.ts'
import type { Audit } from '../core/ports.ts'
import { Refusal } from '../core/refusal.ts'
import { readJson } from './body.ts'
import type { App, Edge, EdgeContext } from './edge.ts'
import type { FailureLimit } from './limits.ts'
import { route } from './route.ts'

type Work<O> = (c: EdgeContext, body: BodyOf<O>) => Promise<AnswerOf<O>>
type Handler = (c: EdgeContext) => Promise<Response>

/** Words that say a ceremony failed: these count against the address. A name that is taken does not. */
const failures: ReadonlySet<string> = new Set(['refused', 'link_invalid', 'password_locked'])

/**
 * A call that gets a body of the right shape from a page of ours. The exact Origin is the guard against forged requests: a
 * browser sends it with every POST, and no other site can send ours.
 */
export function pageCall<const O extends AnyOperation>(app: App, edge: Edge, operation: O, work: Work<O>): void {
  route(app, operation, handlerOf(edge, operation, work))
}

/**
 * The same for a ceremony that anybody may begin: an address whose ceremonies fail has to wait. Nothing else waits, so that
 * whoever shares an address with a thief can still end the thief's sessions.
 */
export function openPageCall<const O extends AnyOperation>(app: App, edge: Edge, operation: O, work: Work<O>): void {
  const handle = handlerOf(edge, operation, work)
  route(app, operation, (c) => limitingFailures(edge, c, edge.attempts, failures, () => handle(c)))
}

function handlerOf<const O extends AnyOperation>(edge: Edge, operation: O, work: Work<O>): Handler {
  return async (c) => {
    const body = await recordingNoise(edge, c, async () => {
      if (c.req.header('origin') !== edge.site.origin) throw new Refusal('wrong_origin')
      return operation.body?.(await readJson(c, edge.lengthsHold), 'body') as BodyOf<O>
    })
    return c.json((await work(c, body)) as Json)
  }
}

/** An address (or what else `whose` names) has to wait when too many of its attempts ended in one of these words. */
export async function limitingFailures<T>(
  edge: Edge,
  c: EdgeContext,
  limit: FailureLimit,
  words: ReadonlySet<string>,
  work: () => Promise<T>,
  whose = c.get('asking').from.address,
): Promise<T> {
  requireTurn(c, limit, whose)
  try {
    return await work()
  } catch (error) {
    if (error instanceof Refusal && words.has(error.word)) await count(edge, c, limit, whose)
    throw error
  }
}

/** The same for what each address may do so often and no more, whether it succeeds or not. */
export async function limitingAll<T>(
  edge: Edge,
  c: EdgeContext,
  limit: FailureLimit,
  work: () => Promise<T>,
): Promise<T> {
  const { address } = c.get('asking').from
  requireTurn(c, limit, address)
  await count(edge, c, limit, address)
  return work()
}

function requireTurn(c: EdgeContext, limit: FailureLimit, whose: string): void {
  const wait = limit.retryAfter(whose)
  if (wait === undefined) return
  c.header('Retry-After', String(Math.ceil(wait / 1000)))
  throw new Refusal('too_many_attempts')
}

/** A limit that cannot count must not hide what was refused. */
async function count(edge: Edge, c: EdgeContext, limit: FailureLimit, whose: string): Promise<void> {
  const { requestId } = c.get('asking')
  try {
    await limit.failed(whose)
  } catch (error) {
    edge.log({ level: 'error', message: `Cannot count: ${(error as Error).message}`, request_id: requestId })
  }
}

/** Requests that never became a ceremony are written down too. */
export async function recordingNoise<T>(edge: Edge, c: EdgeContext, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Refusal) {
      const { code } = error
      const detail = { ...error.detail, path: c.req.path }
      const event = { at: edge.ports.now(), kind: 'request', outcome: 'refused', asking: c.get('asking') } as const
      await edge.ports.audit.record({ ...event, code, detail })
    }
    throw error
  }
}

/**
 * Refusals are written down only so many times a minute for an address: anybody can cause them, and any page can make a
 * browser cause them. Beyond that they stand in the log alone. What succeeds is written in its own batch, always.
 */
export function boundedAudit(audit: Audit, { noise }: Pick<Edge, 'noise'>): Audit {
  return {
    ...audit,
    record: async (event) => {
      const { address } = event.asking.from
      if (noise.retryAfter(address) !== undefined) return
      await noise.failed(address)
      await audit.record(event)
    },
  }
}
