/** How a request ends that does not succeed: JSON for programs, a page for people; the reason only in log and audit. */
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Refusal } from '../core/refusal.ts'
import type { Edge, EdgeContext } from './edge.ts'
import { problemPage } from './pages/problem.ts'

export function answerRefusal(edge: Edge, c: EdgeContext, refusal: Refusal): Response | Promise<Response> {
  c.set('code', refusal.code)
  return answer(edge, c, refusal.status, refusal.word, refusal.remedy)
}

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

function answer(edge: Edge, c: EdgeContext, status: number, word: string, remedy: string) {
  const { requestId } = c.get('asking')
  if (c.req.path.startsWith('/v1/') || !(c.req.header('accept') ?? '').includes('text/html')) {
    return c.json({ error: word, message: remedy, request_id: requestId }, status as ContentfulStatusCode)
  }
  const title = titles[status] ?? 'That did not work'
  const { cluster } = edge.site
  return c.html(
    problemPage(edge.assets, { cluster, status, title, message: '', remedy, requestId }),
    status as ContentfulStatusCode,
  )
}
