/**
 * May this user open this resource as this principal, now? Pure: the edge asks before it signs a grant, and the proxy asks again,
 * of its own snapshot, before it dials. Deny beats allow, of two settings the stricter wins, and what is not known refuses.
 */
import type { FactorId, Instant } from '../model.ts'
import { type Constraints, constraintsOf } from './constraints.ts'
import {
  both,
  either,
  type HeldRoles,
  heldRoles,
  isAny,
  isMarked,
  type Marks,
  type RoleHolder,
  type Said,
} from './held-roles.ts'
import { allowing, denying as denyingHost, type HostRule, hostInWords, lacking } from './host-rule.ts'
import { hostOf } from './host-target.ts'
import { isInForce, type LockDocument, type LockKey, lockedBy, lockInWords, lockKey } from './lock.ts'
import type { Preference } from './preference.ts'
import { type Remedy, remediesFor } from './remedy.ts'
import { membersOfPrincipal, type ResourcePrincipal, resourceKinds, type SessionTarget, valuesOf } from './resource.ts'
import type { RoleDocument } from './role.ts'
import { sessionInWords } from './session-words.ts'

export type Locks = ReadonlyMap<LockKey, readonly LockDocument[]>

export const locksByTarget = (locks: readonly LockDocument[]): Locks => Map.groupBy(locks, lockedBy)

export interface Facts {
  readonly user: RoleHolder
  /** All roles that there are, by name. */
  readonly roles: ReadonlyMap<string, RoleDocument>
  readonly locks: Locks
  /** What the cluster asks of everybody. */
  readonly preference: Pick<Preference, 'requireSessionMfa' | 'defaultSessionTtl' | 'deviceTrust' | 'lockingMode'>
  readonly resource: SessionTarget
  readonly principal: ResourcePrincipal
  /** Through what, and by what: each may be locked. */
  readonly by?: By
  readonly now: Instant
}

export interface By {
  /** That let the login in, and that tapped. */
  readonly credentials?: readonly FactorId[]
  /** A machine that was shown to be one of ours. */
  readonly device?: string
  readonly proxy?: string
}

export type RefusedBecause = 'locked' | 'denied' | 'not_allowed' | 'device_untrusted' | 'not_supported'

/** `trace`: the rules that were looked at, in order, each as `ROLE: what it said`. `remedies`: what may help, most likely first. */
export type Decision =
  | { readonly outcome: 'allow'; readonly constraints: Constraints; readonly trace: Trace }
  | {
      readonly outcome: 'refuse'
      readonly because: RefusedBecause
      readonly told: string
      readonly remedies: readonly Remedy[]
      readonly trace: Trace
    }

/** Put into words only for whoever reads them: of most decisions nobody does. */
export type Trace = () => readonly string[]

const askAdministrator: readonly Remedy[] = [{ told: 'Ask an administrator.' }]

export function decide(facts: Facts): Decision {
  const lock = lockInForce(facts)
  if (lock) return refuse('locked', lockInWords(lock), [], () => [`lock ${lock.metadata.name}: in force`])
  const held = heldRoles(facts.user, facts.roles)
  const conditions = conditionsOf(held, facts)
  const said = (...more: readonly (() => readonly string[])[]): Trace => {
    return () => [...unknownRoles(held), ...denials(held, conditions), ...more.flatMap((lines) => lines())]
  }
  if (isAny(denying(conditions))) return refuse('denied', 'A role denies this.', askAdministrator, said())
  const agreeing = allAllowing(conditions)
  const looked = () => allowances(held, conditions)
  if (!isAny(agreeing)) return refuse('not_allowed', notAllowedInWords(facts), remediesFor(held, facts), said(looked))
  const demands = () => deviceDemands(held, facts)
  if (facts.by?.device === undefined && demands().length > 0) {
    const remedy = { told: 'This version cannot enroll devices yet: an administrator can take the demand back.' }
    return refuse('device_untrusted', 'A trusted device is wanted.', [remedy], said(looked, demands))
  }
  const opening = both(agreeing, held.unlimited)
  if (!isAny(opening)) {
    const told = 'No role allows all of the cluster, and single Kubernetes resources are not supported in this version.'
    return refuse('not_supported', told, askAdministrator, said(looked))
  }
  const [{ said: named }] = conditions
  const { kind, metadata } = facts.resource
  const networks = kind === 'host' ? held.networksOf(metadata.name, opening) : undefined
  const constraints = constraintsOf(held, named.allow, facts.preference, networks)
  return { outcome: 'allow', constraints, trace: said(looked) }
}

export function refuse(because: RefusedBecause, told: string, remedies: readonly Remedy[], trace: Trace): Decision {
  return { outcome: 'refuse', because, told, remedies, trace }
}

/** All that is in play here and could be locked, but for the user and his roles. */
function* lockable({ resource, principal, by = {} }: Pick<Facts, 'resource' | 'principal' | 'by'>): Generator<LockKey> {
  for (const id of by.credentials ?? []) yield lockKey('mfa_device', id)
  if (by.device !== undefined) yield lockKey('device', by.device)
  if (by.proxy !== undefined) yield lockKey('proxy', by.proxy)
  yield lockKey(resource.kind, resource.metadata.name)
  for (const login of valuesOf(principal, 'login')) yield lockKey('login', login)
}

export function lockInForce(facts: Omit<Facts, 'roles' | 'preference'>): LockDocument | undefined {
  const { locks, user, now } = facts
  if (locks.size === 0) return undefined
  const first = locksOfUser(user, locks).find((one) => isInForce(one, now))
  if (first) return first
  for (const key of lockable(facts)) {
    const found = locks.get(key)?.find((one) => isInForce(one, now))
    if (found) return found
  }
  return undefined
}

