/** The storage document, continued: what proxies are and must know. */
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { instant } from './columns.ts'

/**
 * Counts the changes that proxies must know. Triggers move it on with every change of users, roles, passkeys, documents and signing
 * keys (the migration that made this table has them), so that no batch can forget to.
 */
export const policy = sqliteTable('policy', {
  /** Always 1: there is one row. */
  slot: integer('slot').primaryKey(),
  sequence: integer('sequence').notNull(),
})

/** Proxies that may ask for snapshots and tell what happened. Kept when removed: audit rows name them. */
export const proxies = sqliteTable('proxies', {
  /** RFC 7638 thumbprint of its key, base64url. */
  id: text('id').primaryKey(),
  /** Its Ed25519 public key: x of the JWK, base64url. */
  x: text('x').notNull(),
  /** What the operator calls it. */
  name: text('name').notNull(),
  registeredAt: instant('registered_at').notNull(),
  /** NULL while it may ask. */
  removedAt: instant('removed_at'),
})
