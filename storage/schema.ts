/**
 * The storage document: what every table and column is for, and how long it lives. Instants are milliseconds since 1970,
 * as numbers (D1 takes no bigint). Nothing is removed by cascade: on D1 a rebuilt table would take its children along.
 */
import { sql } from 'drizzle-orm'
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import type { AuditEvent, Evidence } from '../core/audit.ts'
import type { Json } from '../core/intent.ts'
import type {
  ClientSessionId,
  CredentialId,
  Holder,
  InviteId,
  LoginVia,
  SessionId,
  SessionVia,
  TotpId,
  UserId,
} from '../core/model.ts'
import type { RefusalDetail } from '../core/refusal.ts'
import type { Tap } from '../core/tap/verify.ts'
import type { VouchKey } from '../core/vouch.ts'
import { bytes, instant } from './columns.ts'
import { credentials } from './schema-credentials.ts'
import { users } from './schema-people.ts'

export * from './schema-approvals.ts'
export * from './schema-cluster.ts'
export * from './schema-credentials.ts'
export * from './schema-device-flow.ts'
export * from './schema-documents.ts'
export * from './schema-factors.ts'
export * from './schema-people.ts'
export * from './schema-proxies.ts'
export * from './schema-signing-keys.ts'

/** Ids of intents that were answered, and that a code was given for one (`code.INTENT.APP`): once-only facts. A row lives an hour longer than its ticket. */
export const spent = sqliteTable(
  'spent',
  {
    /** The primary key is the race: a second answer aborts its whole batch. */
    id: text('id').primaryKey(),
    expiresAt: instant('expires_at').notNull(),
  },
  (table) => [index('spent_expires').on(table.expiresAt)],
)

/**
 * Always empty. A batch that finds a fact changed since it was read inserts NULL into the column of that name: the
 * constraint fails, the whole batch is undone, and the message says which guard it was. (An UPDATE that matches no row
 * would abort nothing.)
 */
export const guards = sqliteTable('guards', {
  /** The tapping credential is there, the user's, and has the key that was checked. */
  credential: integer('credential').notNull().default(0),
  /** The credential's counter is behind the one that was signed, or both are 0. */
  counter: integer('counter').notNull().default(0),
  /** The claimed session runs, and is the tapping user's. */
  session: integer('session').notNull().default(0),
  /** The operator's link is the open one, and for what it is shown for. */
  link: integer('link').notNull().default(0),
  /** There is no administrator yet; there is one already, where one is to be recovered. */
  administrator: integer('administrator').notNull().default(0),
  /** The passkey to remove is the user's and the one that was approved. */
  target: integer('target').notNull().default(0),
  /** Another passkey stays. */
  last: integer('last').notNull().default(0),
  /** A passkey that may vouch stays in the cluster. */
  vouching: integer('vouching').notNull().default(0),
  /** No lock in force names the user, a role of his, or what let him in. */
  lock: integer('lock').notNull().default(0),
  /** The code is there, unused, and of this client, redirect, challenge and key. */
  code: integer('code').notNull().default(0),
  /** The client session runs, and its key is the one that was shown. */
  client: integer('client').notNull().default(0),
  /** The invite is open. */
  invite: integer('invite').notNull().default(0),
  /** The document, or what the user holds, is as it was read, or is not there where nothing was. */
  revision: integer('revision').notNull().default(0),
  /** The caller still holds the role that the action needs. */
  role: integer('role').notNull().default(0),
  /** A role that is given to a user is there. */
  given: integer('given').notNull().default(0),
  /** No user holds the role that is removed; the caller does not hold the one that he changes. */
  held: integer('held').notNull().default(0),
  /** The signing key to retire is still the current one. */
  rotation: integer('rotation').notNull().default(0),
  /** The preference about logins is the one that was read, or there is still none. */
  preference: integer('preference').notNull().default(0),
  /** The device code waits for its answer, or has the one that is needed. */
  device: integer('device').notNull().default(0),
  /** A role of the user allows the device flow. */
  flow: integer('flow').notNull().default(0),
  /** There is room for one more device code. */
  room: integer('room').notNull().default(0),
  /** The password is the one that was checked. */
  password: integer('password').notNull().default(0),
  /** The authenticator app is there, and no code of this step or a later one was used. */
  step: integer('step').notNull().default(0),
  /** The recovery code is there and unused. */
  recovery: integer('recovery').notNull().default(0),
  /** The user has as many passkeys and authenticator apps as when it was decided. */
  factors: integer('factors').notNull().default(0),
})

