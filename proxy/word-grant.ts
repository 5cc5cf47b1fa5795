/** A grant by a word that this process gave for it (proxy/bearers.ts). */
import { targetName } from '../core/access/host-target.ts'
import { Refusal } from '../core/refusal.ts'
import { passwordIn } from '../core/route/basic.ts'
import type { ConnectHead } from '../core/route/connect.ts'
import { type AuthorizeNeeds, type Showing, shownByConnect } from './authorize.ts'
import type { Bearers, Showed } from './bearers.ts'
import type { Connection } from './connection.ts'

/** The word is used up by this, whatever follows. Where it was one of ours its grant is read all the same: so its owner's log has what went wrong. */
export function shownByWord(bearers: Pick<Bearers, 'take'>, word: string, showed: Showed): Showing {
  const taken = bearers.take(word, showed)
  const { target } = showed
  if (!taken) return { target, read: () => wrong('word_unknown'), provenKey: () => wrong('word_unknown') }
  const { grant, key, use: spent, fault } = taken
  const provenKey = async () => (fault === undefined ? key : wrong(fault))
  return { target, isBearer: true, spent, read: async () => grant, provenKey }
}

async function wrong(why: string): Promise<never> {
  throw new Refusal('grant_invalid', { why })
}

interface Needs extends AuthorizeNeeds {
  readonly bearers: Pick<Bearers, 'take'>
}

/**
 * What a client of a forward proxy shows: a word as its password, or a grant with the proof of its key. `exporter`: of the connection, where
 * it has one that a proof may name. undefined: it shows nothing that is taken here.
 */
export function shownToForwardProxy(
  needs: Needs,
  head: Omit<ConnectHead, 'version'>,
  { address }: Pick<Connection, 'address'>,
  exporter: string | undefined,
): Showing | undefined {
  const { target, proxyAuthorization } = head
  const word = passwordIn(proxyAuthorization)
  if (word !== undefined)
    return shownByWord(needs.bearers, word, { place: 'tunnel', target: targetName(target), address })
  if (!/^DPoP /i.test(proxyAuthorization ?? '')) return undefined
  if (exporter !== undefined) return shownByConnect(needs, head, exporter)
  return { target: targetName(target), read: () => wrong('tls_too_old'), provenKey: () => wrong('tls_too_old') }
}
