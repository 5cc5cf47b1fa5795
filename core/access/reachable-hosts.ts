/** Hosts that are no resources, as the roles of somebody name them: which there are nobody knows, so the rules themselves are told. */

import { heldRoles, type RoleHolder } from './held-roles.ts'
import type { HostRule } from './host-rule.ts'
import type { Policy } from './policy.ts'

export interface ReachableHosts {
  readonly rule: HostRule
  /** The role that says so. */
  readonly role: string
  /** Whether that role, or the cluster, asks for a tap of each session. */
  readonly tap: boolean
}

/** `isActing`: by the rights of another, which wants a tap each time. What is denied is found out when it is asked for. */
export function reachableHosts(
  { roles, preference }: Pick<Policy, 'roles' | 'preference'>,
  holder: RoleHolder,
  isActing: boolean,
): ReachableHosts[] {
  return heldRoles(holder, roles).all.flatMap(({ metadata, spec }) => {
    const tap = isActing || preference.requireSessionMfa || spec.options.require_session_mfa === true
    return (spec.allow.hosts ?? []).map((rule) => ({ rule, role: metadata.name, tap }))
  })
}