/** Which roles a user holds, by name: a preset, or a document. Gone with the user. */
export const userRoles = sqliteTable(
  'user_roles',
  {
    userId: text('user_id')
      .$type<UserId>()
      .notNull()
      .references(() => users.id),
    role: text('role').notNull(),
  },
  (table) => [primaryKey({ columns: [table.userId, table.role] }), index('user_roles_role').on(table.role)],
)

/**
 * Links of users who are to register a passkey: invited, or reset (the tapped intent's path says which). Kept for audit; one
 * works once, until it expires. A whole copy of this table lets nobody in: the private half of `key` is in the link alone.
 */
export const invites = sqliteTable(
  'invites',
  {
    /** RFC 7638 thumbprint of `key`, base64url. */
    id: text('id').$type<InviteId>().primaryKey(),
    userId: text('user_id')
      .$type<UserId>()
      .notNull()
      .references(() => users.id),
    /** The public half; signs the vouch for the new passkey. */
    key: text('key', { mode: 'json' }).$type<VouchKey>().notNull(),
    /** The administrator's tap: its intent has the hash of `request`. */
    tap: text('tap', { mode: 'json' }).$type<Tap>().notNull(),
    /** The request that the tap approved, whole: it names user and key, and the roles of somebody new. */
    request: text('request', { mode: 'json' }).$type<Json>().notNull(),
    /** Who invited or reset. */
    invitedBy: text('invited_by').$type<UserId>().notNull(),
    createdAt: instant('created_at').notNull(),
    /** Set to now where a newer link takes its place. */
    expiresAt: instant('expires_at').notNull(),
    /** NULL until its passkey is registered. */
    usedAt: instant('used_at'),
  },
  (table) => [index('invites_user').on(table.userId)],
)

/** Authorization codes (RFC 6749 section 4.1.2). Purged an hour after they expired. */
export const codes = sqliteTable(
  'codes',
  {
    /** SHA-256 of the code, base64url. */
    hash: text('hash').primaryKey(),
    /** The client session that it opens; known before, so that a second use can end it. */
    clientSessionId: text('client_session_id').$type<ClientSessionId>().notNull(),
    clientId: text('client_id').notNull(),
    redirectUri: text('redirect_uri').notNull(),
    /** PKCE, S256. */
    codeChallenge: text('code_challenge').notNull(),
    /** RFC 7638 thumbprint of the client's DPoP key. */
    jkt: text('jkt').$type<Holder>().notNull(),
    scope: text('scope').notNull(),
    /** OpenID Connect's, for the ID token; empty where there is none. */
    nonce: text('nonce').notNull(),
    userId: text('user_id')
      .$type<UserId>()
      .notNull()
      .references(() => users.id),
    /** The passkey that approved. NULL: password and code did, where the preference knows only codes. */
    credentialId: text('credential_id')
      .$type<CredentialId>()
      .references(() => credentials.id),
    /** The app and the password that did, which are removed outright. NULL: a passkey did. */
    totpId: text('totp_id').$type<TotpId>(),
    passwordId: text('password_id'),
    /** The intent that was approved. */
    intentId: text('intent_id').notNull(),
    authenticatedAt: instant('authenticated_at').notNull(),
    /** One minute after it was made. */
    expiresAt: instant('expires_at').notNull(),
    /** NULL until it was exchanged. */
    usedAt: instant('used_at'),
  },
  (table) => [index('codes_expires').on(table.expiresAt)],
)

