/**
 * What core needs of the world: one interface a noun, verbs that carry their guarantee. Each verb is one round trip to
 * the database and atomic: all of it or nothing. A verb that could not do what it says throws the Refusal that names what
 * stood in the way, and has then written nothing.
 */
import type { Callers } from './access/known-caller.ts'
import type { Policy } from './access/policy.ts'
import type { Preference } from './access/preference.ts'
import type { Actor, Documents, Logins, OpenSessions, Users } from './admin-ports.ts'
import type { AuditEvent } from './audit.ts'
import type { DeviceCodes } from './device-flow-ports.ts'
import type { Factors, Person } from './factor-ports.ts'
import type { Keyring } from './issue/keyring.ts'
import type { Keys } from './keys.ts'
import type { Bytes } from './lib/bytes.ts'
import type { Signatures } from './lib/jws.ts'
import type { PasswordHashing } from './login/password-hash.ts'
import type {
  Asking,
  ClientSession,
  Credential,
  CredentialId,
  CredentialKind,
  Fingerprint,
  Holder,
  Instant,
  Origin,
  Session,
  SessionId,
  User,
  UserId,
} from './model.ts'
import type { AccessTokens } from './oauth/access-token.ts'
import type { ProofKeys } from './oauth/dpop.ts'
import type { Events, Grants, Proxies, Snapshots } from './proxy-ports.ts'
import type { RefusalDetail } from './refusal.ts'
import type { TappingKey } from './tap/verify.ts'
import type { ClientSessions, Codes, Copies, HeldRole, SigningKeys } from './token-ports.ts'
import type { Vouch } from './vouch.ts'

export interface Ports {
  readonly now: () => Instant
  /** From a cryptographically strong source. */
  readonly random: (length: number) => Bytes
  readonly keys: Keys
  readonly publicKeys: PublicKeys
  readonly credentials: Credentials
  readonly sessions: Sessions
  readonly administrator: Administrator
  readonly factors: Factors
  readonly passwords: PasswordHashing
  readonly codes: Codes
  readonly deviceCodes: DeviceCodes
  readonly clientSessions: ClientSessions
  readonly users: Users
  readonly logins: Logins
  readonly openSessions: OpenSessions
  readonly documents: Documents
  readonly preferences: Preferences
  readonly policies: Policies
  readonly signingKeys: SigningKeys
  readonly proxies: Proxies
  readonly snapshots: Snapshots
  readonly grants: Grants
  readonly events: Events
  readonly copies: Copies
  readonly keyring: Keyring
  readonly signatures: Signatures
  /** Keys of DPoP proofs by the header that names them: a client signs with one all day, and importing costs as much as checking. */
  readonly proofKeys: ProofKeys
  /** Those that were right a moment ago. */
  readonly accessTokens: AccessTokens
  /** Who called a moment ago. */
  readonly callers: Callers
  readonly audit: Audit
}

/** An intent's id, to be spent. It is kept until nobody accepts its ticket any more. */
export interface Spend {
  readonly id: string
  readonly expiresAt: Instant
}

/** A credential that just tapped, as it was when its signature was checked. */
export interface Tapped {
  readonly credentialId: CredentialId
  readonly userId: UserId
  readonly fingerprint: Fingerprint
  /** As which it was judged: what is a passkey must have verified its user. */
  readonly kind: CredentialKind
  /** What it signed for. */
  readonly rpId: string
  readonly counter: number
  readonly backedUp: boolean
  /** The revision of the preference by which it was judged. */
  readonly preference: string | undefined
}

/** `secretHash`: SHA-256 of the cookie's secret. */
export interface NewSession {
  readonly id: SessionId
  readonly secretHash: Bytes
  readonly openedAt: Instant
  readonly from: Origin
}

export interface NewCredential extends Omit<Credential, 'lastUsedAt'> {
  readonly counter: number
  readonly vouch: Vouch | undefined
}

/** What a browser's session cookie claims. */
export interface SessionClaim {
  readonly id: SessionId
  readonly secretHash: Bytes
}

/** Who calls, as far as cookies tell: what is missing is for the ceremony to refuse, so that it is written down. */
export interface Caller {
  readonly asking: Asking
  readonly holder: Holder | undefined
  readonly claim: SessionClaim | undefined
}

/** The public half of a credential and its kind, which never change, and whose it is. */
export interface KnownKey extends TappingKey {
  readonly userId: UserId
}

