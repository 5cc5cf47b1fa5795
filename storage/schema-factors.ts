/** The storage document, continued: what people sign in with beside passkeys. All of it is removed outright. */
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import type { TotpId, UserId } from '../core/model.ts'
import { bytes, instant } from './columns.ts'
import { users } from './schema-people.ts'

/** One password a user at most. */
export const passwords = sqliteTable('passwords', {
  userId: text('user_id')
    .$type<UserId>()
    .primaryKey()
    .references(() => users.id),
  /** 16 random bytes, base64url: another with each password that is set. */
  id: text('id').notNull(),
  /** PHC string: what made it, salt and hash. Hashed anew, with what is best by then, at a login. */
  hash: text('hash').notNull(),
  changedAt: instant('changed_at').notNull(),
})

/** Authenticator apps (RFC 6238). */
export const totps = sqliteTable(
  'totps',
  {
    /** 16 random bytes, base64url. */
    id: text('id').$type<TotpId>().primaryKey(),
    userId: text('user_id')
      .$type<UserId>()
      .notNull()
      .references(() => users.id),
    /** What its owner calls it; unique among the owner's. */
    name: text('name').notNull(),
    /** Its key under AES-256-GCM (core/lib/seal.ts), for this app of this user. */
    sealed: bytes('sealed').notNull(),
    /** The step of the newest code that was accepted: only later ones are. Moves forward only. */
    lastStep: integer('last_step').notNull(),
    createdAt: instant('created_at').notNull(),
    /** NULL until its first login. */
    lastUsedAt: instant('last_used_at'),
  },
  (table) => [uniqueIndex('totps_user_name').on(table.userId, table.name)],
)

/** Recovery codes of the newest set. */
export const recoveryCodes = sqliteTable(
  'recovery_codes',
  {
    /** SHA-256 of user and code, base64url. */
    hash: text('hash').primaryKey(),
    userId: text('user_id')
      .$type<UserId>()
      .notNull()
      .references(() => users.id),
    createdAt: instant('created_at').notNull(),
    /** NULL until it was used. */
    usedAt: instant('used_at'),
  },
  (table) => [index('recovery_codes_user').on(table.userId)],
)

/**
 * Failed attempts at the passwords of names, whether or not anybody has them: an answer must not say who is here. Gone with a login;
 * purged when they are forgotten.
 */
export const passwordAttempts = sqliteTable(
  'password_attempts',
  {
    /** HMAC of the name's key, base64url: what was typed may be a password in the wrong field. */
    id: text('id').primaryKey(),
    failures: integer('failures').notNull(),
    /** When they are forgotten; five before it lock the name until then. */
    forgottenAt: instant('forgotten_at').notNull(),
  },
  (table) => [index('password_attempts_forgotten').on(table.forgottenAt)],
)
