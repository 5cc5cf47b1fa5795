/**
 * The one place that says whether a tap approves a thing. Edge and proxy call it, at once or years later: a check that
 * stands anywhere else stands in only one of them.
 */

import { canonicalJson, challengeOf, type Intent, type Json, type Purpose, type Subjects } from '../intent.ts'
import { type AuthenticatorData, parseAuthenticatorData } from '../lib/authenticator-data.ts'
import { type Bytes, concat, equalBytes, fromBase64url } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'
import { rpIdOf } from '../login/relying-party.ts'
import {
  type CredentialId,
  type CredentialKind,
  type Holder,
  type Instant,
  type Site,
  seconds,
  type UserId,
} from '../model.ts'
import { Refusal } from '../refusal.ts'
import { mismatchOf } from './client-data.ts'
import { type PublicKey, signatureIsRight } from './public-key.ts'
import { wantsVerification } from './verification.ts'

/** AuthenticationResponseJSON (WebAuthn Level 3 section 5.1.8), the members that are signed or that select the key. */
export interface AssertionJson {
  readonly id: string
  readonly response: {
    readonly clientDataJSON: string
    readonly authenticatorData: string
    readonly signature: string
    readonly userHandle?: string | undefined
  }
}

export interface Tap {
  readonly intent: Intent
  readonly assertion: AssertionJson
}

/** What the tap is shown for: the thing that it must approve, by whom and where. */
export interface Shown<P extends Purpose> {
  readonly site: Site
  readonly purpose: P
  /** undefined: the caller has none, so nothing fits. */
  readonly holder: Holder | undefined
  /** undefined: a login, where the key itself says who taps. */
  readonly user: UserId | undefined
  readonly subject: Subjects[P]
  readonly now: Instant
}

/** What a tap is checked with, perhaps out of a copy: the batch confirms both. */
export interface TappingKey {
  readonly kind: CredentialKind
  readonly publicKey: PublicKey
}

/** What a good tap proves beside the intent. The counter is compared in the batch that it moves. */
export interface TapEvidence {
  readonly credentialId: CredentialId
  /** As which it was judged. */
  readonly kind: CredentialKind
  /** What it signed for; that the credential is of it is confirmed in the batch. */
  readonly rpId: string
  readonly counter: number
  readonly backedUp: boolean
}

const clockSkew = seconds(30)

/** @throws Refusal. WebAuthn Level 3 section 7.2, steps 5-22, and DESIGN's list for intents. */
export async function verifyTap<P extends Purpose>(
  tap: Tap,
  { kind, publicKey }: TappingKey,
  shown: Shown<P>,
): Promise<TapEvidence> {
  requireIntent(tap.intent, shown)
  const { id, clientData, authenticatorData, signature } = decodeAssertion(tap.assertion)
  const challenge = challengeOf(tap.intent)
  const mismatch = mismatchOf(clientData, { type: 'webauthn.get', challenge, origin: shown.site.origin })
  if (mismatch !== undefined) throw new Refusal('assertion_wrong', { why: mismatch, credential: id })
  const data = requireAuthenticator(authenticatorData, shown.site)
  if (data.attested) throw new Refusal('assertion_wrong', { why: 'attested data in an assertion', credential: id })
  const signed = concat(authenticatorData, sha256(clientData))
  const right = await signatureIsRight(publicKey, signature, signed)
  if (!right) throw new Refusal('assertion_wrong', { why: 'signature', credential: id })
  // After the signature: how long a refusal takes must not tell strangers of which kind a key is, nor whether it is there.
  if (wantsVerification(kind, shown.purpose, shown.subject)) requireVerified(data)
  return { credentialId: id, kind, rpId: data.rpId, counter: data.counter, backedUp: data.backedUp }
}

/** @throws Refusal unless the intent is for this cluster, purpose, person, place and thing, and still lives. */
export function requireIntent<P extends Purpose>(intent: Intent, shown: Shown<P>): asserts intent is Intent<P> {
  const detail = { intent: intent.id, purpose: intent.purpose }
  if (intent.v !== 1) throw new Refusal('ticket_invalid', { ...detail, why: 'version' })
  if (intent.cluster !== shown.site.cluster) throw new Refusal('wrong_cluster', detail)
  if (intent.purpose !== shown.purpose) throw new Refusal('wrong_purpose', detail)
  if (intent.holder === undefined || intent.holder !== shown.holder) throw new Refusal('wrong_holder', detail)
  if (intent.user !== shown.user) throw new Refusal('wrong_user', detail)
  if (!sameJson(intent.subject, shown.subject)) throw new Refusal('wrong_subject', detail)
  if (seconds(intent.iat) > shown.now + clockSkew)
    throw new Refusal('ticket_invalid', { ...detail, why: 'from the future' })
  if (shown.now >= seconds(intent.exp)) throw new Refusal('ticket_expired', detail)
}

/** The first is somebody's word, perhaps out of a damaged record: what has no canonical form equals nothing. */
function sameJson(given: Json, wanted: Json): boolean {
  const form = canonicalForm(given)
  return form !== undefined && equalBytes(form, canonicalJson(wanted))
}

function canonicalForm(json: Json): Bytes | undefined {
  try {
    return canonicalJson(json)
  } catch {
    return undefined
  }
}

/** @throws Refusal. Steps 15-18: a relying party of this cluster, presence, flags that make sense. */
export function requireAuthenticator(bytes: Bytes, site: Site): AuthenticatorData & { readonly rpId: string } {
  const parsed = parseAuthenticatorData(bytes)
  if (parsed.kind !== 'value') {
    throw new Refusal('assertion_malformed', {
      why: parsed.kind === 'invalid' ? parsed.why : 'authenticator data: too short',
    })
  }
  const data = parsed.value
  const rpId = rpIdOf(site, data.rpIdHash)
  if (rpId === undefined) throw new Refusal('assertion_wrong', { why: 'relying party' })
  if (!data.userPresent) throw new Refusal('assertion_wrong', { why: 'user not present' })
  return { ...data, rpId }
}

/** @throws Refusal. Step 17: a PIN, a finger or a face was the right one. */
export function requireVerified({ userVerified }: Pick<AuthenticatorData, 'userVerified'>): void {
  if (!userVerified) throw new Refusal('assertion_wrong', { why: 'user not verified' })
}

function decodeAssertion({ id, response }: AssertionJson) {
  const clientData = fromBase64url(response.clientDataJSON)
  const authenticatorData = fromBase64url(response.authenticatorData)
  const signature = fromBase64url(response.signature)
  if (!fromBase64url(id)?.length || !clientData || !authenticatorData || !signature) {
    throw new Refusal('assertion_malformed', { why: 'base64url' })
  }
  return { id: id as CredentialId, clientData, authenticatorData, signature }
}
