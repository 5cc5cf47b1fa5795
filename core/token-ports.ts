/** What core needs of the world for tokens: ports.ts, continued. */

import type { Traits } from './access/pattern.ts'
import type { RoleDocument } from './access/role.ts'
import type { Actor } from './admin-ports.ts'
import type { AuditEvent } from './audit.ts'
import type { ProvenByCode } from './factor-ports.ts'
import type { Bytes } from './lib/bytes.ts'
import type { ClientSession, ClientSessionId, Duration, FactorId, Holder, Instant, User } from './model.ts'
import type { Change, SessionClaim, Spend } from './ports.ts'

/** An authorization code that was approved. `hash`: SHA-256 of the code, base64url. */
export interface NewCode {
  readonly hash: string
  readonly clientSessionId: ClientSessionId
  readonly clientId: string
  readonly redirectUri: string
  readonly codeChallenge: string
  readonly jkt: Holder
  readonly scope: string
  readonly nonce: string
  readonly intentId: string
  readonly authenticatedAt: Instant
  readonly expiresAt: Instant
}

/** What the token endpoint is shown for a code. */
export type CodeClaim = Pick<NewCode, 'hash' | 'clientId' | 'redirectUri' | 'codeChallenge' | 'jkt'>

/** What approves a program: a tap, or a password and a code where the preference knows only codes. */
export type Approval = Change | ProvenByCode

/** What a program holds tokens for, and for whom. */
export interface Login {
  readonly user: User
  readonly session: Omit<ClientSession, 'endedAt' | 'endReason' | 'origin'>
  /** Which refresh token is the newest. */
  readonly generation: number
}

export interface Codes {
  /**
   * Spends, confirms session and tapping credential, moves the counter on (or confirms the password and uses up the step of the code),
   * stores the code and exchanges the browser's session for `session`, which ends when the old one would have.
   * @throws Refusal ticket_spent, session_missing, credential_changed, counter_regressed, user_locked; preference_changed,
   * password_changed, code_spent, factors_changed
   */
  issue(approval: Approval & { readonly code: NewCode }): Promise<{ readonly expiresAt: Instant }>
  /**
   * Spends the proof and the code and opens the client session, which ends 12 hours after the approval or when a role of the user
   * says so. What approved must stand still: the passkey, or the app and the password.
   * @throws Refusal dpop_replayed, code_invalid, credential_changed, user_locked
   */
  redeem(
    code: CodeClaim & { readonly spend: Spend; readonly event: AuditEvent },
  ): Promise<Login & { readonly nonce: string }>
  /**
   * Why `redeem` refused. A code that was used already and is shown again by who knows its challenge's verifier ends the client
   * session that it opened (RFC 6749 section 4.1.2).
   */
  examine(code: CodeClaim, event: AuditEvent): Promise<string>
}

/** `generation`: which refresh token of the session was shown; the seal on it was checked. */
export interface RefreshClaim {
  readonly id: ClientSessionId
  readonly generation: number
  readonly clientId: string
  readonly jkt: Holder
}

export interface ClientSessions {
  /**
   * Spends the proof and moves to the next refresh token; the one before the newest may be repeated for `repeatFor` by the same
   * key, and then nothing moves. Any other older one, or another key, ends the session, with its audit row.
   * @throws Refusal dpop_replayed, user_locked; client_session_missing; client_session_ended with detail.reason
   */
  refresh(
    refresh: RefreshClaim & { readonly spend: Spend; readonly repeatFor: Duration; readonly event: AuditEvent },
  ): Promise<Login>
  /**
   * A call with an access token: spends the proof, confirms that the session runs with this key.
   * @throws Refusal dpop_replayed, token_invalid, user_locked
   */
  enter(call: {
    readonly spend: Spend
    readonly id: ClientSessionId
    readonly jkt: Holder
    readonly at: Instant
  }): Promise<Entered>
  /** Ends it where it runs and is this client's; its audit row tells whether it did. */
  revoke(id: ClientSessionId, clientId: string, event: AuditEvent): Promise<void>
  /**
   * Ends one of the user whose browser session is claimed.
   * @throws Refusal session_missing; not_found when it is nobody's, somebody else's, or has ended
   */
  end(claim: SessionClaim, id: ClientSessionId, event: AuditEvent): Promise<void>
  /**
   * Ends what runs with this key of the user whose browser session is claimed: none is none.
   * @throws Refusal session_missing
   */
  disown(claim: SessionClaim, jkt: Holder, event: AuditEvent): Promise<void>
}

/** `revision`: of its document; undefined for one that is built in. */
export interface HeldRole {
  readonly document: RoleDocument
  readonly revision: string | undefined
}

export interface Entered {
  readonly user: User & { readonly traits?: Traits }
  readonly roles: readonly string[]
  /** Those of them that there are. */
  readonly held: readonly HeldRole[]
  readonly session: Login['session']
  /** The passkey or the authenticator app that let the login in. */
  readonly factorId: FactorId
  /** Of the policy, when this was read: while it is the same, so are name, traits, roles and what they say. */
  readonly sequence: number
}

export interface StoredSigningKey {
  readonly generation: number
  readonly kid: string
  readonly x: string
  readonly sealed: Bytes | undefined
  readonly createdAt: Instant
  readonly activatedAt: Instant | undefined
  readonly retiredAt: Instant | undefined
}

export interface SigningKeys {
  /** Oldest first. */
  list(): Promise<readonly StoredSigningKey[]>
  /** The first two of a new cluster. Of several callers one wins, silently: all read them back. */
  begin(keys: readonly [StoredSigningKey, StoredSigningKey]): Promise<void>
  /**
   * The current one retires and loses its private half, the next one becomes current, `next` is added.
   * @throws Refusal token_invalid, role_missing, keys_rotated
   */
  rotate(actor: Actor, current: number, next: StoredSigningKey, event: AuditEvent): Promise<void>
}

/** Copies of public facts in KV, where there is one. May be stale or altered: whoever reads one must be able to tell. */
export interface Copies {
  find(name: string): Promise<string | undefined>
  /** `ttl` is at least a minute. */
  keep(name: string, text: string, ttl: Duration): Promise<void>
}
