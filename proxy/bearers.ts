/**
 * Words for clients that can prove no key: random, in a password's place, each for one grant that its program has shown and proven here a
 * moment before. They live in this process alone, as hashes, for a minute and one attempt.
 */
import type { SessionGrant } from '../core/issue/grant.ts'
import { type Bytes, base64url, utf8 } from '../core/lib/bytes.ts'
import { sha256 } from '../core/lib/hash.ts'
import { type Duration, type Holder, type Instant, seconds } from '../core/model.ts'
import { Refusal } from '../core/refusal.ts'

export const handleTtl: Duration = seconds(60)
const mostHandles = 1000

/**
 * Where a word is typed. A database's is a password of Postgres, and no other; the others open a tunnel. So a word does in one place what its
 * owner was told, and two front doors never judge one word.
 */
export type WordPlace = 'password' | 'tunnel'

export interface Proven {
  readonly grant: SessionGrant
  readonly key: Holder
  /** The use of the grant that is spent for it. */
  readonly use: number | string
  /** Where it was asked for from: it works from nowhere else. */
  readonly address: string
}

/** How a word is shown. */
export interface Showed {
  readonly place: WordPlace
  readonly target: string
  readonly address: string
}

/** For the operator: whoever shows it is told none of it. */
export type WordFault =
  | 'word_used'
  | 'word_expired'
  | 'word_of_another_address'
  | 'word_of_another_resource'
  | 'word_of_another_place'

export interface Taken extends Proven {
  readonly fault: WordFault | undefined
}

export interface Bearers {
  /** @throws Refusal unavailable: there are too many */
  issue(proven: Proven): string
  /** Once, whatever comes of it; the grant behind it is known also where something is wrong. undefined: this process gave no such word. */
  take(handle: string, showed: Showed): Taken | undefined
  /** Somebody may have read it: it opens nothing any more. */
  burn(handle: string): Proven | undefined
}

interface Needs {
  readonly now: () => Instant
  readonly random: (length: number) => Bytes
}

interface Kept extends Proven {
  readonly until: Instant
  readonly isUsed: boolean
}

/** Found by its hash: how long that takes tells nothing of the handles that there are. */
const nameOf = (handle: string): string => base64url(sha256(utf8(handle)))

const placeOf = ({ subject }: SessionGrant): WordPlace => (subject.resource.kind === 'db' ? 'password' : 'tunnel')

export function makeBearers({ now, random }: Needs): Bearers {
  const kept = new Map<string, Kept>()
  const forget = (isOver: (one: Kept) => boolean) => {
    for (const [name, one] of kept) if (isOver(one)) kept.delete(name)
  }
  /** Used ones are remembered for who shows one again, which is told to the edge once. */
  const use = (handle: string): Kept | undefined => {
    const name = nameOf(handle)
    const found = kept.get(name)
    kept.delete(name)
    if (found && !found.isUsed) kept.set(name, { ...found, isUsed: true })
    return found
  }
  return {
    issue: (proven) => {
      forget(({ until }) => until <= now())
      if (kept.size >= mostHandles) forget(({ isUsed }) => isUsed)
      if (kept.size >= mostHandles) throw new Refusal('unavailable', { why: 'too_many_handles' })
      const handle = base64url(random(32))
      kept.set(nameOf(handle), { ...proven, until: now() + handleTtl, isUsed: false })
      return handle
    },
    take: (handle, showed) => {
      const found = use(handle)
      return found && { ...found, fault: faultOf(found, showed, now()) }
    },
    burn: use,
  }
}

function faultOf(kept: Kept, { place, target, address }: Showed, now: Instant): WordFault | undefined {
  if (kept.isUsed) return 'word_used'
  if (now >= kept.until) return 'word_expired'
  if (kept.address !== address) return 'word_of_another_address'
  if (kept.grant.subject.resource.name !== target) return 'word_of_another_resource'
  return placeOf(kept.grant) === place ? undefined : 'word_of_another_place'
}
