/** What our own pages ask of the administration: requests that programs make too, each with a tap of its own. */
import type { AnyOperation } from './operation.ts'
import { anything, object, oneOf } from './shape.ts'
import { oneTimeLink } from './token-operations.ts'
import { assertion, ticket } from './webauthn.ts'

/** Operations with a token that a page may ask for in the place of a program. */
export const pageActions = ['userAdd', 'userReset'] as const
export type PageAction = (typeof pageActions)[number]

const request = { operation: oneOf(pageActions), body: anything }

export const actionOperations = {
  actionBegin: {
    method: 'POST',
    path: '/v1/actions/begin',
    summary: 'Begin an administrative request of a page: the intent of exactly this request; writes nothing',
    auth: 'page',
    body: object(request),
    answer: object({ ticket, options: anything }),
  },
  action: {
    method: 'POST',
    path: '/v1/actions',
    summary: 'Make it, with its tap',
    auth: 'page',
    body: object({ ...request, ticket, assertion }),
    answer: oneTimeLink,
  },
} as const satisfies Record<string, AnyOperation>
