/**
 * The storage document: what every table and column is for, and how long it lives. Instants are milliseconds since 1970,
 * as numbers (D1 takes no bigint). Nothing is removed by cascade: on D1 a rebuilt table would take its children along.
 */
import { sql } from 'drizzle-orm'
import { customType, index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import type { Evidence } from '../core/audit.ts'
import type { CredentialId, Fingerprint, SessionId, UserId } from '../core/model.ts'
import type { RefusalDetail } from '../core/refusal.ts'
import type { Vouch } from '../core/vouch.ts'

/** drizzle's own blob() answers a Buffer, which workerd lacks without nodejs_compat; D1 answers number[]. */
const bytes = customType<{ data: Uint8Array<ArrayBuffer>; driverData: Uint8Array | ArrayBuffer | number[] }>({
  dataType: () => 'blob',
  fromDriver: (value) => new Uint8Array(value),
})
const instant = (name: string) => integer(name)
const flag = (name: string) => integer(name, { mode: 'boolean' })

/** Which cluster this database belongs to. One row, written when the database is made, for good. */
export const cluster = sqliteTable('cluster', {
  /** Always 1: there is one row. */
  slot: integer('slot').primaryKey(),
  /** The cluster's name, as in every intent. */
  name: text('name').notNull(),
  /** Derived from SALLYPORT_KEY, public: tells a wrong key before anything is written under it. */
  keyCheck: text('key_check').notNull(),
  createdAt: instant('created_at').notNull(),
})

/** The open link for the first administrator. One row at most; replaced at each start, gone once it is used. */
export const administratorLink = sqliteTable('administrator_link', {
  /** Always 1: a new link kills the one before. */
  slot: integer('slot').primaryKey(),
  /** SHA-256 of the secret, base64url. */
  hash: text('hash').notNull(),
  /** One hour after it was made. */
  expiresAt: instant('expires_at').notNull(),
})

/** Ids of intents that were answered: once-only facts. A row lives an hour longer than its ticket. */
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
  /** The link for the first administrator is the open one. */
  link: integer('link').notNull().default(0),
  /** There is no administrator yet. */
  administrator: integer('administrator').notNull().default(0),
  /** The passkey to remove is the user's and the one that was approved. */
  target: integer('target').notNull().default(0),
  /** Another passkey stays. */
  last: integer('last').notNull().default(0),
})

/** People. Kept for good: audit rows and vouches name them. */
export const users = sqliteTable(
  'users',
  {
    /** 16 random bytes, base64url; the WebAuthn user handle. */
    id: text('id').$type<UserId>().primaryKey(),
    /** As shown. */
    name: text('name').notNull(),
    /** NFKC in lower case: names that a hurried reader takes for one are one. */
    nameKey: text('name_key').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [uniqueIndex('users_name_key').on(table.nameKey)],
)

/** Passkeys and security keys. Kept after removal, for audit and vouch chains; a removed one opens nothing. */
export const credentials = sqliteTable(
  'credentials',
  {
    /** The credential id that the authenticator made, base64url. */
    id: text('id').$type<CredentialId>().primaryKey(),
    userId: text('user_id')
      .$type<UserId>()
      .notNull()
      .references(() => users.id),
    /** What its owner calls it; unique among the owner's passkeys that are not removed. */
    name: text('name').notNull(),
    /** COSE_Key, as the authenticator wrote it. */
    publicKey: bytes('public_key').notNull(),
    /** SHA-256 of publicKey, base64url: names the key in vouches and in the proxies' configuration. */
    fingerprint: text('fingerprint').$type<Fingerprint>().notNull(),
    /** The relying party that it was made for: it works for no other. */
    rpId: text('rp_id').notNull(),
    /** Signature counter; always 0 for most passkeys. Moves forward only. */
    counter: integer('counter').notNull(),
    /** How browsers reach it: usb, nfc, ble, smart-card, hybrid, internal. */
    transports: text('transports', { mode: 'json' }).$type<string[]>().notNull(),
    /** The make that it claims to be, in the form of a UUID. */
    aaguid: text('aaguid').notNull(),
    /** BE: may be synced to other devices. Fixed at registration. */
    backupEligible: flag('backup_eligible').notNull(),
    /** BS: was backed up when it was used last. */
    backedUp: flag('backed_up').notNull(),
    /** May admit people, devices and policy. */
    mayVouch: flag('may_vouch').notNull(),
    /** A root credential: made by the first administrator's link, vouched for by nobody. */
    isRoot: flag('is_root').notNull(),
    /** Why it was let in; NULL for a root. */
    vouch: text('vouch', { mode: 'json' }).$type<Vouch>(),
    createdAt: instant('created_at').notNull(),
    /** NULL until its first tap after registration. */
    lastUsedAt: instant('last_used_at'),
    /** NULL while it is in use. */
    removedAt: instant('removed_at'),
  },
  (table) => [
    index('credentials_user').on(table.userId),
    uniqueIndex('credentials_fingerprint').on(table.fingerprint),
    uniqueIndex('credentials_user_name').on(table.userId, table.name).where(sql`removed_at is null`),
  ],
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
    /** The credential that tapped for it; when that is removed, the session ends. */
    credentialId: text('credential_id')
      .$type<CredentialId>()
      .notNull()
      .references(() => credentials.id),
    openedAt: instant('opened_at').notNull(),
    /** 12 hours after the login, whatever is done in between. */
    expiresAt: instant('expires_at').notNull(),
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
    outcome: text('outcome').notNull(),
    /** The refusal's code: the rule that decided. */
    code: text('code'),
    userId: text('user_id'),
    credentialId: text('credential_id'),
    sessionId: text('session_id'),
    /** The intent that was answered. */
    intentId: text('intent_id'),
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
  (table) => [index('audit_at').on(table.at), index('audit_user').on(table.userId)],
)
