/**
 * Administrative requests that a tap approves: what the person reads, and the intent of exactly this request. The edge makes it
 * when the tap is asked for, and again from the request that it receives.
 */
import type { BodyOf } from '../api/operation.ts'
import { operations } from '../api/operations.ts'
import { type AdminSubject, canonicalJson, type Json } from '../intent.ts'
import { base64url } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'
import { parseName } from '../login/name.ts'

type Tapped = {
  [O in keyof typeof operations]: (typeof operations)[O] extends { readonly needs: { readonly presence: 'tap' } }
    ? O
    : never
}[keyof typeof operations]

interface Action<Body> {
  /** One line, the largest words of the page. @throws Refusal where the request could never succeed */
  readonly summary: (body: Body) => string
  /** What must not have changed between the tap and the request. */
  readonly revision: (body: Body) => string
}

/** An operation that wants a tap and is missing here does not compile. */
export const actions: { readonly [O in Tapped]: Action<BodyOf<(typeof operations)[O]>> } = {
  userAdd: {
    summary: ({ name, roles }) => `Invite ${parseName(name)} with ${rolesInWords(roles)}`,
    revision: () => 'new',
  },
}

export type ActionName = keyof typeof actions

export const isAction = (name: string): name is ActionName => Object.hasOwn(actions, name)

function rolesInWords(roles: readonly string[]): string {
  if (roles.length === 0) return 'no role'
  return `${roles.length === 1 ? 'the role' : 'the roles'} ${roles.join(', ')}`
}

/** `body`: the request's body as it came. */
export const bodyHash = (body: Json): string => base64url(sha256(canonicalJson(body)))

export function subjectOf(name: ActionName, body: Json, address: string): AdminSubject {
  const { method, path, body: shape } = operations[name]
  const read = shape(body, 'body')
  const action = actions[name]
  return {
    method,
    path,
    body_hash: bodyHash(body),
    revision: action.revision(read),
    summary: action.summary(read),
    address,
  }
}
