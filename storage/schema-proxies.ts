/** The storage document, continued: what proxies are and must know. */
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { ResourceKind } from '../core/access/resource.ts'
import type { UserId } from '../core/model.ts'
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

/**
 * Sessions on resources of which proxies have told the beginning and not the end. What a proxy never told the end of goes when it tells
 * that it has started anew.
 */
export const openSessions = sqliteTable(
  'open_sessions',
  {
    /** As the proxy names it. */
    id: text('id').primaryKey(),
    userId: text('user_id').$type<UserId>().notNull(),
    proxyId: text('proxy_id').notNull(),
    /** Of which process of that proxy. */
    boot: text('boot').notNull(),
    kind: text('kind').$type<ResourceKind>().notNull(),
    resource: text('resource').notNull(),
    /** As whom, in words; empty where the kind has no principal. */
    principal: text('principal').notNull(),
    /** The name of the user with whose rights. */
    impersonated: text('impersonated'),
    address: text('address').notNull(),
    openedAt: instant('opened_at').notNull(),
    /** When somebody ended it: its proxy is told so until it tells the end. */
    endedAt: instant('ended_at'),
  },
  (table) => [index('open_sessions_proxy').on(table.proxyId), index('open_sessions_user').on(table.userId)],
)
