/** A tap as a program sends it on: base64url of JSON {ticket, assertion}, in the header Sallyport-Tap or a form's `tap`. */
import { object } from '../api/shape.ts'
import { assertion, ticket } from '../api/webauthn.ts'
import type { Json } from '../intent.ts'
import { fromBase64url, textOf } from '../lib/bytes.ts'
import { Refusal } from '../refusal.ts'
import type { AssertionJson } from './verify.ts'

export interface SentTap {
  readonly ticket: string
  readonly assertion: AssertionJson
}

export const tapHeader = 'sallyport-tap'
const tapShape = object({ ticket, assertion })

/** @throws Refusal bad_request */
export function parseSentTap(text: string | undefined): SentTap | undefined {
  if (text === undefined) return undefined
  try {
    return tapShape(JSON.parse(textOf(fromBase64url(text) ?? new Uint8Array()) ?? '') as Json, 'tap')
  } catch (cause) {
    throw cause instanceof Refusal ? cause : new Refusal('bad_request', { why: 'tap' }, { cause })
  }
}
