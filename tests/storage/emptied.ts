import { administratorLink, audit, cluster, credentials, guards, sessions, spent, users } from '../../storage/schema.ts'
import type { Statements, Store } from '../../storage/store.ts'

/** In the order in which rows refer to each other. */
const tables = [sessions, credentials, users, spent, audit, administratorLink, cluster, guards]

/** workerd gives a test file one D1: each test clears it. */
export async function emptied(store: Store): Promise<Store> {
  await store.atomically(tables.map((table) => store.db.delete(table)) as unknown as Statements)
  return store
}
