/** The connections of static routes, from before the backend is dialled: so many in all, and so many for one network. */
import type { Duration } from '../core/model.ts'
import type { Limits } from './limits.ts'
import { OpenSet } from './open-set.ts'
import { makeQuota } from './quota.ts'
import type { CloseCode, EndCode } from './reasons.ts'

export interface Cuttable {
  /** At once, in whatever state. */
  cut(code: EndCode): void
  /** With an end (FIN) on both sides, and soon after it with a reset; before a backend is reached as `cut`. */
  close(code: EndCode): void
}

export interface Relays {
  /** A function that takes it out again, or why there is no room. */
  add(address: string, relay: Cuttable): (() => void) | CloseCode
  /** Gives those that are open a while, then ends the rest. */
  stop(after: Duration): Promise<void>
  readonly count: number
}

export function makeRelays(limits: Limits): Relays {
  const quota = makeQuota(limits.relays, limits.relaysOfOneNetwork)
  const open = new OpenSet<Cuttable>()
  return {
    get count() {
      return open.size
    },
    add: (address, relay) => {
      const release = quota.take(address)
      if (typeof release === 'string') return release
      const leave = open.add(relay)
      return () => {
        release()
        leave()
      }
    },
    stop: async (after) => {
      await open.drained(after)
      for (const relay of open) relay.close('proxy_stopping')
    },
  }
}
