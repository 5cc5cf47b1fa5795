/** One refusal for what is not there and for what is not to be known of. */
import type { UserId } from '../model.ts'
import { Refusal } from '../refusal.ts'
import { parseHost } from './host-target.ts'
import { type ResourceKind, resourceKinds } from './resource.ts'

export function resourceUnknown(
  user: UserId,
  { kind, name }: { readonly kind: ResourceKind; readonly name: string },
): Refusal {
  if (kind === 'host') return misspelled(user, name)
  const told = `No role of yours reaches a ${resourceKinds[kind].words} of this name, or there is none.`
  return new Refusal('resource_unknown', { user, resource: name }, { told })
}

/** Whether a host is there nobody here knows: it has one spelling, and this is none. */
function misspelled(user: UserId, name: string): Refusal {
  const parsed = parseHost(name)
  const told = parsed.kind === 'value' ? `Write it as ${parsed.value}.` : `This is no host: ${parsed.why}.`
  return new Refusal('target_invalid', { user, resource: name, why: 'host' }, { told })
}
