/** Rate limits through one port: the Workers binding, or memory elsewhere. */
import { Lru } from '../core/lib/lru.ts'
import { type Duration, type Instant, minutes } from '../core/model.ts'

/**
 * Failed attempts of an address. Only failures count: an office behind one address must be able to sign in at nine
 * o'clock, and there is nothing to guess about a passkey. What is limited is work and noise in the audit log.
 */
export interface FailureLimit {
  /** How long the address has to wait, or undefined. Asked before any work is done. */
  retryAfter(address: string): Duration | undefined
  failed(address: string): Promise<void>
}

const window = minutes(1)
const addressesInMemory = 10_000

export function memoryLimit(most: number, now: () => Instant): FailureLimit {
  const failures = new Lru<string, { count: number; resetsAt: Instant }>(addressesInMemory)
  const current = (key: string) => {
    const entry = failures.get(key)
    return entry && entry.resetsAt > now() ? entry : undefined
  }
  return {
    retryAfter: (address) => {
      const entry = current(networkOf(address))
      return entry && entry.count >= most ? entry.resetsAt - now() : undefined
    },
    failed: async (address) => {
      const key = networkOf(address)
      const entry = current(key) ?? { count: 0, resetsAt: now() + window }
      failures.set(key, { ...entry, count: entry.count + 1 })
    },
  }
}

/** The part of the Workers binding that is used. */
export interface RateLimitBinding {
  limit(options: { key: string }): Promise<{ success: boolean }>
}

/** `what` keeps counts apart. The binding counts for a whole location but cannot be asked without counting, so each isolate remembers its answers. */
export function bindingLimit(binding: RateLimitBinding, now: () => Instant, what = ''): FailureLimit {
  const blocked = new Lru<string, Instant>(addressesInMemory)
  return {
    retryAfter: (address) => {
      const until = blocked.get(networkOf(address)) ?? 0
      return until > now() ? until - now() : undefined
    },
    failed: async (address) => {
      const key = networkOf(address)
      const { success } = await binding.limit({ key: what + key })
      if (!success) blocked.set(key, now() + window)
    },
  }
}

/** One subscriber has a whole /64 of IPv6, and an IPv4 address may come in IPv6 form. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped) return mapped[1] as string
  if (!address.includes(':')) return address
  const [head = '', tail] = address.toLowerCase().split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array.from({ length: Math.max(8 - left.length - right.length, 0) }, () => '0')
  return [...left, ...zeros, ...right]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')
}
