/** Everything that the edge answers besides pages and assets. What is not in these tables is not there. */
import { actionOperations } from './action-operations.ts'
import { factorOperations } from './factor-operations.ts'
import { oauthOperations } from './oauth-operations.ts'
import type { AnyOperation } from './operation.ts'
import { loginOperations, passkeyOperations, tapOperations } from './page-operations.ts'
import { proxyOperations } from './proxy-operations.ts'
import { anything, list, object, text } from './shape.ts'
import { tokenOperations } from './token-operations.ts'

const status = object({ status: text(16) })
const machines = {
  openapi: { method: 'GET', path: '/openapi.json', summary: 'This description', auth: 'none', answer: anything },
  relatedOrigins: {
    method: 'GET',
    path: '/.well-known/webauthn',
    summary: 'Origins that may use this cluster’s relying party (WebAuthn Level 3 section 5.11)',
    auth: 'none',
    answer: object({ origins: list(text(2048), 16) }),
  },
  health: {
    method: 'GET',
    path: '/healthz',
    summary: 'This process answers',
    auth: 'none',
    answer: status,
  },
  readiness: {
    method: 'GET',
    path: '/readyz',
    summary: 'Its database does too, and is this cluster’s',
    auth: 'none',
    answer: status,
  },
} as const satisfies Record<string, AnyOperation>

export const operations = {
  ...loginOperations,
  ...passkeyOperations,
  ...factorOperations,
  ...tapOperations,
  ...actionOperations,
  ...oauthOperations,
  ...tokenOperations,
  ...proxyOperations,
  ...machines,
}
export type Operations = typeof operations
export type OperationName = keyof Operations
