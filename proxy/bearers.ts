/**
 * Handles for clients that can prove no key: random words in a password's place, each for one grant that its program has shown and proven
 * here a moment before. They live in this process alone, as hashes, for a minute and one attempt.
 */
import type { SessionGrant } from '../core/issue/grant.ts'
import { type Bytes, base64url, utf8 } from '../core/lib/bytes.ts'
import { sha256 } from '../core/lib/hash.ts'
import { type Duration, type Holder, type Instant, seconds } from '../core/model.ts'
import { Refusal } from '../core/refusal.ts'

export const handleTtl: Duration = seconds(60)
const mostHandles = 1000

export interface Proven {
  readonly grant: SessionGrant
  readonly key: Holder
  /** The use of the grant that is spent for it. */
  readonly use: number | string
  /** Where it was asked for from: it works from nowhere else. */
  readonly address: string
}

export interface Bearers {
  /** @throws Refusal unavailable: there are too many */
  issue(proven: Proven): string
  /** Once, whatever comes of it. @throws Refusal grant_invalid, whatever is wrong */
  take(handle: string, about: { readonly target: string; readonly address: string }): Proven
}

interface Needs {
  readonly now: () => Instant
  readonly random: (length: number) => Bytes
}

/** Found by its hash: how long that takes tells nothing of the handles that there are. */
const nameOf = (handle: string): string => base64url(sha256(utf8(handle)))

export function makeBearers({ now, random }: Needs): Bearers {
  const kept = new Map<string, Proven & { readonly until: Instant }>()
  const forgetExpired = () => {
    for (const [name, { until }] of kept) if (until <= now()) kept.delete(name)
  }
  return {
    issue: (proven) => {
      forgetExpired()
      if (kept.size >= mostHandles) throw new Refusal('unavailable', { why: 'too_many_handles' })
      const handle = base64url(random(32))
      kept.set(nameOf(handle), { ...proven, until: now() + handleTtl })
      return handle
    },
    take: (handle, { target, address }) => {
      const name = nameOf(handle)
      const found = kept.get(name)
      kept.delete(name)
      const isRight = found && now() < found.until && found.address === address
      if (isRight && found.grant.subject.resource.name === target) return found
      throw new Refusal('grant_invalid', { why: 'bearer' })
    },
  }
}
