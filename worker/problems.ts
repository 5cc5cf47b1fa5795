/** How a request ends that does not succeed: JSON for programs, a page for people; the reason only in log and audit. */
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { ClientSessionEnd } from '../core/model.ts'
import { endedBecause } from '../core/oauth/token.ts'
import type { Refusal } from '../core/refusal.ts'
import type { Edge, EdgeContext } from './edge.ts'
import { problemPage } from './pages/problem.ts'
import { challengeOf } from './routes/oauth.ts'

export function answerRefusal(edge: Edge, c: EdgeContext, refusal: Refusal): Response | Promise<Response> {
  c.set('code', refusal.code)
  const status = statusAt(c, refusal)
  const challenge = isAtOAuth(c) ? undefined : challengeOf(refusal)
  if (challenge !== undefined) c.header('WWW-Authenticate', challenge)
  return answer(edge, c, status, refusal.word, wordsOf(refusal), namingOf(refusal))
}

/** At the token endpoint a proof that is wrong is a wrong request (RFC 9449 section 5), elsewhere a missing right (section 7.1). */
const statusAt = (c: EdgeContext, { status }: Refusal): number => (status === 401 && isAtOAuth(c) ? 400 : status)

const isAtOAuth = (c: EdgeContext): boolean => c.req.path.startsWith('/oauth/')

function wordsOf(refusal: Refusal): string {
  const { reason } = refusal.detail
  const because = refusal.code === 'client_session_ended' ? endedBecause[reason as ClientSessionEnd] : undefined
  return because === undefined ? refusal.words : `${because} ${refusal.remedy}`
}

/** How whoever asks for the tap that is missing names this very request. */
const namingOf = ({ code, detail }: Refusal) => (code === 'tap_missing' ? { operation: detail['operation'] } : {})

/** Anything that is no Refusal is our mistake. */
export function answerProblem(edge: Edge, c: EdgeContext, error: Error): Response | Promise<Response> {
  const { requestId } = c.get('asking')
  edge.log({
    level: 'error',
    message: error.message,
    request_id: requestId,
    stack: error.stack ?? '',
    cause: causeOf(error),
  })
  return answer(edge, c, 500, 'internal', 'Try again in a moment; if it goes on, give the operator the request id.')
}

const causeOf = ({ cause }: Error): string => (cause instanceof Error ? cause.message : '')

const titles: Readonly<Record<number, string>> = {
  404: 'Nothing here',
  421: 'Another address',
  500: 'Something went wrong',
  503: 'Not ready',
}

function answer(edge: Edge, c: EdgeContext, status: number, word: string, remedy: string, more: object = {}) {
  const { requestId } = c.get('asking')
  if (
    /^\/(v1|oauth\/(token|device_authorization|revoke|jwks))(\/|$)/.test(c.req.path) ||
    !(c.req.header('accept') ?? '').includes('text/html')
  ) {
    const forOAuth = c.req.path.startsWith('/oauth/') && { error_description: remedy }
    const told = { error: word, message: remedy, request_id: requestId, ...more, ...forOAuth }
    return c.json(told, status as ContentfulStatusCode)
  }
  const title = titles[status] ?? 'That did not work'
  const { cluster } = edge.site
  return c.html(
    problemPage(edge.assets, { cluster, status, title, message: '', remedy, requestId }),
    status as ContentfulStatusCode,
  )
}
