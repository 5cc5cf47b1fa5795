/** One call of the edge's HTTP interface. The router, /openapi.json and the CLI's client are all made from these. */
import type { Shape } from './shape.ts'

/**
 * Who may call: a page of ours (exact Origin, with this browser's cookies), whoever holds an access token and its DPoP key
 * (RFC 9449), a registered proxy (core/proxy-proof.ts), or anybody.
 */
export type Auth = 'page' | 'dpop' | 'proxy' | 'none'

/**
 * What a caller with an access token needs besides: a role; and for what changes something a proof that the person is there:
 * `tap` signs exactly this request; `tap-or-recent` is the same where the preference wants a tap of each administrative action, else
 * a login at most five minutes old (RFC 9470). Each of these wants a login by a browser on the caller's own machine, as `browser`
 * alone does: one by the device flow (RFC 8628) reaches resources only.
 */
export interface Needs {
  readonly role?: 'editor' | 'auditor'
  readonly presence?: 'tap' | 'tap-or-recent'
  readonly browser?: true
}

export interface Operation<Body, Query, Answer> {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** As OpenAPI writes it: `/v1/users/{name}`. */
  readonly path: string
  readonly summary: string
  readonly auth: Auth
  readonly needs?: Needs
  /** JSON, or where `form` is set application/x-www-form-urlencoded (RFC 6749). */
  readonly body?: Shape<Body>
  readonly form?: boolean
  readonly query?: Shape<Query>
  /** What a success answers. undefined: a page for people, or a redirect. */
  readonly answer?: Shape<Answer>
}

export type AnyOperation = Operation<unknown, unknown, unknown>
export type BodyOf<O> = O extends { readonly body: Shape<infer B> } ? B : undefined
export type QueryOf<O> = O extends { readonly query: Shape<infer Q> } ? Q : undefined
export type AnswerOf<O> = O extends { readonly answer: Shape<infer A> } ? A : undefined
