/** What core needs of the world for administration: ports.ts, continued. */
import type { Document } from './access/document.ts'
import type { LockKey } from './access/lock.ts'
import type { Traits } from './access/pattern.ts'
import type { AuditEvent } from './audit.ts'
import type { Json } from './intent.ts'
import type {
  ClientSessionId,
  CredentialId,
  Instant,
  InviteId,
  LoginVia,
  Origin,
  SessionId,
  SessionVia,
  TotpId,
  User,
  UserId,
} from './model.ts'
import type { NewCredential, NewSession, SessionClaim, Spend, Tapped } from './ports.ts'
import type { Tap } from './tap/verify.ts'
import type { VouchKey } from './vouch.ts'

/**
 * Who changes something by a call with a token, or at a page of ours, and by what right: confirmed again in the batch of the effect, which spends the tap.
 * @throws Refusal of every verb that has one: token_invalid (of a page: session_missing), role_missing, user_locked; with a tap ticket_spent, credential_changed,
 * preference_changed, counter_regressed
 */
export interface Actor {
  readonly userId: UserId
  readonly sessionId: ClientSessionId | SessionId
  /** Set where that is a browser session. */
  readonly claim?: SessionClaim
  /** The roles that allow the action; none for what everybody may do with his own. */
  readonly by: readonly AllowingRole[]
  /** By what besides; left out for what everybody may do with his own. */
  readonly warrant?: Warrant
}

/** A role that the caller must still hold, and that must still say what it said. */
export interface AllowingRole {
  readonly name: string
  /** Of its document; undefined for one that is built in. */
  readonly revision: string | undefined
}

/** A tap of exactly this request, which is kept with what it changes; or the preference that lets a recent login be enough. */
export type Warrant = TapWarrant | { readonly preference: string | undefined }

export interface TapWarrant {
  readonly spend: Spend
  readonly tapped: Tapped
  readonly tap: Tap
  /** The body that was tapped, as it came. */
  readonly request: Json
  /** Whether the passkey must be one that may admit others. */
  readonly mayVouch: boolean
}

export interface NewInvite {
  readonly id: InviteId
  readonly key: VouchKey
  readonly tap: Tap
  readonly request: Json
  readonly expiresAt: Instant
}

export interface OpenInvite {
  readonly id: InviteId
  readonly user: User
  readonly roles: readonly string[]
  readonly invitedBy: string
  readonly key: VouchKey
  readonly tap: Tap
  readonly request: Json
  readonly createdAt: Instant
  readonly expiresAt: Instant
}

export interface ListedUser {
  readonly name: string
  readonly roles: readonly string[]
  readonly passkeys: number
  /** What a lock in force names: the user, or a role of his. Locks on single passkeys are no part of it. */
  readonly lockedBy: LockKey | undefined
  /** The one that may still be used. */
  readonly link: { readonly kind: 'invite' | 'reset'; readonly expiresAt: Instant } | undefined
  readonly createdAt: Instant
}

export interface FoundUser extends User {
  readonly passkeys: number
}

/** What is decided by. */
export interface UserWithRoles extends User {
  readonly roles: readonly string[]
  /** Left out where there are none. */
  readonly traits?: Traits
}

/** What somebody proves himself with that a lock may name by its id. */
export interface ListedFactor {
  readonly id: CredentialId | TotpId
  readonly user: string
  readonly kind: 'passkey' | 'totp'
  readonly name: string
  /** Of a passkey: which make it says it is. */
  readonly aaguid: string | undefined
  readonly createdAt: Instant
  readonly lastUsedAt: Instant | undefined
}

/** What goes when a user is removed or reset. */
export interface Holdings extends User {
  readonly roles: readonly string[]
  readonly passkeys: number
  readonly passwords: number
  readonly authenticator_apps: number
  /** Unused ones. */
  readonly recovery_codes: number
  readonly browser_sessions: number
  readonly program_logins: number
}

