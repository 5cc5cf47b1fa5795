/**
 * Reading a new passkey (WebAuthn Level 3 section 7.1). What becomes of it is the business of the ceremony that asked:
 * first-administrator.ts, passkey-add.ts.
 */

import type { AttestationPolicy } from '../access/preference.ts'
import { challengeOf, type Intent } from '../intent.ts'
import { attestationObjectIn } from '../lib/attestation-object.ts'
import { type Bytes, base64url, fromBase64url } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'
import type { Credential, CredentialId, Instant, Site } from '../model.ts'
import { Refusal } from '../refusal.ts'
import { mismatchOf } from '../tap/client-data.ts'
import { importPublicKey, type PublicKey } from '../tap/public-key.ts'
import { requireAuthenticator } from '../tap/verify.ts'
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
}

export type Registered = Pick<
  Credential,
  'id' | 'publicKey' | 'fingerprint' | 'transports' | 'aaguid' | 'backupEligible' | 'backedUp'
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
 * `policy`: undefined asks nothing of the authenticator.
 * @throws Refusal registration_wrong, attestation_refused
 */
export async function verifyRegistration(
  site: Site,
  intent: Intent,
  registration: RegistrationJson,
  now: Instant,
  policy: AttestationPolicy | undefined,
): Promise<Registered> {
  const wrong = (why: string, cause?: unknown) =>
    new Refusal('registration_wrong', { why, intent: intent.id }, { cause })
  const challenge = challengeOf(intent)
  const clientData = fromBase64url(registration.response.clientDataJSON)
  if (!clientData) throw wrong('base64url')
  const mismatch = mismatchOf(clientData, { type: 'webauthn.create', challenge, origin: site.origin })
  if (mismatch !== undefined) throw wrong(mismatch)
  const object = attestationObjectIn(registration.response.attestationObject)
  if (!object) throw wrong('attestation object')
  const data = requireAuthenticator(object.authenticatorData, site, 'register')
  const { attested, counter, backupEligible, backedUp, rpId } = data
  if (rpId !== site.rpId) throw wrong('a relying party of before')
  if (!attested) throw wrong('no credential')
  const key = await importPublicKey(attested.publicKey)
  if (!key) throw wrong('public key')
  if (base64url(attested.credentialId) !== registration.id) throw wrong('credential id')
  const statement = await readStatement({ object, data, attested, key, clientDataHash: sha256(clientData) })
  if (statement.kind === 'invalid') throw wrong(statement.why)
  const aaguid = uuidOf(attested.aaguid)
  const attestation = await requireAttestation(policy, { ...statement, aaguid, backupEligible }, now)
  return {
    id: registration.id as CredentialId,
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
