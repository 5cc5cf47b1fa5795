/** How people log in here, as a `cluster_auth_preference` says it; what the document leaves out is filled in. */
import { type Duration, hours } from '../model.ts'

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
  readonly attestation: AttestationPolicy | undefined
  readonly requireSessionMfa: boolean
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
  attestation: undefined,
  requireSessionMfa: false,
  deviceTrust: 'off',
  defaultSessionTtl: hours(12),
  lockingMode: 'best_effort',
  connectorName: undefined,
  revision: undefined,
}
