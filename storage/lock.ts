import { and, eq, gt, isNull, or } from 'drizzle-orm'
import type { LockDocument } from '../core/access/lock.ts'
import type { ClientSessionId, Instant, UserId } from '../core/model.ts'
import { Refusal } from '../core/refusal.ts'
import { clientSessions, documents, users } from './schema.ts'
import type { Db, Store } from './store.ts'

/** Whom a refused batch was about. */
export type Locked = { readonly userId: UserId } | { readonly clientSessionId: ClientSessionId }

/** Tells a user who is locked out the lock's own words: by then his key or his token has shown who he is. */
export async function tellingLock<T>({ db }: Store, whom: Locked, at: Instant, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof Refusal && error.code === 'user_locked')) throw error
    const user = 'userId' in whom ? whom.userId : undefined
    const told = await messageFor(
      db,
      user ?? userOf(db, (whom as { clientSessionId: ClientSessionId }).clientSessionId),
      at,
    )
    throw new Refusal('user_locked', error.detail, { cause: error, told })
  }
}

const userOf = (db: Db, id: ClientSessionId) =>
  db.select({ id: clientSessions.userId }).from(clientSessions).where(eq(clientSessions.id, id))

async function messageFor(db: Db, user: UserId | ReturnType<typeof userOf>, at: Instant): Promise<string> {
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
