/** The storage document, continued: the taps that what stands here rests on. */
import { sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { Json } from '../core/intent.ts'
import type { UserId } from '../core/model.ts'
import type { Tap } from '../core/tap/verify.ts'
import { instant } from './columns.ts'
import { users } from './schema-people.ts'

/**
 * What an administrator approved with a tap and what stands because of it: the vouch of a document's revision, or of a passkey that may
 * vouch. Whoever has the passkey's public key can check it again. Kept for good, like the audit log.
 */
export const approvals = sqliteTable('approvals', {
  /** The id of the tapped intent. */
  intentId: text('intent_id').primaryKey(),
  /** Intent and assertion: the intent has the hash of `request`. */
  tap: text('tap', { mode: 'json' }).$type<Tap>().notNull(),
  /** The body that was tapped, whole. */
  request: text('request', { mode: 'json' }).$type<Json>().notNull(),
  userId: text('user_id')
    .$type<UserId>()
    .notNull()
    .references(() => users.id),
  at: instant('at').notNull(),
})
