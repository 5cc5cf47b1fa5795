/** The storage document, continued: what tokens are signed with. */
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { bytes, instant } from './columns.ts'

/**
 * Keys that sign tokens. The newest with `activated_at` is the current one, the one without is the next, older ones are retired.
 * Retired rows stay: whoever checks old evidence needs their public halves.
 */
export const signingKeys = sqliteTable('signing_keys', {
  /** 1, 2, 3 …: the primary key is the race of two rotations. */
  generation: integer('generation').primaryKey(),
  /** RFC 7638 thumbprint of the public half. */
  kid: text('kid').notNull(),
  /** The public half: x of an Ed25519 JWK (RFC 8037), base64url. */
  x: text('x').notNull(),
  /** The private half under AES-256-GCM (core/lib/seal.ts). NULL once retired: what signs no more is gone. */
  sealed: bytes('sealed'),
  createdAt: instant('created_at').notNull(),
  /** NULL: the next one. */
  activatedAt: instant('activated_at'),
  retiredAt: instant('retired_at'),
})
