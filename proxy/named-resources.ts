/**
 * The resource that a hello names. One that was made a moment ago is not known here yet, and whoever made it connects at once: so of an
 * unknown name the edge is asked, and the hello waits. Strangers can send such names too: all of them together have one question a second.
 */
import { setTimeout as after } from 'node:timers/promises'
import type { ResourceDocument } from '../core/access/resource.ts'
import { type Duration, seconds } from '../core/model.ts'
import { Refusal } from '../core/refusal.ts'
import { noLongerThan } from './no-longer.ts'
import type { Trust } from './trust.ts'

export interface NamedResources {
  /** By the first label: the rest is a name of the proxy. undefined also where nothing may be believed any more (trust.ts). */
  find(serverName: string): Promise<ResourceDocument | undefined>
}

const between: Duration = seconds(1)
/** Its turn comes within a second; an edge that takes longer than another is as one that is away. */
const patience: Duration = seconds(2)

export function makeNamedResources(trust: Pick<Trust, 'fresh' | 'ask'>): NamedResources {
  let [next, askedAt]: [Promise<void> | undefined, number] = [undefined, Number.NEGATIVE_INFINITY]
  const ask = async () => {
    await after(Math.max(0, askedAt + between - performance.now()))
    // An answer is of the time of its question: who comes from here on waits for the one after.
    next = undefined
    askedAt = performance.now()
    await trust.ask()
  }
  return {
    find: async (serverName) => {
      const name = serverName.split('.', 1)[0] as string
      const known = trustedIn(trust)
      if (!known || known.has(name)) return known?.get(name)
      next ??= ask()
      await noLongerThan(patience, next)
      return trustedIn(trust)?.get(name)
    },
  }
}

function trustedIn(trust: Pick<Trust, 'fresh'>): ReadonlyMap<string, ResourceDocument> | undefined {
  try {
    return trust.fresh().known.resources
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}
