/** What core needs of the world for the device flow (RFC 8628): token-ports.ts, continued. */
import type { AuditEvent } from './audit.ts'
import type { Person } from './factor-ports.ts'
import type { ClientSessionId, Duration, Holder, Instant, Origin } from './model.ts'
import type { SessionClaim, Spend } from './ports.ts'
import type { Approval, Login } from './token-ports.ts'

/** What a program asks with. `hash`: SHA-256 of the device code, base64url. */
export interface NewDeviceCode {
  readonly hash: string
  /** As people read it: `BCDF-GHJK`. */
  readonly userCode: string
  /** Of the login that it will open. */
  readonly clientSessionId: ClientSessionId
  readonly clientId: string
  readonly jkt: Holder
  readonly scope: string
  readonly askedAt: Instant
  readonly expiresAt: Instant
  /** How long the program has to wait between two polls. */
  readonly interval: Duration
  readonly from: Origin
}

/** What the token endpoint is shown for a device code. */
export type DeviceCodeClaim = Pick<NewDeviceCode, 'hash' | 'clientId' | 'jkt'>

/** A request as the person at the browser may see it: one that waits, or one that this very person has answered. */
export interface DeviceAsk
  extends Pick<NewDeviceCode, 'hash' | 'userCode' | 'clientId' | 'jkt' | 'scope' | 'askedAt' | 'from'> {
  readonly state: 'waiting' | 'approved' | 'refused'
}

/** Who looks at a request. `mayUse`: a role of the user allows the device flow. */
export interface DeviceView extends Person {
  readonly mayUse: boolean
  readonly ask: DeviceAsk | undefined
}

/** Why a device code brings nothing, or that it does. The last four are one answer to whoever asks. */
export type DevicePoll =
  | 'approved'
  | 'pending'
  | 'slow_down'
  | 'refused'
  | 'expired'
  | 'used'
  | 'of another client'
  | 'of another key'
  | 'unknown'

export interface DeviceCodes {
  /**
   * Forgets what expired `keepFor` ago and stores the code. `spend`: where a proof came with the request.
   * @throws Refusal dpop_replayed; device_flow_busy when there are `most` of them, or the user code is taken
   */
  issue(
    code: NewDeviceCode & { readonly spend: Spend | undefined; readonly keepFor: Duration; readonly most: number },
  ): Promise<void>
  /** Whose session this is, and what he may see under this code. undefined: no such session, or it has ended. */
  look(claim: SessionClaim, userCode: string, now: Instant): Promise<DeviceView | undefined>
  /**
   * As `Codes.issue`, but confirms the role too, and gives the code to the user.
   * @throws Refusal as that; device_flow_off, device_code_answered
   */
  approve(
    approval: Approval & { readonly hash: string; readonly intentId: string },
  ): Promise<{ readonly expiresAt: Instant }>
  /** @throws Refusal session_missing, device_code_answered */
  refuse(claim: SessionClaim, hash: string, event: AuditEvent): Promise<void>
  /**
   * Spends the proof and says how the code stands. One that waits and is asked for too soon has to be asked for 5 s more seldom
   * from then on (RFC 8628 section 3.5).
   * @throws Refusal dpop_replayed
   */
  poll(poll: DeviceCodeClaim & { readonly spend: Spend; readonly at: Instant }): Promise<DevicePoll>
  /**
   * Uses the code up and opens the client session, which ends 12 hours after the approval or when a role of the user says so.
   * @throws Refusal device_code_invalid, device_flow_off, credential_changed, user_locked
   */
  redeem(claim: DeviceCodeClaim & { readonly event: AuditEvent }): Promise<Login>
}