/**
 * Copies of public keys, in memory and perhaps in KV. They may be stale or even wrong: whoever uses one must have the
 * database confirm fingerprint, kind and user in the batch that has the effect, as all verbs below do.
 */
export interface PublicKeys {
  find(id: CredentialId): Promise<KnownKey | undefined>
  /** After a tap that was accepted. */
  keep(id: CredentialId, known: KnownKey): Promise<void>
}

/**
 * How people log in. What is known may be a minute old: whoever lets somebody in by it has the batch confirm the revision, as all
 * verbs below do, and tries once more with the newest (login/with-preference.ts).
 */
export interface Preferences {
  current(): Promise<Preference>
  newest(): Promise<Preference>
}

/** `sequence`: moves with everything that a decision on a session is made of: documents, users and what they hold. */
export interface KnownPolicy extends Policy {
  readonly sequence: number
}

/**
 * What a decision on a session is made of. What is known may be old: the batch that a grant rests on confirms its sequence, and whatever is
 * refused by an old one is decided once more by the newest (access/with-policy.ts).
 */
export interface Policies {
  current(): Promise<KnownPolicy>
  newest(): Promise<KnownPolicy>
}

export interface PasskeysInUse {
  readonly user: string
  readonly kind: CredentialKind
  readonly rpId: string
  readonly mayVouch: boolean
  readonly count: number
}

/** What must stay when something goes, as the preference has it whose revision the batch confirms. */
export interface Staying {
  /** What was made for another relying party opens nothing, so it counts for nothing. */
  readonly rpIds: readonly string[]
  /** Whether a security key signs in beside a password. */
  readonly securityKeys: boolean
}

export interface Credentials {
  /** Only one that is not removed. */
  find(id: CredentialId): Promise<Credential | undefined>
  /** Those of a user that are not removed, oldest first. */
  of(userId: UserId): Promise<readonly Credential[]>
  /** Those that trust begins with and that are not removed, and whose they are. */
  roots(): Promise<readonly { readonly user: string; readonly name: string; readonly fingerprint: Fingerprint }[]>
  /** How many passkeys people have, of which relying party. Those that are not removed. */
  inUse(): Promise<readonly PasskeysInUse[]>
  /**
   * Spends, confirms session and tapping credential (and that it may vouch, where `needsMayVouch`), moves the counter on,
   * adds the credential and exchanges the session for `session`, which ends when the old one would have.
   * @throws Refusal ticket_spent, session_missing, credential_changed, preference_changed, counter_regressed, passkey_exists, name_taken
   */
  add(
    adding: Change & { readonly credential: NewCredential; readonly needsMayVouch: boolean },
  ): Promise<{ readonly expiresAt: Instant }>
  /**
   * As `add`, but removes `credentialId`, whose fingerprint is `revision`, and ends its sessions. The last passkey stays, but where a
   * security key and a password are there and sign in too.
   * @throws Refusal also last_passkey, last_vouching; not_found when it is not a passkey of this user, or one that may vouch
   * while the tapping one may not
   */
  remove(
    removing: Change & { readonly credentialId: CredentialId; readonly revision: string; readonly staying: Staying },
  ): Promise<{ readonly expiresAt: Instant }>
  /** The same for a program that asks: it has no browser session to confirm and exchange. @throws Refusal also token_invalid */
  removeBy(
    actor: Actor,
    removing: Pick<Change, 'spend' | 'tapped' | 'event'> & {
      readonly credentialId: CredentialId
      readonly revision: string
      readonly staying: Staying
    },
  ): Promise<void>
  /**
   * From here on it may admit others. The tap is kept with it.
   * @throws Refusal of the actor; not_found when it is not a passkey of this user with this fingerprint, or already may
   */
  entrust(
    actor: Actor,
    passkey: { readonly credentialId: CredentialId; readonly userId: UserId; readonly fingerprint: string },
    event: AuditEvent,
  ): Promise<void>
}

/** A change to an account that a tap approved. */
export interface Change {
  readonly spend: Spend
  readonly tapped: Tapped
  readonly claim: SessionClaim
  readonly session: NewSession
  readonly event: AuditEvent
}

export interface Account extends Person {
  readonly held: readonly HeldRole[]
  readonly session: Session
  readonly sessions: readonly Session[]
  /** Those that run, and those that ended within a day otherwise than by their user. */
  readonly clientSessions: readonly ClientSession[]
  /** In the session that the link of a reset opened: who reset the user. */
  readonly reset: { readonly by: string; readonly at: Instant } | undefined
}

