import * as schema from '../../storage/schema.ts'
import type { Statements, Store } from '../../storage/store.ts'

/** The count of changes is a row that stays. */
const { users, credentials, approvals, policy: _, ...others } = schema
/** In the order in which rows refer to each other: everything else refers to passkeys, taps and people, passkeys to taps and people. */
const tables = [...Object.values(others), credentials, approvals, users]

/** workerd gives a test file one D1: each test clears it. */
export async function emptied(store: Store): Promise<Store> {
  await store.atomically(tables.map((table) => store.db.delete(table)) as unknown as Statements)
  return store
}
