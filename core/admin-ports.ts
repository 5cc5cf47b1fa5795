/** What core needs of the world for administration: ports.ts, continued. */

import type { Document, PolicyDocument } from './access/document.ts'
import type { LockKey } from './access/lock.ts'
import type { Traits } from './access/pattern.ts'
import type { ResourceKind } from './access/resource.ts'
import type { UserDocument } from './access/user.ts'
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
  /** That one, or another before. */
  readonly hadLink: boolean
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
  /** What administrators write of users, by name: of all, or of who bears a name that a hurried reader takes for this one. */
  documents(name: string | undefined): Promise<readonly WrittenUser[]>
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

/** A session on a resource, open at a proxy. */
export interface ListedSession {
  readonly id: string
  readonly user: User
  readonly resource: { readonly kind: ResourceKind; readonly name: string }
  /** As whom, in words; empty where the kind has no principal. */
  readonly principal: string
  /** The name of the user with whose rights, where it is another one. */
  readonly impersonated: string | undefined
  /** The name of the proxy. */
  readonly proxy: string
  readonly address: string
  readonly openedAt: Instant
}

export interface OpenSessions {
  /** Those that proxies have told of and nobody has ended, newest first. */
  list(
    which: {
      readonly id?: string | undefined
      readonly userId?: UserId | undefined
      readonly name?: string | undefined
    },
    now: Instant,
  ): Promise<readonly ListedSession[]>
  /**
   * Ends one of `owner`: its proxy hears so with its next question.
   * @throws Refusal token_invalid, role_missing, user_locked, session_unknown
   */
  end(actor: Actor, target: { readonly id: string; readonly owner: UserId }, event: AuditEvent): Promise<void>
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

export interface StoredDocument<D extends Document = PolicyDocument> {
  readonly document: D
  readonly revision: string
}

/** Who wrote its newest revision; undefined where nobody did, or he was never a user. */
export interface WrittenDocument<D extends Document = PolicyDocument> extends StoredDocument<D> {
  readonly by: string | undefined
}

export interface WrittenUser extends WrittenDocument<UserDocument> {
  readonly id: UserId
}

/** `expected`: the revision that it replaces; undefined where none may be there. */
export interface DocumentChange extends StoredDocument {
  readonly expected: string | undefined
}

/** `before`: what the user held; undefined where none of the name may be there. */
export interface UserChange {
  readonly id: UserId
  readonly document: UserDocument
  readonly before: UserDocument | undefined
}

/** Changes of users, and what they were judged by. */
export interface UserChanges {
  readonly users: readonly UserChange[]
  /** Roles that somebody gains or loses, as they are once the documents are written. */
  readonly roles: readonly { readonly name: string; readonly revision: string }[]
  /** Who no longer may give roles. Of the others one must stay whose passkey vouches, as one was there before. */
  readonly losing: readonly UserId[]
  /** The roles that allow it, and those that deny it. */
  readonly giving: { readonly allowing: readonly string[]; readonly denying: readonly string[] }
  /** Passkeys of these count. */
  readonly rpIds: readonly string[]
}

export interface Documents {
  list(filter: {
    readonly kind?: string | undefined
    readonly name?: string | undefined
  }): Promise<readonly WrittenDocument[]>
  /**
   * All of them or none, with what is to change of users.
   * @throws Refusal token_invalid, role_missing, document_changed (also a user, or a role that he gains or loses), document_exists (a
   * resource of another kind has the name), own_role, name_taken, last_vouching
   */
  put(actor: Actor, changes: readonly DocumentChange[], event: AuditEvent, people?: UserChanges): Promise<void>
  /** @throws Refusal token_invalid, role_missing, document_changed, role_held */
  remove(
    actor: Actor,
    which: { readonly kind: string; readonly name: string; readonly expected: string },
    event: AuditEvent,
  ): Promise<void>
}