export interface Sessions {
  /**
   * A login: spends, confirms the credential, moves its counter on, opens the session.
   * @throws Refusal ticket_spent, credential_changed, preference_changed, counter_regressed, user_locked
   */
  open(login: {
    readonly spend: Spend
    readonly tapped: Tapped
    readonly session: NewSession
    /** Where no role of the user says an earlier end. */
    readonly expiresAt: Instant
    readonly event: AuditEvent
  }): Promise<{ readonly expiresAt: Instant }>
  /**
   * Whose session this is, with passkeys and sessions. undefined: no such session, it has ended, or it was idle for too long. This and
   * the two below are what counts as a request of it, and move its last one on.
   */
  account(claim: SessionClaim, now: Instant): Promise<Account | undefined>
  /** Whose session this is, with the passkeys that he may tap with, and not all that an account has gathered. */
  findWithPasskeys(claim: SessionClaim, now: Instant): Promise<Pick<Account, 'user' | 'credentials'> | undefined>
  /** The same with his roles, those of them that there are. */
  findWithRoles(claim: SessionClaim, now: Instant): Promise<Pick<Account, 'user' | 'held'> | undefined>
  /** Whose session this is. undefined: no such session, or it has ended. */
  find(claim: SessionClaim, now: Instant): Promise<User | undefined>
  /**
   * Ends `id`, a session of the same user as the claimed one, or the claimed one itself.
   * @throws Refusal session_missing; not_found when it is nobody's, somebody else's, or has ended
   */
  end(claim: SessionClaim, id: SessionId, event: AuditEvent): Promise<void>
}

/** `hash`: SHA-256 of the link's secret, base64url. `name`: who is to be recovered; undefined for the first administrator. */
export interface AdministratorLink {
  readonly hash: string
  readonly name?: string | undefined
  readonly expiresAt: Instant
}

export interface Administrator {
  /** The link that is open now, and whether there is an administrator (then no link opens any more). */
  state(): Promise<{ readonly exists: boolean; readonly link: AdministratorLink | undefined }>
  /**
   * Makes this the one link; an older one is dead from here on. `spend`: where the offer came over the network.
   * @throws Refusal administrator_exists for a first one, administrator_missing and user_locked for a recovery, ticket_spent
   */
  offer(link: AdministratorLink, event: AuditEvent, spend?: Spend): Promise<void>
  /**
   * Spends the intent and the link, makes the user with the root credential and opens the session.
   * @throws Refusal ticket_spent, link_invalid, preference_changed, name_taken, passkey_exists
   */
  claim(claim: {
    readonly spend: Spend
    readonly link: string
    /** The revision of the preference by which the registration was judged. */
    readonly preference: string | undefined
    readonly user: User
    readonly credential: NewCredential
    readonly session: NewSession
    readonly expiresAt: Instant
    readonly event: AuditEvent
  }): Promise<void>
  /**
   * Spends the intent and the link; of a user who is there removes all that let him in, ends all sessions and kills older links, and
   * makes any other; adds the root credential, gives all preset roles, opens the session.
   * @throws Refusal ticket_spent, link_invalid, preference_changed, user_locked, name_taken, passkey_exists
   */
  recover(recovery: {
    readonly spend: Spend
    readonly link: string
    /** The revision of the preference by which the registration was judged. */
    readonly preference: string | undefined
    readonly user: User
    /** Whether the user was not there when the ceremony began. */
    readonly isNew: boolean
    readonly credential: NewCredential
    readonly session: NewSession
    readonly expiresAt: Instant
    readonly event: AuditEvent
  }): Promise<{ readonly expiresAt: Instant }>
}

export interface RecordedEvent {
  readonly seq: number
  readonly at: Instant
  readonly kind: string
  readonly outcome: AuditEvent['outcome']
  readonly code: string | undefined
  readonly user: string | undefined
  readonly from: Origin
  readonly requestId: string
  readonly detail: RefusalDetail | undefined
}

export interface Audit {
  record(event: AuditEvent): Promise<void>
  /** Newest first, those before `before`. */
  list(query: {
    readonly before: number
    readonly limit: number
    readonly user?: string | undefined
    readonly kind?: string | undefined
  }): Promise<readonly RecordedEvent[]>
  /** The one of a number, or the newest hundred of a request; where `userId` is given only what that user did. */
  find(id: string, userId: UserId | undefined): Promise<readonly RecordedEvent[]>
}
