/** The storage document, continued: what people tap with. */
import { sql } from 'drizzle-orm'
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import type { Attestation } from '../core/login/attestation.ts'
import type { CredentialId, CredentialKind, Fingerprint, UserId } from '../core/model.ts'
import type { Vouch } from '../core/vouch.ts'
import { bytes, flag, instant } from './columns.ts'
import { approvals } from './schema-approvals.ts'
import { users } from './schema-people.ts'

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
    /** What it was registered as: a passkey signs its owner in alone, a security key beside a password. */
    kind: text('kind').$type<CredentialKind>().notNull().default('passkey'),
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
    /** What it showed of its make when it was registered; NULL for those that came before this was kept. */
    attestation: text('attestation', { mode: 'json' }).$type<Attestation>(),
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
    /** The tap that let it vouch, where it was let in without; NULL where none did. */
    entrustedBy: text('entrusted_by').references(() => approvals.intentId),
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
