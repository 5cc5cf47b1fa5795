/** How much there may be at once: so many in all, and so many for one network, so that one leaves room for the others. */
import { networkOf } from '../core/lib/network.ts'
import type { CloseCode } from './reasons.ts'

export interface Quota {
  /** A function that gives it back, or why there is none. */
  take(address: string): (() => void) | CloseCode
}

export function makeQuota(most: number, mostOfOne: number): Quota {
  const taken = new Map<string, number>()
  let all = 0
  const add = (network: string, by: number) => {
    all += by
    const count = (taken.get(network) ?? 0) + by
    if (count === 0) taken.delete(network)
    else taken.set(network, count)
  }
  return {
    take: (address) => {
      const network = networkOf(address)
      if (all >= most) return 'too_many_connections'
      if ((taken.get(network) ?? 0) >= mostOfOne) return 'too_many_of_one_network'
      add(network, 1)
      return () => add(network, -1)
    },
  }
}