const remembered = new WeakMap<Facts['user'], { readonly locks: Locks; readonly found: readonly LockDocument[] }>()

/** Those that name the user or a role of his, in force or not: looked for once in each set of locks. */
function locksOfUser(user: Facts['user'], locks: Locks): readonly LockDocument[] {
  const known = remembered.get(user)
  if (known?.locks === locks) return known.found
  const keys = [lockKey('user', user.name), ...user.roles.map((role) => lockKey('role', role))]
  const found = keys.flatMap((key) => locks.get(key) ?? [])
  remembered.set(user, { locks, found })
  return found
}

/** What the roles say of one condition: of the resource's labels, of a host, or of one member of the principal. */
interface Condition {
  /** As the role calls it. */
  readonly name: string
  readonly said: Said
  /** Where in it, and why not, of a list whose entries say several things each. */
  readonly inWords?: Entries
}

interface Entries {
  readonly denying: (role: RoleDocument) => string
  readonly allowing: (role: RoleDocument) => string
  readonly lacking: (role: RoleDocument) => string | undefined
}

/** Labels, or the host, are the first. */
function conditionsOf(held: HeldRoles, facts: Facts): readonly [Condition, ...Condition[]] {
  const { kind } = facts.resource
  const named = {
    ...{ name: resourceKinds[kind].named, said: held.ofResource(facts.resource) },
    ...(kind === 'host' && { inWords: entriesOf(facts.resource.metadata.name) }),
  }
  const members = membersOfPrincipal(kind).map((member) => ({ name: member.list, said: ofMember(held, member, facts) }))
  return [named, ...members]
}

function entriesOf(name: string): Entries {
  const host = hostOf(name)
  return {
    denying: ({ spec }) => entryInWords(spec.deny.hosts, denyingHost(spec.deny.hosts, host)),
    allowing: ({ spec }) => entryInWords(spec.allow.hosts, allowing(spec.allow.hosts, host)),
    lacking: ({ spec }) => lacking(spec.allow.hosts, host),
  }
}

/** Such as `hosts[2] (*.example.com:443)`. */
function entryInWords(rules: readonly HostRule[] = [], at: number): string {
  const rule = rules[at]
  return rule ? `hosts[${at}] (${hostInWords(rule)})` : 'hosts'
}

/** Each value must be allowed, and one that is denied is enough. The user's own name needs no role where the kind says so. */
function ofMember(
  held: HeldRoles,
  { field, list, isList, ownName }: ReturnType<typeof membersOfPrincipal>[number],
  { principal, user }: Facts,
): Said {
  const each = valuesOf(principal, field).map((value): Said => {
    const said = held.ofValue(list, value)
    return ownName === true && value === user.name ? { ...said, allow: held.every() } : said
  })
  const [first, ...others] = each
  if (!first) return { allow: isList === true ? held.every() : held.none(), deny: held.none() }
  return others.reduce(
    (all, said) => ({ allow: both(all.allow, said.allow), deny: either(all.deny, said.deny) }),
    first,
  )
}

/** One condition that matches is enough to deny. */
const denying = ([labels, ...members]: readonly [Condition, ...Condition[]]): Marks =>
  members.reduce((marks, { said }) => either(marks, said.deny), labels.said.deny)

/** All of one role: the rights of two roles do not add up to a third. */
const allAllowing = ([labels, ...members]: readonly [Condition, ...Condition[]]): Marks =>
  members.reduce((marks, { said }) => both(marks, said.allow), labels.said.allow)

const unknownRoles = ({ unknown }: HeldRoles): string[] => unknown.map((name) => `${name}: there is no such role`)

function denials({ all }: HeldRoles, conditions: readonly Condition[]): string[] {
  return all.flatMap((role, at) => {
    const matching = conditions.filter(({ said }) => isMarked(said.deny, at))
    const names = matching.map(({ name, inWords }) => `deny.${inWords?.denying(role) ?? name}`)
    return matching.length === 0 ? [] : [`${role.metadata.name}: ${names.join(', ')} matches`]
  })
}

/** Such as `dev: allow.hosts does not match`, `dev: allows by allow.hosts[2]`. */
function allowances({ all }: HeldRoles, conditions: readonly Condition[]): string[] {
  return all.map((role, at) => `${role.metadata.name}: ${allowanceOf(role, at, conditions)}`)
}

function allowanceOf(role: RoleDocument, at: number, conditions: readonly Condition[]): string {
  const missing = conditions.filter(({ said }) => !isMarked(said.allow, at))
  const [near] = missing.flatMap(({ inWords }) => inWords?.lacking(role) ?? [])
  if (near !== undefined) return near
  if (missing.length > 0) return `${missing.map(({ name }) => `allow.${name}`).join(', ')} does not match`
  const by = conditions.flatMap(({ inWords }) => (inWords ? [`allow.${inWords.allowing(role)}`] : []))
  return by.length === 0 ? 'allows' : `allows by ${by.join(', ')}`
}

/** Who wants a machine of ours and no other: the cluster, or any role. */
export function deviceDemands({ all }: HeldRoles, { preference }: Facts): string[] {
  const demanding = all.filter(({ spec }) => spec.options.device_trust_mode === 'required')
  const lines = demanding.map(({ metadata }) => `${metadata.name}: options.device_trust_mode wants a trusted device`)
  const wanted = 'cluster: device_trust.mode wants a trusted device'
  return preference.deviceTrust === 'required' ? [...lines, wanted] : lines
}

function notAllowedInWords({ resource, principal }: Facts): string {
  const { kind, metadata } = resource
  return `No role of yours allows ${sessionInWords({ resource: { kind, name: metadata.name }, principal })}.`
}
