/** The storage document, continued: programs that wait for an answer in a browser elsewhere. */
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { ClientSessionId, CredentialId, Holder, TotpId, UserId } from '../core/model.ts'
import { instant } from './columns.ts'

/**
 * Device codes (RFC 8628), bound to the program's key. A row goes ten minutes after it expired, when the next code is made, or with the
 * hourly purge. Users and passkeys are never removed outright, so what names them here holds.
 */
export const deviceCodes = sqliteTable(
  'device_codes',
  {
    /** SHA-256 of the device code, base64url. */
    hash: text('hash').primaryKey(),
    /** What the person types, `BCDF-GHJK`. No secret: whoever knows it can approve only for himself. */
    userCode: text('user_code').notNull().unique('device_codes_user_code'),
    /** The client session that it opens. */
    clientSessionId: text('client_session_id').$type<ClientSessionId>().notNull(),
    clientId: text('client_id').notNull(),
    /** RFC 7638 thumbprint of the program's DPoP key. */
    jkt: text('jkt').$type<Holder>().notNull(),
    scope: text('scope').notNull(),
    /** Where the program asked from. */
    address: text('address').notNull(),
    place: text('place').notNull(),
    browser: text('browser').notNull(),
    askedAt: instant('asked_at').notNull(),
    /** Ten minutes after that. */
    expiresAt: instant('expires_at').notNull(),
    /** Milliseconds that the program has to wait between two polls: more each time that it did not. */
    interval: integer('interval').notNull(),
    /** NULL until the first poll. */
    polledAt: instant('polled_at'),
    /** Who answered; NULL while nobody did. */
    userId: text('user_id').$type<UserId>(),
    /** NULL unless the answer was no. */
    refusedAt: instant('refused_at'),
    /** NULL unless it was yes: when, the passkey that tapped (or the app and the password that were shown), the intent. */
    authenticatedAt: instant('authenticated_at'),
    credentialId: text('credential_id').$type<CredentialId>(),
    totpId: text('totp_id').$type<TotpId>(),
    passwordId: text('password_id'),
    intentId: text('intent_id'),
    /** NULL until it was exchanged. */
    usedAt: instant('used_at'),
  },
  (table) => [index('device_codes_expires').on(table.expiresAt)],
)
