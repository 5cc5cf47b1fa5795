/** Which resources the labels of a role are about. */
import { matches, type Traits } from './pattern.ts'
import { type ResourceDocument, resourceKinds } from './resource.ts'
import type { LabelMatchers, RoleDocument } from './role.ts'

export const reaches = ({ spec: { allow } }: RoleDocument, resource: ResourceDocument, traits: Traits = {}): boolean =>
  matchesLabels(allow[resourceKinds[resource.kind].labels], resource, traits)

/** Every label that is named must be there with one of its values; `*: *` is any resource; no label is none. */
export function matchesLabels(
  wanted: LabelMatchers | undefined,
  { metadata }: ResourceDocument,
  traits: Traits,
): boolean {
  const entries = Object.entries(wanted ?? {})
  const there = metadata.labels ?? {}
  return (
    entries.length > 0 &&
    entries.every(([label, values]) => {
      if (label === '*') return values.includes('*')
      const value = Object.hasOwn(there, label) ? there[label] : undefined
      return value !== undefined && matches(values, value, traits)
    })
  )
}
