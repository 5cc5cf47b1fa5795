/** A tap as a program sends it on: base64url of JSON {ticket, assertion}, in the header Sallyport-Tap or a form's `tap`; there also {ticket, app}. */
import { object, optional, type Shape, text as shortText } from '../api/shape.ts'
import { assertion, ticket } from '../api/webauthn.ts'
import type { Json } from '../intent.ts'
import { fromBase64url, textOf } from '../lib/bytes.ts'
import type { TotpId } from '../model.ts'
import { Refusal } from '../refusal.ts'
import type { AssertionJson } from './verify.ts'

export interface SentTap {
  readonly ticket: string
  readonly assertion: AssertionJson
}

/** Where a code stands in for the tap: which app's code the edge took for that ticket (core/access/session-code.ts). */
export interface SentCode {
  readonly ticket: string
  readonly app: TotpId
}

export const tapHeader = 'sallyport-tap'
const tapShape = object({ ticket, assertion })
const approvalShape = object({ ticket, assertion: optional(assertion), app: optional(shortText(64)) })

/** @throws Refusal bad_request */
export const parseSentTap = (text: string | undefined): SentTap | undefined => parse(tapShape, text)

/** A tap, or what stands in for one. @throws Refusal bad_request */
export function parseSentApproval(text: string | undefined): SentTap | SentCode | undefined {
  const sent = parse(approvalShape, text)
  if (!sent) return undefined
  const { ticket, assertion, app } = sent
  if (assertion && app === undefined) return { ticket, assertion }
  if (app !== undefined && !assertion) return { ticket, app: app as TotpId }
  throw new Refusal('bad_request', { why: 'tap' })
}

function parse<T>(shape: Shape<T>, text: string | undefined): T | undefined {
  if (text === undefined) return undefined
  try {
    return shape(JSON.parse(textOf(fromBase64url(text) ?? new Uint8Array()) ?? '') as Json, 'tap')
  } catch (cause) {
    throw cause instanceof Refusal ? cause : new Refusal('bad_request', { why: 'tap' }, { cause })
  }
}
