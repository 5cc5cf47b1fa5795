/** How people log in here, as a `cluster_auth_preference` says it; what the document leaves out is filled in. */
import { type Duration, hours } from '../model.ts'
import {
  factorsOf,
  type PreferenceDocument,
  type PreferenceSpec,
  preferenceKind,
  preferenceName,
  type WebauthnSpec,
} from './auth-preference.ts'
import { revisionOf } from './document.ts'
import { parseDuration } from './duration.ts'

export type SecondFactor = 'webauthn' | 'otp' | 'sso'

/** Which authenticators may be registered. PEM certificates, one each. */
export interface AttestationPolicy {
  /** Empty: any, but those that are denied. */
  readonly allowedCas: readonly string[]
  readonly deniedCas: readonly string[]
  /** Empty: any. */
  readonly allowedAaguids: readonly string[]
  readonly deniedAaguids: readonly string[]
  /** False: no passkey that may be synced. */
  readonly backupEligible: boolean
}

export interface Preference {
  readonly allowLocalAuth: boolean
  /** A passkey alone logs in. */
  readonly passwordless: boolean
  /** Passwords are taken, together with a second factor as the two members below say. */
  readonly passwords: boolean
  readonly secondFactors: readonly SecondFactor[]
  /** `optional`: asked of who has one. */
  readonly secondFactor: 'required' | 'optional' | 'off'
  /** undefined: the host of the public URL. */
  readonly rpId: string | undefined
  /** Relying parties of before whose passkeys still work. */
  readonly formerRpIds: readonly string[]
  /** Of other sites that may use this relying party. */
  readonly relatedOrigins: readonly string[]
  readonly attestation: AttestationPolicy | undefined
  readonly requireSessionMfa: boolean
  /** Each administrative action wants a tap of its own; else a recent login will do. */
  readonly adminActionMfa: boolean
  readonly deviceTrust: 'off' | 'optional' | 'required'
  readonly defaultSessionTtl: Duration
  readonly lockingMode: 'best_effort' | 'strict'
  readonly connectorName: string | undefined
  /** Of the document; undefined where there is none. A batch confirms that it is still this one. */
  readonly revision: string | undefined
}

/** Where nobody wrote one: passkeys and nothing else. */
export const defaultPreference: Preference = {
  allowLocalAuth: true,
  passwordless: true,
  passwords: false,
  secondFactors: ['webauthn'],
  secondFactor: 'required',
  rpId: undefined,
  formerRpIds: [],
  relatedOrigins: [],
  attestation: undefined,
  requireSessionMfa: false,
  adminActionMfa: true,
  deviceTrust: 'off',
  defaultSessionTtl: hours(12),
  lockingMode: 'best_effort',
  connectorName: undefined,
  revision: undefined,
}

/** What `defaultPreference` would say as a document: where editing begins while there is none. */
export const defaultPreferenceDocument: PreferenceDocument = {
  kind: preferenceKind,
  version: 'v2',
  metadata: { name: preferenceName },
  spec: {
    type: 'local',
    second_factor: 'webauthn',
    default_session_ttl: '12h',
    locking_mode: 'best_effort',
    passwordless: true,
    allow_passwords: false,
  },
}

export function preferenceOf(document: PreferenceDocument | undefined): Preference {
  if (!document) return defaultPreference
  const { spec } = document
  const { webauthn = {} } = spec
  return {
    allowLocalAuth: spec.allow_local_auth ?? true,
    passwordless: spec.passwordless ?? true,
    passwords: spec.allow_passwords ?? true,
    ...secondFactorOf(spec),
    rpId: webauthn.rp_id,
    formerRpIds: webauthn.former_rp_ids ?? [],
    relatedOrigins: webauthn.related_origins ?? [],
    attestation: attestationOf(webauthn),
    requireSessionMfa: spec.require_session_mfa ?? false,
    adminActionMfa: spec.admin_action_mfa === true || isWebauthnAlone(spec),
    deviceTrust: spec.device_trust?.mode ?? 'off',
    defaultSessionTtl: parseDuration(spec.default_session_ttl ?? '12h') ?? 0,
    lockingMode: spec.locking_mode ?? 'best_effort',
    connectorName: spec.connector_name,
    revision: revisionOf(document),
  }
}

function secondFactorOf({
  second_factor: word,
  second_factors: list,
}: PreferenceSpec): Pick<Preference, 'secondFactor' | 'secondFactors'> {
  const { secondFactor, secondFactors } = defaultPreference
  if (word === 'off' || word === 'optional') return { secondFactor: word, secondFactors: factorsOf[word] }
  return { secondFactor, secondFactors: list ?? (word && factorsOf[word]) ?? secondFactors }
}

/** Where nothing else proves anybody, everybody can tap. */
function isWebauthnAlone(spec: PreferenceSpec): boolean {
  const { secondFactor, secondFactors } = secondFactorOf(spec)
  return secondFactor === 'required' && secondFactors.join() === 'webauthn'
}

/** undefined: any authenticator, and none is asked for its papers. */
function attestationOf(webauthn: WebauthnSpec): AttestationPolicy | undefined {
  const policy: AttestationPolicy = {
    allowedCas: webauthn.attestation_allowed_cas ?? [],
    deniedCas: webauthn.attestation_denied_cas ?? [],
    allowedAaguids: webauthn.allowed_aaguids ?? [],
    deniedAaguids: webauthn.denied_aaguids ?? [],
    backupEligible: webauthn.backup_eligible ?? true,
  }
  const { backupEligible, ...lists } = policy
  return !backupEligible || Object.values(lists).some((list) => list.length > 0) ? policy : undefined
}
