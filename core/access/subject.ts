/** What a tap of an administrative request signs, made from the request itself: by whoever asks for the tap, and again when it comes. */
import type { AnyOperation } from '../api/operation.ts'
import { operations } from '../api/operations.ts'
import { type AdminSubject, canonicalJson, type Json, type TapKey } from '../intent.ts'
import { base64url } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'
import { Refusal } from '../refusal.ts'

/** A request as it came. `query`: what of it was read, so what of it has an effect. */
export interface Received {
  readonly parameters: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
  /** null where the operation has no body. */
  readonly json: Json
}

/** What an action says of itself to whoever is to tap it. */
export interface Foreseen {
  /** One line, the largest words of the page. */
  readonly summary: string
  /** What must not have changed between the tap and the request; the batch of the effect confirms it. */
  readonly revision: string
  /** The difference that it makes, in lines; empty where there is none. */
  readonly changes: string
  readonly key: TapKey
}

/** `body`: the request's body as it came. @throws Refusal bad_request: JSON may hold text that has no canonical form */
export function bodyHash(body: Json): string {
  try {
    return base64url(sha256(canonicalJson(body)))
  } catch (cause) {
    throw new Refusal('bad_request', { why: 'body: no canonical form' }, { cause })
  }
}

/** Method, path and body of exactly this request. @throws Refusal bad_request */
export const requestSubject = (operation: AnyOperation, received: Received) => ({
  method: operation.method,
  path: targetOf(operation, received),
  body_hash: bodyHash(received.json),
})

/** One spelling of each: names percent-encoded, the query in the order of its names. */
function targetOf({ path }: AnyOperation, { parameters, query }: Received): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => segment(parameters[name] ?? ''))
  const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, String(value)]],
  )
  const search = new URLSearchParams(given.sort(([a], [b]) => (a < b ? -1 : 1)))
  return given.length === 0 ? filled : `${filled}?${search}`
}

function segment(value: string): string {
  if (value === '' || !value.isWellFormed()) throw new Refusal('bad_request', { why: 'a parameter of the path' })
  return encodeURIComponent(value)
}

const mostNamed = 5
const longestNames = 400

/** A summary must fit into a ticket, and into the eye of whoever reads it: all of them stand in the difference. */
export function someOf(names: readonly string[]): string {
  let length = 0
  const fits = names.slice(0, mostNamed).filter((name) => {
    length += name.length
    return length <= longestNames
  })
  const more = names.length - fits.length
  return more === 0 ? fits.join(', ') : `${fits.join(', ')} and ${more} more`
}

/** Which of both a one-time link is: what was tapped says it, and no column that somebody could write. undefined: neither. */
export function linkKindOf({ method, path }: AdminSubject): 'invite' | 'reset' | undefined {
  if (method !== 'POST') return undefined
  if (path === operations.userAdd.path) return 'invite'
  return path === operations.userReset.path ? 'reset' : undefined
}
