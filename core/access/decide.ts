/**
 * May this user open this resource as this principal, now? Pure: the edge asks before it signs a grant, and the proxy asks again,
 * of its own snapshot, before it dials. Deny beats allow, of two settings the stricter wins, and what is not known refuses.
 */
import type { FactorId, Instant } from '../model.ts'
import { type Constraints, constraintsOf, wantsDevice } from './constraints.ts'
import { isEverything } from './kube-resources.ts'
import { isInForce, type LockDocument, type LockKey, lockedBy, lockInWords, lockKey } from './lock.ts'
import { matches, type Traits } from './pattern.ts'
import type { Preference } from './preference.ts'
import { matchesLabels, reaches } from './reach.ts'
import { type Remedy, remediesFor } from './remedy.ts'
import {
  membersOfPrincipal,
  type ResourceDocument,
  type ResourceKind,
  type ResourcePrincipal,
  resourceKinds,
  valuesOf,
} from './resource.ts'
import type { RoleConditions, RoleDocument } from './role.ts'
import { sessionInWords } from './session-words.ts'

export type Locks = ReadonlyMap<LockKey, readonly LockDocument[]>

export const locksByTarget = (locks: readonly LockDocument[]): Locks => Map.groupBy(locks, lockedBy)

export interface Facts {
  readonly user: { readonly name: string; readonly roles: readonly string[]; readonly traits?: Traits }
  /** All roles that there are, by name. */
  readonly roles: ReadonlyMap<string, RoleDocument>
  readonly locks: Locks
  /** What the cluster asks of everybody. */
  readonly preference: Pick<Preference, 'requireSessionMfa' | 'defaultSessionTtl' | 'deviceTrust' | 'lockingMode'>
  readonly resource: ResourceDocument
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
  | { readonly outcome: 'allow'; readonly constraints: Constraints; readonly trace: readonly string[] }
  | {
      readonly outcome: 'refuse'
      readonly because: RefusedBecause
      readonly told: string
      readonly remedies: readonly Remedy[]
      readonly trace: readonly string[]
    }

const askAdministrator: readonly Remedy[] = [{ told: 'Ask an administrator.' }]

export function decide(facts: Facts): Decision {
  const trace: string[] = []
  const lock = lockInForce(facts)
  if (lock) return refuse('locked', lockInWords(lock), [], [`lock ${lock.metadata.name}: in force`])
  const held = rolesOf(facts, trace)
  const denying = held.filter((role) => noteDenial(role, facts, trace))
  if (denying.length > 0) return refuse('denied', 'A role denies this.', askAdministrator, trace)
  const allowing = held.filter((role) => noteAllowance(role, facts, trace))
  if (allowing.length === 0) return refuse('not_allowed', notAllowedInWords(facts), remediesFor(held, facts), trace)
  if (facts.by?.device === undefined && wantsDevice(held, facts, trace)) {
    const remedy = { told: 'This version cannot enroll devices yet: an administrator can take the demand back.' }
    return refuse('device_untrusted', 'A trusted device is wanted.', [remedy], trace)
  }
  if (!allowing.some(isUnlimited)) {
    const told = 'No role allows all of the cluster, and single Kubernetes resources are not supported in this version.'
    return refuse('not_supported', told, askAdministrator, trace)
  }
  return { outcome: 'allow', constraints: constraintsOf(held, facts), trace }
}

function refuse(
  because: RefusedBecause,
  told: string,
  remedies: readonly Remedy[],
  trace: readonly string[],
): Decision {
  return { outcome: 'refuse', because, told, remedies, trace }
}

/** All that is in play here and could be locked. */
function* lockable(facts: Omit<Facts, 'roles' | 'preference' | 'locks' | 'now'>): Generator<LockKey> {
  const { user, resource, principal, by = {} } = facts
  yield lockKey('user', user.name)
  for (const role of user.roles) yield lockKey('role', role)
  for (const id of by.credentials ?? []) yield lockKey('mfa_device', id)
  if (by.device !== undefined) yield lockKey('device', by.device)
  yield* reachedBy({ kind: resource.kind, name: resource.metadata.name }, principal, by.proxy)
}

/** Of that what is reached, as whom, and through what. */
export function* reachedBy(
  { kind, name }: { readonly kind: ResourceKind; readonly name: string },
  principal: ResourcePrincipal,
  proxy: string | undefined,
): Generator<LockKey> {
  if (proxy !== undefined) yield lockKey('proxy', proxy)
  yield lockKey(kind, name)
  for (const login of valuesOf(principal, 'login')) yield lockKey('login', login)
}

export function lockInForce(facts: Omit<Facts, 'roles' | 'preference'>): LockDocument | undefined {
  if (facts.locks.size === 0) return undefined
  for (const key of lockable(facts)) {
    const found = facts.locks.get(key)?.find((one) => isInForce(one, facts.now))
    if (found) return found
  }
  return undefined
}

function rolesOf({ user, roles }: Facts, trace: string[]): RoleDocument[] {
  return user.roles.flatMap((name) => {
    const role = roles.get(name)
    if (!role) trace.push(`${name}: there is no such role`)
    return role ? [role] : []
  })
}

/** One condition that matches is enough to deny. */
function noteDenial({ metadata, spec: { deny } }: RoleDocument, facts: Facts, trace: string[]): boolean {
  const { resource, principal } = facts
  const traits = facts.user.traits ?? {}
  const { labels } = resourceKinds[resource.kind]
  const matching = [
    ...(matchesLabels(deny[labels], resource, traits) ? [labels] : []),
    ...membersOfPrincipal(resource.kind)
      .filter(({ field, list }) => valuesOf(principal, field).some((value) => matches(deny[list] ?? [], value, traits)))
      .map(({ list }) => list),
  ]
  if (matching.length === 0) return false
  trace.push(`${metadata.name}: ${listed('deny', matching)} matches`)
  return true
}

/** All of one role: the rights of two roles do not add up to a third. */
function noteAllowance(role: RoleDocument, facts: Facts, trace: string[]): boolean {
  const { resource, user } = facts
  const { labels } = resourceKinds[resource.kind]
  const missing = [
    ...(reaches(role, resource, user.traits) ? [] : [labels]),
    ...membersOfPrincipal(resource.kind)
      .filter((member) => !allowsMember(role.spec.allow, member, facts))
      .map(({ list }) => list),
  ]
  const said = missing.length === 0 ? 'allows' : `${listed('allow', missing)} does not match`
  trace.push(`${role.metadata.name}: ${said}`)
  return missing.length === 0
}

function allowsMember(
  allow: RoleConditions,
  { field, list, isList, ownName }: ReturnType<typeof membersOfPrincipal>[number],
  { principal, user }: Facts,
): boolean {
  const values = valuesOf(principal, field)
  if (values.length === 0) return isList === true
  return values.every(
    (value) => matches(allow[list] ?? [], value, user.traits ?? {}) || (ownName === true && value === user.name),
  )
}

const listed = (what: 'allow' | 'deny', found: readonly string[]): string =>
  found.map((name) => `${what}.${name}`).join(', ')

/** A role that limits what its holders do inside a Kubernetes cluster opens none to whoever cannot look inside. */
const isUnlimited = ({ spec: { allow } }: RoleDocument): boolean =>
  allow.kubernetes_resources === undefined || allow.kubernetes_resources.some(isEverything)

function notAllowedInWords({ resource, principal }: Facts): string {
  const { kind, metadata } = resource
  return `No role of yours allows ${sessionInWords({ resource: { kind, name: metadata.name }, principal })}.`
}
