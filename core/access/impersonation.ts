/**
 * Acting as another user: a session is decided by the rights of the other, of a user whom a role of one's own names together with all roles
 * that he holds. It opens that one session and nothing else: nobody administers as another. Each wants a tap of whoever acts, and the
 * limits and locks of both count.
 */
import { limitedBy } from './constraints.ts'
import { type Decision, decide, deviceDemands, type Facts, lockInForce, refuse } from './decide.ts'
import { heldRoles, type RoleHolder } from './held-roles.ts'
import { lockInWords } from './lock.ts'
import { matches } from './pattern.ts'
import type { ImpersonateConditions, RoleDocument } from './role.ts'

type Roles = Facts['roles']

/** What the roles of `actor` say of acting as `other`, in order. */
function saidOf(actor: RoleHolder, other: RoleHolder, roles: Roles) {
  const { traits = {} } = actor
  const names = (list: readonly string[] | undefined, text: string) => matches(list ?? [], text, traits)
  const denies = ({ users, roles: held }: ImpersonateConditions) =>
    names(users, other.name) || other.roles.some((role) => names(held, role))
  const allows = ({ users, roles: held }: ImpersonateConditions) =>
    names(users, other.name) && other.roles.every((role) => names(held, role))
  return heldRoles(actor, roles).all.map(({ metadata, spec }: RoleDocument) => ({
    role: metadata.name,
    denies: denies(spec.deny.impersonate ?? {}),
    allows: allows(spec.allow.impersonate ?? {}),
  }))
}

/** The rights of two roles do not add up to a third, and one that denies is enough. */
export function mayImpersonate(actor: RoleHolder, other: RoleHolder, roles: Roles): boolean {
  const said = saidOf(actor, other, roles)
  return said.some(({ allows }) => allows) && !said.some(({ denies }) => denies)
}

export function decideAs(facts: Facts, other: RoleHolder): Decision {
  const lock = lockInForce(facts)
  if (lock) return refuse('locked', lockInWords(lock), [], () => [`lock ${lock.metadata.name}: in force`])
  const { user, roles } = facts
  const trace = () => saidOf(user, other, roles).flatMap(wordsOf(other.name))
  if (!mayImpersonate(user, other, roles)) return refuse('not_allowed', notAllowedToActAs(other.name), [], trace)
  const held = heldRoles(user, roles)
  const demands = () => (facts.by?.device === undefined ? deviceDemands(held, facts) : [])
  if (demands().length > 0)
    return refuse('device_untrusted', 'A trusted device is wanted.', [], () => [...trace(), ...demands()])
  const decision = decide({ ...facts, user: other })
  const all = () => [...trace(), ...decision.trace()]
  if (decision.outcome === 'refuse') {
    const told = `${other.name} may not open it either.`
    return { ...decision, told, remedies: [], trace: all }
  }
  return { ...decision, constraints: { ...limitedBy(decision.constraints, held.limits), tap: true }, trace: all }
}

const wordsOf =
  (name: string) =>
  ({ role, denies, allows }: ReturnType<typeof saidOf>[number]): string[] => {
    if (denies) return [`${role}: deny.impersonate matches ${name}`]
    return allows ? [`${role}: allow.impersonate allows ${name}`] : []
  }

/** Whether there is such a user is not told. */
export const notAllowedToActAs = (name: string): string => `No role of yours lets you act as ${name}.`
