/** The storage document, continued: which cluster it is, and the operator's link to it. */
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { instant } from './columns.ts'

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

/** The operator's open link: for the first administrator, or to recover one. One row at most; gone once it is used. */
export const administratorLink = sqliteTable('administrator_link', {
  /** Always 1: a new link kills the one before. */
  slot: integer('slot').primaryKey(),
  /** SHA-256 of the secret, base64url. */
  hash: text('hash').notNull(),
  /** Who is to be recovered; NULL for the first administrator, who chooses a name. */
  name: text('name'),
  /** One hour after it was made. */
  expiresAt: instant('expires_at').notNull(),
})
