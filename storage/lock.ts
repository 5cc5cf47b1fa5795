import { eq, type SQLWrapper, sql } from 'drizzle-orm'
import { type LockDocument, lockInWords } from '../core/access/lock.ts'
import type { ClientSessionId, Instant } from '../core/model.ts'
import { Refusal } from '../core/refusal.ts'
import { type Acting, type Lockable, lockableOf, locksOn } from './lock-statements.ts'
import { clientSessions, codes, deviceCodes } from './schema.ts'
import type { Store } from './store.ts'

/** Whom a refused batch was about. */
export type Locked =
  | Acting
  | { readonly clientSessionId: ClientSessionId }
  /** The hash of an authorization code. */
  | { readonly code: string }
  /** The hash of a device code. */
  | { readonly deviceCode: string }

/** Tells a user who is locked out the lock's own words: by then his key or his token has shown who he is. The operator reads its name. */
export async function tellingLock<T>({ db }: Store, whom: Locked, at: Instant, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof Refusal && error.code === 'user_locked')) throw error
    const [row] = await locksOn(db, whoOf(whom), at)
    const lock = row?.document as LockDocument | undefined
    // Lifted in this very moment: that there was one is all that is left to say.
    if (!lock) throw new Refusal('user_locked', error.detail, { cause: error, told: 'This user is locked.' })
    const detail = { ...error.detail, lock: lock.metadata.name }
    throw new Refusal('user_locked', detail, { cause: error, told: lockInWords(lock) })
  }
}

function whoOf(whom: Locked): Lockable {
  if ('userId' in whom) return lockableOf(whom)
  if ('code' in whom) return ownerIn(codes, eq(codes.hash, whom.code))
  if ('deviceCode' in whom) return ownerIn(deviceCodes, eq(deviceCodes.hash, whom.deviceCode))
  return ownerIn(clientSessions, eq(clientSessions.id, whom.clientSessionId))
}

function ownerIn(
  table: typeof codes | typeof deviceCodes | typeof clientSessions,
  which: SQLWrapper | undefined,
): Lockable {
  const of = (column: SQLWrapper) => sql`(select ${column} from ${table} where ${which})`
  return { user: of(table.userId), devices: [of(table.credentialId)] }
}
