/** Where the address of a host may lie that no document describes: judged when it is dialled, and again with whatever roles say from then on. */
import type { Constraints } from '../core/access/constraints.ts'
import { mayReach } from '../core/access/host-rule.ts'
import type { SessionTarget } from '../core/access/resource.ts'
import type { SessionSubject } from '../core/intent.ts'
import { base64url, utf8 } from '../core/lib/bytes.ts'
import { sha256 } from '../core/lib/hash.ts'
import { Refusal } from '../core/refusal.ts'
import { parseAddress } from '../core/route/address.ts'
import type { DialNeeds } from './upstream.ts'

/** For the dial of a session. A host without networks, which no decision leaves so, is reached nowhere. */
export function reachOf({ kind }: SessionTarget, { networks }: Constraints): Pick<DialNeeds, 'mayReach' | 'called'> {
  if (kind !== 'host') return { called: kind === 'db' ? 'database' : 'server' }
  return { mayReach: (address) => networks !== undefined && mayReach(address, networks) }
}

/** `remote`: what was dialled, while there is a connection to it. @throws Refusal session_refused */
export function requireReach({ networks }: Constraints, remote: string | undefined): void {
  const address = remote === undefined || networks === undefined ? undefined : parseAddress(remote)
  if (!networks || !address || mayReach(address, networks)) return
  const told = 'Your roles no longer allow the address that this host was found at.'
  throw new Refusal('session_refused', { why: 'address_not_allowed', address: String(remote) }, { told })
}

/** A resource's part of a session's id, which has room for a label and not for every host. */
export const sessionPart = ({ kind, name }: SessionSubject['resource']): string =>
  kind === 'host' ? base64url(sha256(utf8(name)).subarray(0, 16)) : name
