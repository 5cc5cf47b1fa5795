/** The storage document, continued: what administrators write. */
import { sql } from 'drizzle-orm'
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import type { Json } from '../core/intent.ts'
import type { UserId } from '../core/model.ts'
import { flag, instant } from './columns.ts'
import { approvals } from './schema-approvals.ts'

/**
 * Roles, resources, locks and the preference about logins as administrators write them. A row is one document at its newest revision; what it was before
 * stands in the audit log. Removed outright.
 */
export const documents = sqliteTable(
  'documents',
  {
    /** role, db, lock, cluster_auth_preference. */
    kind: text('kind').notNull(),
    name: text('name').notNull(),
    /** In its normal form: what `get` shows and `decide` reads. */
    document: text('document', { mode: 'json' }).$type<Json>().notNull(),
    /** SHA-256 of the canonical document, base64url. */
    revision: text('revision').notNull(),
    /**
     * Of a role options.max_session_ttl, of the preference default_session_ttl, in ms: so that a session's end is reckoned where
     * it is opened.
     */
    maxSessionTtl: integer('max_session_ttl'),
    /** Of a role: options.device_flow. NULL is no. */
    deviceFlow: flag('device_flow'),
    /** Of a lock: what it names, as `lockedBy` in core/access/lock.ts spells it, such as `user:ada`. */
    lockKey: text('lock_key'),
    /** Of a lock: when it ends by itself; NULL is never. */
    expiresAt: instant('expires_at'),
    updatedAt: instant('updated_at').notNull(),
    updatedBy: text('updated_by').$type<UserId>().notNull(),
    /** The tap that approved this revision; NULL where a recent login was enough. */
    approvedBy: text('approved_by').references(() => approvals.intentId),
  },
  (table) => [
    primaryKey({ columns: [table.kind, table.name] }),
    // Names of resources become host names: one is taken for all kinds.
    uniqueIndex('documents_resource')
      .on(table.name)
      .where(sql`kind not in ('role', 'lock', 'cluster_auth_preference')`),
    index('documents_lock_key').on(table.lockKey).where(sql`lock_key is not null`),
  ],
)
