import { and, eq, gt, isNull, or } from 'drizzle-orm'
import type { LockDocument } from '../core/access/lock.ts'
import type { ClientSessionId, Instant, UserId } from '../core/model.ts'
import { Refusal } from '../core/refusal.ts'
import { clientSessions, codes, deviceCodes, documents, users } from './schema.ts'
import type { Db, Store } from './store.ts'

/** Whom a refused batch was about. */
export type Locked =
  | { readonly userId: UserId }
  | { readonly clientSessionId: ClientSessionId }
  /** The hash of an authorization code. */
  | { readonly code: string }
  /** The hash of a device code. */
  | { readonly deviceCode: string }

/** Tells a user who is locked out the lock's own words: by then his key or his token has shown who he is. */
export async function tellingLock<T>({ db }: Store, whom: Locked, at: Instant, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof Refusal && error.code === 'user_locked')) throw error
    const told = await messageFor(db, userOf(db, whom), at)
    throw new Refusal('user_locked', error.detail, { cause: error, told })
  }
}

function userOf(db: Db, whom: Locked) {
  if ('userId' in whom) return whom.userId
  if ('code' in whom) return db.select({ id: codes.userId }).from(codes).where(eq(codes.hash, whom.code))
  if ('deviceCode' in whom)
    return db.select({ id: deviceCodes.userId }).from(deviceCodes).where(eq(deviceCodes.hash, whom.deviceCode))
  return db
    .select({ id: clientSessions.userId })
    .from(clientSessions)
    .where(eq(clientSessions.id, whom.clientSessionId))
}

async function messageFor(db: Db, user: ReturnType<typeof userOf>, at: Instant): Promise<string> {
  const rows = await db
    .select({ document: documents.document })
    .from(documents)
    .innerJoin(users, eq(users.nameKey, documents.lockedUser))
    .where(and(eq(users.id, user), or(isNull(documents.expiresAt), gt(documents.expiresAt, at))))
    .limit(1)
  const lock = rows[0]?.document as LockDocument | undefined
  const words = lock?.spec.message
  return words === undefined ? 'This user is locked.' : `This user is locked: ${words}`
}
