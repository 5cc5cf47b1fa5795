/**
 * A key is asked to sign only the hash of an intent that is for this purpose and for what the page asked. What else the edge
 * put into it, this page takes on the edge's word.
 */
import {
  type AuthenticationResponseJSON,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  type RegistrationResponseJSON,
  startAuthentication,
  startRegistration,
} from '@simplewebauthn/browser'
import { canonicalJson, challengeOf, type Intent, type Json, type Purpose, type Subjects } from '../core/intent.ts'
import { base64url, equalBytes, fromBase64url, textOf } from '../core/lib/bytes.ts'

export type RequestOptions = PublicKeyCredentialRequestOptionsJSON
export type CreationOptions = PublicKeyCredentialCreationOptionsJSON
export type Assertion = AuthenticationResponseJSON
export type Registration = RegistrationResponseJSON

/** The intent of a ticket, after checking that it is for this purpose and subject and that every challenge is its hash. */
export async function intentOf<P extends Purpose>(
  ticket: string,
  shown: { readonly purpose: P; readonly subject: Partial<Subjects[P]> },
  ...challenges: readonly string[]
): Promise<Intent<P>> {
  const intent = JSON.parse(textOf(fromBase64url(ticket.split('.')[0] ?? '') ?? new Uint8Array()) ?? '') as Intent<P>
  const challenge = base64url(challengeOf(intent))
  const saysWhatWasShown = Object.entries(shown.subject).every(([name, value]) =>
    sameJson((intent.subject as Readonly<Record<string, Json>>)[name], value as Json),
  )
  if (intent.purpose !== shown.purpose || !saysWhatWasShown || challenges.some((one) => one !== challenge)) {
    throw new TypeError('The ticket is for something other than what this page shows')
  }
  return intent
}

const sameJson = (a: Json | undefined, b: Json): boolean =>
  a !== undefined && equalBytes(canonicalJson(a), canonicalJson(b))

export const tap = (optionsJSON: RequestOptions): Promise<Assertion> => startAuthentication({ optionsJSON })
/** Waits until somebody picks a passkey among what the browser fills into a text box. */
export const tapFromAutofill = (optionsJSON: RequestOptions): Promise<Assertion> =>
  startAuthentication({ optionsJSON, useBrowserAutofill: true })
export const make = (optionsJSON: CreationOptions): Promise<Registration> => startRegistration({ optionsJSON })
