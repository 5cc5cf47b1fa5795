/** What core needs of the world for passwords, authenticator apps and recovery codes: ports.ts, continued. */
import type { Actor } from './admin-ports.ts'
import type { AuditEvent } from './audit.ts'
import type { Bytes } from './lib/bytes.ts'
import type { Credential, Duration, Instant, TotpId, User, UserId } from './model.ts'
import type { NewSession, SessionClaim, Spend, Tapped } from './ports.ts'

/** `id` is another with each password that is set, and stays when the same one is hashed anew. */
export interface StoredPassword {
  readonly id: string
  /** As core/login/password-hash.ts writes it. */
  readonly hash: string
  readonly changedAt: Instant
}

/** An authenticator app. */
export interface Totp {
  readonly id: TotpId
  readonly name: string
  /** Its key under `keys.factors`. */
  readonly sealed: Bytes
  readonly createdAt: Instant
  readonly lastUsedAt: Instant | undefined
}

/** Somebody and all that he can show. */
export interface Person {
  readonly user: User
  readonly credentials: readonly Credential[]
  readonly password: StoredPassword | undefined
  readonly totps: readonly Totp[]
  /** Unused ones. */
  readonly recoveryCodes: number
}

export interface FactorCounts {
  readonly passkeys: number
  readonly securityKeys: number
  readonly totps: number
}

/** A code of an app. `step`: which (RFC 6238). */
export interface ShownCode {
  readonly kind: 'otp'
  readonly id: TotpId
  readonly step: number
}

/** What was decided upon; a batch confirms that it is so still. */
export interface CountedFactors extends FactorCounts {
  /** Keys of these relying parties count: of others they open nothing. */
  readonly rpIds: readonly string[]
}

/** A second factor that was checked, but for what only the database knows: that it is there and was not used before. */
export type ShownFactor =
  | { readonly kind: 'passkey'; readonly tapped: Tapped }
  | ShownCode
  /** `hash`: of the recovery code. */
  | { readonly kind: 'recovery'; readonly hash: string }
  | { readonly kind: 'none'; readonly was: CountedFactors }

/** What shows that the account's owner wants a change. */
export type Proof =
  | { readonly kind: 'tap'; readonly tapped: Tapped }
  /** Of who has no passkey. */
  | { readonly kind: 'password'; readonly password: StoredPassword; readonly factor: ShownFactor }

/** What the account's owner was shown to want, in a browser session of his. */
export interface Proven {
  readonly spend: Spend
  readonly userId: UserId
  /** As in `Attempt`: a proof by password forgets the failures of the name. */
  readonly name: string
  readonly proof: Proof
  /** What it was decided upon. */
  readonly was: CountedFactors
  /** The revision of the preference that judged it. */
  readonly preference: string | undefined
  readonly claim: SessionClaim
  readonly session: NewSession
  readonly event: AuditEvent
}

/** Password and code in the place of a tap, of who has no passkey. */
export type ProvenByCode = Proven & {
  readonly proof: { readonly kind: 'password'; readonly password: StoredPassword; readonly factor: ShownCode }
}

export type FactorEffect =
  | { readonly kind: 'set password'; readonly id: string; readonly hash: string }
  | { readonly kind: 'remove password'; readonly id: string }
  | {
      readonly kind: 'add totp'
      readonly id: TotpId
      readonly name: string
      readonly sealed: Bytes
      readonly step: number
    }
  | { readonly kind: 'remove totp'; readonly id: TotpId }
  /** Voids all that there were. */
  | { readonly kind: 'make recovery codes'; readonly hashes: readonly string[] }

/** One attempt at a password, whether or not anybody has that name. */
export interface Attempt {
  /** HMAC of the name's key, base64url: what is counted. */
  readonly name: string
  readonly nameKey: string
  readonly at: Instant
  /** So many failures in a row lock the name, for `window` from the last of them; after a `window` without any they are forgotten. */
  readonly most: number
  readonly window: Duration
}

export interface PasswordHolder {
  readonly user: string
  readonly totps: number
}

export interface Factors {
  /** Of the one who bears this name, those that are not removed. Empty: nobody does, or he has none. */
  passkeysOf(nameKey: string): Promise<readonly Credential[]>
  /**
   * Counts an attempt as failed and answers whom it is for, in one: whoever asks a thousand times at once is counted a thousand
   * times before the first answer. `isLocked`: there were `most` before it.
   */
  attempt(attempt: Attempt): Promise<{ readonly isLocked: boolean; readonly person: Person | undefined }>
  /** Whose session this is. undefined: no such session, or it has ended, or a lock names the user. */
  find(claim: SessionClaim, now: Instant): Promise<Person | undefined>
  /** Everybody with a password, by name. */
  withPassword(): Promise<readonly PasswordHolder[]>
  /** undefined: there is no such user, or he was removed. */
  of(userId: UserId): Promise<Person | undefined>
  /**
   * A login by password: spends, confirms the password (and puts `rehashed` in its place), uses up the factor, forgets the failures
   * of the name, opens the session.
   * @throws Refusal ticket_spent, password_changed, user_locked; credential_changed, counter_regressed; code_spent; recovery_wrong;
   * factors_changed
   */
  open(login: {
    readonly spend: Spend
    readonly userId: UserId
    /** As in `Attempt`. */
    readonly name: string
    readonly password: StoredPassword
    readonly rehashed: string | undefined
    readonly factor: ShownFactor
    /** The revision of the preference that judged it. */
    readonly preference: string | undefined
    readonly session: NewSession
    /** Where no role of the user says an earlier end. */
    readonly expiresAt: Instant
    readonly event: AuditEvent
  }): Promise<{ readonly expiresAt: Instant }>
  /**
   * Spends, uses up the proof, confirms session and factors, has the effect, and exchanges the session for `session`, which ends when
   * the old one would have. Sessions and programs' logins that rest on what is replaced or removed end.
   * @throws Refusal as `open`; session_missing, not_found, name_taken
   */
  change(change: Proven & { readonly effect: FactorEffect }): Promise<{ readonly expiresAt: Instant }>
  /**
   * The same by a tap for a program that asks: it has no browser session to confirm and exchange.
   * @throws Refusal ticket_spent, credential_changed, preference_changed, counter_regressed, token_invalid, user_locked,
   * factors_changed, not_found, name_taken
   */
  changeBy(
    actor: Actor,
    change: {
      readonly spend: Spend
      readonly tapped: Tapped
      readonly was: CountedFactors
      readonly effect: FactorEffect
      readonly event: AuditEvent
    },
  ): Promise<void>
}