export interface Users {
  /** Passkeys and authenticator apps, by user and name: of all, or of who bears this name. */
  factors(name: string | undefined): Promise<readonly ListedFactor[]>
  list(now: Instant): Promise<readonly ListedUser[]>
  /** Who bears a name that a hurried reader takes for this one. */
  find(name: string): Promise<FoundUser | undefined>
  holdings(name: string, now: Instant): Promise<Holdings | undefined>
  /** The same, with roles and traits of one instant. */
  withRoles(name: string): Promise<UserWithRoles | undefined>
  /**
   * Confirms the actor, makes the user with roles and invite.
   * @throws Refusal ticket_spent, credential_changed, preference_changed, counter_regressed, token_invalid, role_missing, role_unknown, name_taken, user_locked
   */
  invite(invitation: {
    readonly actor: Actor
    readonly user: User
    readonly roles: readonly string[]
    readonly invite: NewInvite
    readonly event: AuditEvent
  }): Promise<void>
  /**
   * Confirms the actor; removes passkeys, password, authenticator apps and recovery codes of the user, ends all sessions, kills older
   * links and makes the new one.
   * @throws Refusal as invite; user_unknown (also where another bears the name by now), own_account, last_vouching
   */
  reset(reset: {
    readonly actor: Actor
    readonly user: User
    readonly invite: NewInvite
    /** Of these somebody must stay who may vouch. */
    readonly rpIds: readonly string[]
    readonly event: AuditEvent
  }): Promise<void>
  /** undefined: no such link, used, expired, replaced, or its user was removed. */
  openInvite(id: string, now: Instant): Promise<OpenInvite | undefined>
  /**
   * Spends intent and invite, adds the passkey, opens the session.
   * @throws Refusal ticket_spent, link_invalid, preference_changed, passkey_exists, user_locked
   */
  accept(acceptance: {
    readonly spend: Spend
    readonly invite: InviteId
    /** The revision of the preference by which the registration was judged. */
    readonly preference: string | undefined
    readonly credential: NewCredential
    readonly session: NewSession
    readonly expiresAt: Instant
    readonly event: AuditEvent
  }): Promise<{ readonly expiresAt: Instant }>
  /**
   * Removes the user with all that let him in, roles and invites, and ends all sessions. With an id it must be that very user. `rpIds`:
   * as for `reset`.
   * @throws Refusal token_invalid, role_missing, user_unknown, own_account, last_vouching
   */
  remove(
    actor: Actor,
    who: Pick<User, 'name'> & Partial<User>,
    event: AuditEvent,
    rpIds: readonly string[],
  ): Promise<void>
}

/** A browser session, or a program's login. */
export interface ListedLogin {
  readonly id: SessionId | ClientSessionId
  readonly kind: 'browser' | 'program'
  readonly user: User
  /** Of a program: its client id. */
  readonly clientId: string | undefined
  readonly via: SessionVia | LoginVia
  readonly openedAt: Instant
  /** Of a browser its last request, of a program its last refresh. */
  readonly lastSeenAt: Instant
  readonly expiresAt: Instant
  readonly origin: Origin
}

export interface Logins {
  /** Those that run, newest first. */
  list(
    which: {
      readonly id?: string | undefined
      readonly userId?: UserId | undefined
      readonly name?: string | undefined
    },
    now: Instant,
  ): Promise<readonly ListedLogin[]>
  /**
   * Ends one of `owner`, of a browser or of a program. `reason`: told to the program's key.
   * @throws Refusal token_invalid, role_missing, user_locked, login_unknown
   */
  end(
    actor: Actor,
    target: { readonly id: string; readonly owner: UserId; readonly reason: 'revoked' | 'administrator' },
    event: AuditEvent,
  ): Promise<void>
}

export interface StoredDocument {
  readonly document: Document
  readonly revision: string
}

/** Who wrote its newest revision; undefined where he was never a user. */
export interface WrittenDocument extends StoredDocument {
  readonly by: string | undefined
}

/** `expected`: the revision that it replaces; undefined where none may be there. */
export interface DocumentChange extends StoredDocument {
  readonly expected: string | undefined
}

export interface Documents {
  list(filter: {
    readonly kind?: string | undefined
    readonly name?: string | undefined
  }): Promise<readonly WrittenDocument[]>
  /**
   * All of them or none.
   * @throws Refusal token_invalid, role_missing, document_changed, document_exists (a resource of another kind has the name)
   */
  put(actor: Actor, changes: readonly DocumentChange[], event: AuditEvent): Promise<void>
  /** @throws Refusal token_invalid, role_missing, document_changed, role_held */
  remove(
    actor: Actor,
    which: { readonly kind: string; readonly name: string; readonly expected: string },
    event: AuditEvent,
  ): Promise<void>
}
