/** The storage document, continued: who is here. */
import { sql } from 'drizzle-orm'
import { sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import type { Traits } from '../core/access/pattern.ts'
import type { UserId } from '../core/model.ts'
import { instant } from './columns.ts'

/** People. Kept for good, also when removed: audit rows and vouches name them. */
export const users = sqliteTable(
  'users',
  {
    /** 16 random bytes, base64url; the WebAuthn user handle. */
    id: text('id').$type<UserId>().primaryKey(),
    /** As shown. */
    name: text('name').notNull(),
    /** NFKC in lower case: names that a hurried reader takes for one are one. */
    nameKey: text('name_key').notNull(),
    /** What templates of roles stand for, as an administrator wrote it; NULL where there is nothing. */
    traits: text('traits', { mode: 'json' }).$type<Traits>(),
    /** Who wrote roles and traits as a document; NULL where they are as the invite or the first start gave them. */
    updatedBy: text('updated_by').$type<UserId>(),
    /** The tap that approved that (`intent_id` in `approvals`); NULL where there was none. */
    approvedBy: text('approved_by'),
    /** When the first administrator registered, or the user was invited or written down. */
    createdAt: instant('created_at').notNull(),
    /** NULL while nobody removed the user. A removed user's name is free again. */
    removedAt: instant('removed_at'),
  },
  (table) => [uniqueIndex('users_name_key').on(table.nameKey).where(sql`removed_at is null`)],
)
