/** Which resources somebody may know of: those that his roles reach, and those of a kind that he may read. */

import { heldRoles, isAny } from './held-roles.ts'
import type { Policy } from './policy.ts'
import { may, type Principal, roleHolderOf } from './principal.ts'
import type { ResourceDocument, ResourceKind } from './resource.ts'
import { resourceUnknown } from './resource-unknown.ts'

type Asker = Pick<Principal, 'user' | 'roles' | 'held' | 'session'>

/** One that is there and that he may not know of is refused as one that is not there. @throws Refusal resource_unknown */
export function requireVisible(
  policy: Policy,
  asker: Asker,
  { kind, name }: { readonly kind: ResourceKind; readonly name: string },
): ResourceDocument {
  const found = policy.resources.get(name)
  // A name that went to a resource of another kind is another resource.
  if (found?.kind === kind && isVisible(policy, asker, found)) return found
  throw resourceUnknown(asker.user.id, { kind, name })
}

function isVisible(policy: Policy, asker: Asker, resource: ResourceDocument): boolean {
  // A headless login reaches resources and reads nothing else.
  const mayRead = asker.session.via !== 'device_flow' && may(asker, { resource: resource.kind, verb: 'read' })
  return mayRead || isAny(heldRoles(roleHolderOf(asker), policy.roles).ofResource(resource).allow)
}
