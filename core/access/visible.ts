/** Which resources somebody may know of: those that his roles reach, and those of a kind that he may read. */

import { heldRoles, isAny } from './held-roles.ts'
import { type Policy, targetOf } from './policy.ts'
import { may, type Principal, roleHolderOf } from './principal.ts'
import type { ResourceKind, SessionTarget } from './resource.ts'
import { resourceUnknown } from './resource-unknown.ts'

type Asker = Pick<Principal, 'user' | 'roles' | 'held' | 'session'>

/** One that is there and that he may not know of is refused as one that is not there. @throws Refusal resource_unknown */
export function requireVisible(
  policy: Policy,
  asker: Asker,
  { kind, name }: { readonly kind: ResourceKind; readonly name: string },
): SessionTarget {
  const found = targetOf(policy, { kind, name })
  if (found && isVisible(policy, asker, found)) return found
  throw resourceUnknown(asker.user.id, { kind, name })
}

function isVisible(policy: Policy, asker: Asker, resource: SessionTarget): boolean {
  // That it is there says nobody but whoever asks.
  if (resource.kind === 'host') return true
  // A headless login reaches resources and reads nothing else.
  const mayRead = asker.session.via !== 'device_flow' && may(asker, { resource: resource.kind, verb: 'read' })
  return mayRead || isAny(heldRoles(roleHolderOf(asker), policy.roles).ofResource(resource).allow)
}
