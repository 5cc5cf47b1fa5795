/**
 * Why somebody may open a session or may not: the decision that a grant would be made by, with the rules that made it, what it asks for
 * and what would help. Writes nothing.
 */
import type { Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import type { Constraints } from './constraints.ts'
import { type By, type Decision, type Facts, lockInForce, type RefusedBecause } from './decide.ts'
import { heldRoles, isMarked } from './held-roles.ts'
import { lockInWords } from './lock.ts'
import { shown, type Traits } from './pattern.ts'
import { decideOn, type Policy } from './policy.ts'
import { isPreset } from './presets.ts'
import { may, type Principal, requireNeeds } from './principal.ts'
import { commandFor, type Remedy } from './remedy.ts'
import {
  type ListCondition,
  membersOfPrincipal,
  type ResourceKind,
  type ResourcePrincipal,
  type SessionTarget,
} from './resource.ts'
import type { RoleConditions, RoleDocument } from './role.ts'
import { sessionInWords } from './session-words.ts'
import { requireVisible } from './visible.ts'

export interface WhyAsk {
  readonly resource: { readonly kind: ResourceKind; readonly name: string }
  /** undefined: as whom is the question. */
  readonly principal: ResourcePrincipal | undefined
  /** undefined: the caller himself. */
  readonly user: string | undefined
}

/** What one role says of a resource: `allow` as whom, `deny` whom; a denial without lists is of all. */
export interface Reach {
  readonly role: string
  readonly effect: 'allow' | 'deny'
  readonly lists: { readonly [list in ListCondition]?: readonly string[] }
}

export interface Why {
  readonly user: string
  readonly told: string
  readonly rules: readonly string[]
  readonly remedies: readonly Remedy[]
  readonly answer:
    | { readonly outcome: 'allow'; readonly constraints: Constraints }
    | { readonly outcome: 'refuse'; readonly because: RefusedBecause }
    | { readonly outcome: 'reach'; readonly reach: readonly Reach[] }
}

type Needs = Pick<Ports, 'now' | 'policies' | 'users'>

interface Asked {
  readonly policy: Policy
  readonly caller: Principal
  readonly resource: SessionTarget
  readonly who: Pick<Facts, 'user' | 'by' | 'now'>
  readonly isOneself: boolean
}

/** @throws Refusal resource_unknown; of another user role_missing, login_headless, user_unknown */
export async function explain(ports: Needs, caller: Principal, ask: WhyAsk): Promise<Why> {
  if (ask.user !== undefined) requireReader(caller)
  const policy = await ports.policies.newest()
  const resource = requireVisible(policy, caller, ask.resource)
  const { user, by } = await subjectOf(ports, caller, ask.user)
  const who = { user, by, now: ports.now() }
  const asked: Asked = { policy, caller, resource, who, isOneself: ask.user === undefined }
  const isWhole = membersOfPrincipal(resource.kind).length === 0
  const principal = ask.principal ?? (isWhole ? ({} as ResourcePrincipal) : undefined)
  return principal === undefined ? reachOf(asked) : decisionOn(asked, principal)
}

/** What another user may is told by his roles and traits. @throws Refusal role_missing, login_headless */
function requireReader(caller: Principal): void {
  for (const resource of ['user', 'role'] as const) requireNeeds(caller, { may: { resource, verb: 'read' } })
}

/** Of oneself also by what one is signed in: a lock may name that. */
async function subjectOf({ users }: Needs, caller: Principal, name: string | undefined) {
  if (name === undefined) {
    const { user, roles, factorId } = caller
    const by: By = { credentials: [factorId] }
    return { user: { ...user, roles }, by }
  }
  const found = await users.withRoles(name)
  if (!found) throw new Refusal('user_unknown', { user: caller.user.id, of: name })
  return { user: found, by: {} as By }
}

function decisionOn(asked: Asked, principal: ResourcePrincipal): Why {
  const { policy, resource, who } = asked
  const { kind, metadata } = resource
  const on = { resource: { kind, name: metadata.name }, principal }
  const found = decideOn(policy, on, who)
  if (!found) throw new TypeError('A resource that was there is not')
  const { decision } = found
  const common = { user: who.user.name, rules: decision.trace(), remedies: remediesOf(asked, principal, decision) }
  if (decision.outcome === 'refuse') {
    const { told, because } = decision
    return { ...common, told, answer: { outcome: 'refuse', because } }
  }
  const { constraints } = decision
  const told = `${who.user.name} may open ${sessionInWords(on)}.`
  return { ...common, told, answer: { outcome: 'allow', constraints } }
}

function remediesOf(asked: Asked, principal: ResourcePrincipal, decision: Decision): Remedy[] {
  const { isOneself, resource } = asked
  if (decision.outcome === 'refuse')
    return [...decision.remedies, ...administrativeRemedies(asked, principal, decision)]
  const command = isOneself ? commandFor(resource, principal) : undefined
  const opening = command === undefined ? {} : { command }
  if (decision.constraints.tap)
    return [{ told: 'It wants a tap of a passkey, on a page that opens first.', ...opening }]
  return command === undefined ? [] : [{ told: 'Nothing is missing.', command }]
}

const mostRoles = 5

/** What somebody could do about it who may: told to nobody else. */
function administrativeRemedies(
  { policy, caller, resource, who }: Asked,
  principal: ResourcePrincipal,
  { because }: Extract<Decision, { outcome: 'refuse' }>,
): Remedy[] {
  if (caller.session.via === 'device_flow') return []
  const lock = lockInForce({ ...who, locks: policy.locks, resource, principal })
  if (lock && may(caller, { resource: 'lock', verb: 'delete' }))
    return [{ told: 'You may lift the lock.', command: `sallyport admin locks rm ${lock.metadata.name}` }]
  if (because !== 'not_allowed' || !may(caller, { resource: 'role', verb: 'read' })) return []
  const { kind, metadata } = resource
  const on = { resource: { kind, name: metadata.name }, principal }
  const allowsWith = (role: string) => {
    const user = { ...who.user, roles: [...who.user.roles, role] }
    return decideOn(policy, on, { ...who, user })?.decision.outcome === 'allow'
  }
  const helping = [...policy.roles.keys()].filter((role) => !isPreset(role) && allowsWith(role)).slice(0, mostRoles)
  return helping.map((role) => ({
    told: `The role ${role} would allow it.`,
    command: `sallyport admin get role/${role}`,
  }))
}

/** As whom the roles of a user reach a resource, and what stands against it whoever he is there. */
function reachOf({ policy, resource, who }: Asked): Why {
  const { user } = who
  const { traits = {} } = user
  const held = heldRoles(user, policy.roles)
  const { allow, deny } = held.ofResource(resource)
  const allowing = held.marked(allow).map(({ metadata, spec }) => ({
    role: metadata.name,
    effect: 'allow' as const,
    lists: listsOf(resource, spec.allow, traits),
  }))
  const denying = held.all.flatMap((role, at) => denialsOf(role, isMarked(deny, at), resource, traits))
  const nobody = {} as ResourcePrincipal
  const lock = lockInForce({ ...who, locks: policy.locks, resource, principal: nobody })
  const rules = lock ? [`lock ${lock.metadata.name}: in force`] : []
  const none = allowing.length === 0
  const told = lock
    ? lockInWords(lock)
    : `${none ? 'No role' : 'A role'} of ${user.name} reaches ${resource.metadata.name}.`
  const remedies = none ? [{ told: 'Ask an administrator for a role that reaches it.' }] : []
  return { user: user.name, told, rules, remedies, answer: { outcome: 'reach', reach: [...allowing, ...denying] } }
}

const listsOf = ({ kind }: SessionTarget, conditions: RoleConditions, traits: Traits): Reach['lists'] =>
  Object.fromEntries(
    membersOfPrincipal(kind).flatMap(({ list }) => {
      const written = conditions[list]
      return written === undefined ? [] : [[list, shown(written, traits)]]
    }),
  )

function denialsOf(
  { metadata: { name: role }, spec }: RoleDocument,
  isWhole: boolean,
  resource: SessionTarget,
  traits: Traits,
): Reach[] {
  if (isWhole) return [{ role, effect: 'deny', lists: {} }]
  const lists = listsOf(resource, spec.deny, traits)
  return Object.keys(lists).length === 0 ? [] : [{ role, effect: 'deny', lists }]
}
