/** What the browser's WebAuthn calls are given, as JSON (WebAuthn Level 3 sections 5.1.9 and 5.1.10). */

import type { AttestationPolicy } from '../access/preference.ts'
import { challengeOf, type Intent } from '../intent.ts'
import { base64url } from '../lib/bytes.ts'
import type { Credential, Duration, Site, UserId } from '../model.ts'
import { algorithms } from '../tap/public-key.ts'
import { verificationFor } from '../tap/verification.ts'
import type { Wanted } from './passkey-register.ts'
import { ofOneRp } from './relying-party.ts'

type Known = Pick<Credential, 'id' | 'kind' | 'transports' | 'rpId'>

const descriptors = (credentials: readonly Known[]) =>
  credentials.map(({ id, transports }) => ({ type: 'public-key' as const, id, transports }))

/** Discoverable: the authenticator shows whom it knows. */
export const discoverableOptions = (
  { rpId }: Pick<Site, 'rpId'>,
  intent: Intent,
  timeout: Duration,
  allow: readonly Known[] = [],
) => ({
  challenge: base64url(challengeOf(intent)),
  rpId,
  timeout,
  userVerification: verificationFor(allow),
  allowCredentials: descriptors(allow),
})

/** With one of these. @throws Refusal passkeys_elsewhere */
export function requestOptions(site: Site, intent: Intent, timeout: Duration, allow: readonly Known[]) {
  const { rpId, credentials } = ofOneRp(site, allow)
  return discoverableOptions({ rpId }, intent, timeout, credentials)
}
export type RequestOptions = ReturnType<typeof requestOptions>

/** Certificates decide: only then are they asked for. */
export const asksForCertificates = (policy: AttestationPolicy | undefined): policy is AttestationPolicy =>
  policy !== undefined && policy.allowedCas.length + policy.deniedCas.length > 0

/**
 * Attestation is not asked for unless a policy wants it: browsers warn people about it. `known`: what the user has already, so that an
 * authenticator is registered once as each kind. One that is a security key may become a passkey too; the other way round it would
 * gain nothing.
 */
export function creationOptions(
  site: Site,
  intent: Intent,
  timeout: Duration,
  user: { readonly id: UserId; readonly name: string },
  known: readonly Known[],
  { kind, attestation: policy }: Wanted,
) {
  return {
    challenge: base64url(challengeOf(intent)),
    rp: { id: site.rpId, name: 'Sallyport' },
    user: { id: user.id, name: user.name, displayName: user.name },
    pubKeyCredParams: algorithms.map((alg) => ({ type: 'public-key' as const, alg })),
    timeout,
    attestation: asksForCertificates(policy) ? ('direct' as const) : ('none' as const),
    ...asked[kind],
    excludeCredentials: descriptors(known.filter((one) => kind === 'security_key' || one.kind === 'passkey')),
    extensions: { credProps: true },
  }
}
export type CreationOptions = ReturnType<typeof creationOptions>

/** A security key keeps nothing and asks for nothing but a touch, so that the oldest do too: they have neither PIN nor room. */
const asked = {
  passkey: {
    authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
  },
  security_key: {
    authenticatorSelection: {
      authenticatorAttachment: 'cross-platform',
      residentKey: 'discouraged',
      requireResidentKey: false,
      userVerification: 'discouraged',
    },
    hints: ['security-key'],
  },
} as const
