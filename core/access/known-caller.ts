/**
 * Who called a moment before, and comes now with what he was asked for. What a process knows of him saves a round trip: the batch of his
 * request confirms that nothing of it has changed.
 */
import type { Lru } from '../lib/lru.ts'
import type { ClientSessionId } from '../model.ts'
import type { Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { enter, type Principal, type VerifiedCall } from './principal.ts'

/** As their last call found them. */
export type Callers = Lru<ClientSessionId, Omit<Principal, 'asking' | 'unspent'>>

/**
 * `work` has one batch, which spends `unspent` where it is there. What is refused of a caller who is known is decided once more of what the
 * database says: a refused batch has written nothing, and what was known may be old.
 */
export async function withCaller<T>(
  ports: Pick<Ports, 'clientSessions' | 'callers' | 'policies' | 'now'>,
  call: VerifiedCall,
  work: (caller: Principal) => Promise<T>,
): Promise<T> {
  const known = await knownCaller(ports, call)
  if (!known) return work(await enter(ports, call))
  try {
    return await work(known)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return work(await enter(ports, call))
  }
}

/** undefined: nobody of that key was here, or the policy is another by now. */
async function knownCaller(
  { callers, policies }: Pick<Ports, 'callers' | 'policies'>,
  { sessionId, userId, jkt, asking, spend }: VerifiedCall,
): Promise<Principal | undefined> {
  const known = callers.get(sessionId)
  if (!known || known.jkt !== jkt || known.user.id !== userId) return undefined
  const { sequence } = await policies.current()
  return known.sequence === sequence ? { ...known, asking, unspent: spend } : undefined
}
