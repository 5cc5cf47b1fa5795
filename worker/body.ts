/** Reading what a request brings: bounded, and JSON or a form. Its shape is core/api's business. */
import type { Context } from 'hono'
import type { Json } from '../core/intent.ts'
import { textOf } from '../core/lib/bytes.ts'
import { Refusal, type RefusalCode } from '../core/refusal.ts'

const largestBody = 256 * 1024

/** The bytes as they came. @throws Refusal body_too_large, bad_request */
export const readBody = (c: Context, lengthsHold = false): Promise<Uint8Array> =>
  readBounded(c.req.raw, lengthsHold).catch(broken)

/** @throws Refusal wrong_media_type, body_too_large, bad_request */
export async function readJson(c: Context, lengthsHold = false): Promise<Json> {
  if (!/^application\/json *(;|$)/i.test(c.req.header('content-type') ?? '')) throw new Refusal('wrong_media_type')
  const text = textOf(await readBody(c, lengthsHold))
  try {
    return JSON.parse(text ?? '') as Json
  } catch (error) {
    throw new Refusal('bad_request', { why: 'no JSON' }, { cause: error })
  }
}

/**
 * application/x-www-form-urlencoded. A parameter that comes twice is refused (RFC 6749 section 3.1), an empty one is none.
 * @throws Refusal wrong_media_type, body_too_large, token_request_invalid
 */
export async function readForm(c: Context, lengthsHold = false): Promise<Json> {
  const type = c.req.header('content-type') ?? ''
  if (!/^application\/x-www-form-urlencoded *(;|$)/i.test(type))
    throw new Refusal('token_request_invalid', { why: 'type' })
  const body = textOf(await readBody(c, lengthsHold))
  return onceEach(new URLSearchParams(body ?? ''), 'token_request_invalid')
}

/** @throws Refusal with the code given, for a name that comes twice. */
export function onceEach(given: URLSearchParams, code: RefusalCode): { readonly [name: string]: string } {
  const members = new Map<string, string>()
  for (const [name, value] of given) {
    if (members.has(name)) throw new Refusal(code, { why: 'a parameter twice' })
    members.set(name, value)
  }
  for (const [name, value] of members) if (value === '') members.delete(name)
  return Object.fromEntries(members)
}

/** A sender who goes away in the middle is no error of ours. */
function broken(error: unknown): never {
  throw error instanceof Refusal ? error : new Refusal('bad_request', { why: 'the body broke off' }, { cause: error })
}

/**
 * A length that is announced is believed only when it is too large: what arrives is counted. `lengthsHold`: the server cuts a
 * body at the length that it announces; then one read will do, which is much faster on Node than a stream.
 */
async function readBounded(request: Request, lengthsHold: boolean): Promise<Uint8Array> {
  const announced = request.headers.get('content-length')
  if (Number(announced ?? 0) > largestBody) throw new Refusal('body_too_large')
  if (lengthsHold && announced !== null) return new Uint8Array(await request.arrayBuffer())
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of request.body ?? []) {
    size += part.length
    if (size > largestBody) throw new Refusal('body_too_large')
    parts.push(part)
  }
  const whole = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
