import type { PreferenceDocument } from './auth-preference.ts'
import { type Decision, decide, type Facts, type Locks, locksByTarget } from './decide.ts'
import type { PolicyDocument } from './document.ts'
import type { RoleHolder } from './held-roles.ts'
import { hostTarget } from './host-target.ts'
import { decideAs } from './impersonation.ts'
import type { LockDocument } from './lock.ts'
import { type Preference, preferenceOf } from './preference.ts'
import { presets } from './presets.ts'
import type { ResourceDocument, ResourceKind, ResourcePrincipal, SessionTarget } from './resource.ts'
import type { RoleDocument } from './role.ts'

/** The cluster's documents, ready for `decide`: the same at the edge and in a proxy. */
export interface Policy {
  readonly roles: ReadonlyMap<string, RoleDocument>
  readonly locks: Locks
  /** By name: no two of any kind have the same. */
  readonly resources: ReadonlyMap<string, ResourceDocument>
  readonly preference: Preference
}

export function policyOf(documents: readonly PolicyDocument[]): Policy {
  const roles = new Map(presets.map((role) => [role.metadata.name, role]))
  const locks: LockDocument[] = []
  const resources = new Map<string, ResourceDocument>()
  let preference: PreferenceDocument | undefined
  for (const document of documents) {
    const { name } = document.metadata
    if (document.kind === 'role') roles.set(name, document)
    else if (document.kind === 'lock') locks.push(document)
    else if (document.kind === 'cluster_auth_preference') preference = document
    else resources.set(name, document)
  }
  return { roles, locks: locksByTarget(locks), resources, preference: preferenceOf(preference) }
}

/** A session that somebody wants. */
export interface SessionOn {
  readonly resource: { readonly kind: ResourceKind; readonly name: string }
  readonly principal: ResourcePrincipal
}

/** undefined: there is none, or one of another kind; of a host, that it is spelled in another way. */
export function targetOf(
  { resources }: Pick<Policy, 'resources'>,
  { kind, name }: SessionOn['resource'],
): SessionTarget | undefined {
  if (kind === 'host') return hostTarget(name)
  const found = resources.get(name)
  return found?.kind === kind ? found : undefined
}

/**
 * The one way to a decision on a session: for a grant, in a proxy, and where somebody asks why. undefined: there is no such resource;
 * a name that went to a resource of another kind is another resource.
 */
export function decideOn(
  { roles, locks, preference, resources }: Policy,
  { resource: { kind, name }, principal }: SessionOn,
  { impersonated, ...who }: Pick<Facts, 'user' | 'by' | 'now'> & { readonly impersonated?: RoleHolder | undefined },
): { readonly resource: SessionTarget; readonly decision: Decision } | undefined {
  const resource = targetOf({ resources }, { kind, name })
  if (!resource) return undefined
  const facts = { ...who, roles, locks, preference, resource, principal }
  return { resource, decision: impersonated ? decideAs(facts, impersonated) : decide(facts) }
}