/** Logins of programs: one refresh family each, bound to one key. Purged 30 days after they ended or expired. */
export const clientSessions = sqliteTable(
  'client_sessions',
  {
    /** 16 random bytes, base64url; `sid` in the tokens. */
    id: text('id').$type<ClientSessionId>().primaryKey(),
    userId: text('user_id')
      .$type<UserId>()
      .notNull()
      .references(() => users.id),
    /** The passkey that approved; when that is removed, the session ends. NULL: password and code did. */
    credentialId: text('credential_id')
      .$type<CredentialId>()
      .references(() => credentials.id),
    /** The app that did; when that is removed or the password is another, the session ends. NULL: a passkey did. */
    totpId: text('totp_id').$type<TotpId>(),
    clientId: text('client_id').notNull(),
    /** RFC 7638 thumbprint of its key: whatever is signed by another is not of this session. */
    jkt: text('jkt').$type<Holder>().notNull(),
    scope: text('scope').notNull(),
    /** By which flow it began: the device flow's reach resources and do nothing else. */
    via: text('via').$type<LoginVia>().notNull().default('browser'),
    /** When it was approved; no refresh moves it. */
    authenticatedAt: instant('authenticated_at').notNull(),
    /** Which refresh token is the newest, counted from 1. The tokens themselves are nowhere: see core/oauth/refresh.ts. */
    generation: integer('generation').notNull(),
    rotatedAt: instant('rotated_at').notNull(),
    /** 12 hours after the tap, or sooner where a role says so. */
    expiresAt: instant('expires_at').notNull(),
    endedAt: instant('ended_at'),
    /** Why: ClientSessionEnd in core/model.ts. */
    endReason: text('end_reason'),
    /** The request that ended it, so that of several only one writes the audit row. */
    endedBy: text('ended_by'),
    /** Where its code was exchanged. */
    address: text('address').notNull(),
    place: text('place').notNull(),
    browser: text('browser').notNull(),
  },
  (table) => [index('client_sessions_user').on(table.userId), index('client_sessions_expires').on(table.expiresAt)],
)

/** Browser sessions. A row is purged 30 days after its session ended or expired. */
export const sessions = sqliteTable(
  'sessions',
  {
    /** 16 random bytes, base64url: the first half of the cookie. New at every step up. */
    id: text('id').$type<SessionId>().primaryKey(),
    /** SHA-256 of the cookie's second half: a copied database opens no session. */
    secretHash: bytes('secret_hash').notNull(),
    userId: text('user_id')
      .$type<UserId>()
      .notNull()
      .references(() => users.id),
    /** What was shown for it: SessionVia in core/model.ts. */
    via: text('via').$type<SessionVia>().notNull(),
    /** The credential that tapped for it; when that is removed, the session ends. NULL: none did. */
    credentialId: text('credential_id')
      .$type<CredentialId>()
      .references(() => credentials.id),
    /** The authenticator app whose code was shown. NULL: none was. Apps are removed outright, so it refers to none for good. */
    totpId: text('totp_id').$type<TotpId>(),
    openedAt: instant('opened_at').notNull(),
    /** 12 hours after the login, whatever is done in between. */
    expiresAt: instant('expires_at').notNull(),
    /** The last request of it, to a minute: an hour without one ends it. */
    lastSeenAt: instant('last_seen_at').notNull().default(0),
    /** NULL while nobody ended it. */
    endedAt: instant('ended_at'),
    /** The address that it was opened from. */
    address: text('address').notNull(),
    /** City and country where the platform tells it, else empty. */
    place: text('place').notNull(),
    /** Such as "Chrome on Linux". */
    browser: text('browser').notNull(),
  },
  (table) => [index('sessions_user').on(table.userId), index('sessions_expires').on(table.expiresAt)],
)

/** What happened and what was refused, with the evidence. Kept; only ever added to. No secret, ticket or cookie. */
export const audit = sqliteTable(
  'audit',
  {
    seq: integer('seq').primaryKey({ autoIncrement: true }),
    at: instant('at').notNull(),
    /** Of which ceremony: AuditKind in core/audit.ts. */
    kind: text('kind').notNull(),
    /** done or refused. */
    outcome: text('outcome').$type<AuditEvent['outcome']>().notNull(),
    /** The refusal's code: the rule that decided. */
    code: text('code'),
    userId: text('user_id'),
    credentialId: text('credential_id'),
    sessionId: text('session_id'),
    /** The intent that was answered. */
    intentId: text('intent_id'),
    /** Of an event that a proxy tells: told twice, it is written once. NULL for what happened here. */
    eventId: text('event_id'),
    /** Shared with the log lines of the same request. */
    requestId: text('request_id').notNull(),
    address: text('address').notNull(),
    place: text('place').notNull(),
    browser: text('browser').notNull(),
    /** More of the refusal, for the operator. */
    detail: text('detail', { mode: 'json' }).$type<RefusalDetail>(),
    /** Intent and signature, for anybody to check again. */
    evidence: text('evidence', { mode: 'json' }).$type<Evidence>(),
  },
  (table) => [
    index('audit_at').on(table.at),
    index('audit_user').on(table.userId),
    uniqueIndex('audit_event').on(table.eventId).where(sql`event_id is not null`),
  ],
)
