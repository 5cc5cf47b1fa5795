/** One refusal for what is not there and for what is not to be known of. */
import type { UserId } from '../model.ts'
import { Refusal } from '../refusal.ts'
import { type ResourceKind, resourceKinds } from './resource.ts'

export function resourceUnknown(
  user: UserId,
  { kind, name }: { readonly kind: ResourceKind; readonly name: string },
): Refusal {
  const told = `No role of yours reaches a ${resourceKinds[kind].words} of this name, or there is none.`
  return new Refusal('resource_unknown', { user, resource: name }, { told })
}
