/**
 * Reading a new passkey (WebAuthn Level 3 section 7.1). What becomes of it is the business of the ceremony that asked:
 * first-administrator.ts, passkey-add.ts.
 */

import { challengeOf, type Intent } from '../intent.ts'
import { authenticatorDataIn } from '../lib/attestation-object.ts'
import { type Bytes, base64url, equalBytes, fromBase64url } from '../lib/bytes.ts'
import type { Credential, CredentialId, Site } from '../model.ts'
import { Refusal } from '../refusal.ts'
import { mismatchOf } from '../tap/client-data.ts'
import { importPublicKey, type PublicKey } from '../tap/public-key.ts'
import { requireAuthenticator } from '../tap/verify.ts'

/** RegistrationResponseJSON (section 5.1.8), the members that are read. */
export interface RegistrationJson {
  readonly id: string
  readonly response: {
    readonly clientDataJSON: string
    readonly attestationObject: string
    readonly transports?: readonly string[] | undefined
  }
}

export type Registered = Pick<
  Credential,
  'id' | 'publicKey' | 'fingerprint' | 'transports' | 'aaguid' | 'backupEligible' | 'backedUp'
> & {
  readonly counter: number
  readonly key: PublicKey
}

/** Section 5.8.4; anything else that a browser reports is left out. */
const knownTransports = ['usb', 'nfc', 'ble', 'smart-card', 'hybrid', 'internal']

/**
 * The intent must have been checked before. Our own checks run first, SimpleWebAuthn's after them: it knows the formats
 * of attestation, ours know what this project promises (the exact origin, no frame, a key that our tap check can use).
 * @throws Refusal registration_wrong
 */
export async function verifyRegistration(
  site: Site,
  intent: Intent,
  registration: RegistrationJson,
): Promise<Registered> {
  const wrong = (why: string, cause?: unknown) =>
    new Refusal('registration_wrong', { why, intent: intent.id }, { cause })
  const challenge = challengeOf(intent)
  const clientData = fromBase64url(registration.response.clientDataJSON)
  if (!clientData) throw wrong('base64url')
  const mismatch = mismatchOf(clientData, { type: 'webauthn.create', challenge, origin: site.origin })
  if (mismatch !== undefined) throw wrong(mismatch)
  const bytes = authenticatorDataIn(registration.response.attestationObject)
  if (!bytes) throw wrong('attestation object')
  const { attested, counter, backupEligible, backedUp } = requireAuthenticator(bytes, site, 'register')
  if (!attested) throw wrong('no credential')
  const key = await importPublicKey(attested.publicKey)
  if (!key) throw wrong('public key')
  if (base64url(attested.credentialId) !== registration.id) throw wrong('credential id')
  // Loaded when the first registration needs it: it is most of the bundle, and a login has no use for it.
  const { verifyWithLibrary } = await import('./registration-library.ts')
  const checked = await verifyWithLibrary(site, challenge, registration).catch((cause: unknown) => {
    throw wrong('library', cause)
  })
  if (!checked) throw wrong('library: not verified')
  if (!equalBytes(checked, attested.publicKey)) throw wrong('library: another key')
  return {
    id: registration.id as CredentialId,
    publicKey: attested.publicKey,
    fingerprint: key.fingerprint,
    transports: knownTransports.filter((known) => registration.response.transports?.includes(known)),
    aaguid: uuidOf(attested.aaguid),
    backupEligible,
    backedUp,
    counter,
    key,
  }
}

function uuidOf(bytes: Bytes): string {
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
