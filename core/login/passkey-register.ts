/**
 * Reading a new passkey or security key (WebAuthn Level 3 section 7.1). What becomes of it is the business of the ceremony that asked:
 * first-administrator.ts, passkey-add.ts.
 */

import type { AttestationPolicy } from '../access/preference.ts'
import { challengeOf, type Intent } from '../intent.ts'
import { attestationObjectIn } from '../lib/attestation-object.ts'
import { type Bytes, base64url, fromBase64url } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'
import type { Credential, CredentialId, CredentialKind, Instant, Site } from '../model.ts'
import { Refusal } from '../refusal.ts'
import { mismatchOf } from '../tap/client-data.ts'
import { importPublicKey, type PublicKey } from '../tap/public-key.ts'
import { requireAuthenticator, requireVerified } from '../tap/verify.ts'
import { type Attestation, requireAttestation } from './attestation.ts'
import { readStatement } from './attestation-statement.ts'

/** RegistrationResponseJSON (section 5.1.8), the members that are read. */
export interface RegistrationJson {
  readonly id: string
  readonly response: {
    readonly clientDataJSON: string
    readonly attestationObject: string
    readonly transports?: readonly string[] | undefined
  }
  /** `credProps.rk` (section 10.1.3): whether the key knows by itself whom it is for. The browser's word, and not every browser's. */
  readonly clientExtensionResults?:
    | { readonly credProps?: { readonly rk?: boolean | undefined } | undefined }
    | undefined
}

/** What is asked of a new credential. */
export interface Wanted {
  readonly kind: CredentialKind
  /** undefined asks nothing of the authenticator. */
  readonly attestation: AttestationPolicy | undefined
}

export type Registered = Pick<
  Credential,
  'id' | 'kind' | 'publicKey' | 'fingerprint' | 'transports' | 'aaguid' | 'backupEligible' | 'backedUp'
> & {
  readonly counter: number
  readonly key: PublicKey
  readonly attestation: Attestation
}

/** Section 5.8.4; anything else that a browser reports is left out. */
const knownTransports = ['usb', 'nfc', 'ble', 'smart-card', 'hybrid', 'internal']

/**
 * The intent must have been checked before. SimpleWebAuthn is the tests' second judge and not the edge's: for some formats it sends
 * requests to wherever the registrant's certificates say.
 *
 * The kind is what was asked for, whatever was made. A key that made a discoverable credential though none was asked for stays a
 * security key: it has verified nobody, and its owner chose that it signs in beside a password alone. A passkey that its browser says
 * cannot be discovered is none, and is refused while its owner is there to use another authenticator.
 * @throws Refusal registration_wrong, attestation_refused
 */
export async function verifyRegistration(
  site: Site,
  intent: Intent,
  registration: RegistrationJson,
  now: Instant,
  wanted: Wanted,
): Promise<Registered> {
  const wrong = (why: string, cause?: unknown) =>
    new Refusal('registration_wrong', { why, intent: intent.id }, { cause })
  const { kind } = wanted
  const challenge = challengeOf(intent)
  const clientData = fromBase64url(registration.response.clientDataJSON)
  if (!clientData) throw wrong('base64url')
  const mismatch = mismatchOf(clientData, { type: 'webauthn.create', challenge, origin: site.origin })
  if (mismatch !== undefined) throw wrong(mismatch)
  const object = attestationObjectIn(registration.response.attestationObject)
  if (!object) throw wrong('attestation object')
  const data = requireAuthenticator(object.authenticatorData, site)
  if (kind === 'passkey') requireVerified(data)
  const { attested, counter, backupEligible, backedUp, rpId } = data
  if (kind === 'passkey' && registration.clientExtensionResults?.credProps?.rk === false)
    throw wrong('not discoverable')
  if (rpId !== site.rpId) throw wrong('a relying party of before')
  if (!attested) throw wrong('no credential')
  const key = await importPublicKey(attested.publicKey)
  if (!key) throw wrong('public key')
  if (base64url(attested.credentialId) !== registration.id) throw wrong('credential id')
  const statement = await readStatement({ object, data, attested, key, clientDataHash: sha256(clientData) })
  if (statement.kind === 'invalid') throw wrong(statement.why)
  const aaguid = uuidOf(attested.aaguid)
  const attestation = await requireAttestation(wanted.attestation, { ...statement, aaguid, backupEligible }, now)
  return {
    id: registration.id as CredentialId,
    kind,
    publicKey: attested.publicKey,
    fingerprint: key.fingerprint,
    transports: knownTransports.filter((known) => registration.response.transports?.includes(known)),
    aaguid,
    backupEligible,
    backedUp,
    counter,
    key,
    attestation,
  }
}

function uuidOf(bytes: Bytes): string {
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
