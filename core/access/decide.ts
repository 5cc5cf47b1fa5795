/**
 * May this user open this resource as this principal, now? Pure: the edge asks before it signs a grant, and the proxy asks again,
 * of its own snapshot, before it dials. Deny beats allow, of two settings the stricter wins, and what is not known refuses.
 */

import { nameKey } from '../login/name.ts'
import { type Duration, hours, type Instant } from '../model.ts'
import type { DbDocument } from './db.ts'
import { parseDuration } from './duration.ts'
import type { LockDocument } from './lock.ts'
import type { Preference } from './preference.ts'
import type { RoleConditions, RoleDocument } from './role.ts'

export type LocksByUser = ReadonlyMap<string, readonly LockDocument[]>

export const locksByUser = (locks: readonly LockDocument[]): LocksByUser =>
  Map.groupBy(locks, ({ spec }) => nameKey(spec.target.user))

export interface Facts {
  readonly user: { readonly name: string; readonly roles: readonly string[] }
  /** All roles that there are, by name. */
  readonly roles: ReadonlyMap<string, RoleDocument>
  /** By the name key of the user whom they name. */
  readonly locks: LocksByUser
  /** What the cluster asks of everybody. */
  readonly preference: Pick<Preference, 'requireSessionMfa' | 'defaultSessionTtl'>
  readonly resource: DbDocument
  readonly principal: DbPrincipal
  readonly now: Instant
}

/** As whom, and where in it: the database user and the database. */
export interface DbPrincipal {
  readonly db_user: string
  readonly db_name: string
}

export interface Constraints {
  /** A tap for this very session. */
  readonly tap: boolean
  /** The session's life, from its beginning. */
  readonly maxTtl: Duration
}

export type RefusedBecause = 'locked' | 'denied' | 'not_allowed'

/** `trace`: the rules that were looked at, in order, each as `ROLE: what it said`. `remedies`: what may help, most likely first. */
export type Decision =
  | { readonly outcome: 'allow'; readonly constraints: Constraints; readonly trace: readonly string[] }
  | {
      readonly outcome: 'refuse'
      readonly because: RefusedBecause
      readonly told: string
      readonly remedies: readonly string[]
      readonly trace: readonly string[]
    }

const longestSession: Duration = hours(12)

export function decide(facts: Facts): Decision {
  const trace: string[] = []
  const lock = facts.locks.get(nameKey(facts.user.name))?.find((one) => isInForce(one, facts.now))
  if (lock) return refuse('locked', lockInWords(lock), [], [`lock ${lock.metadata.name}: in force`])
  const held = rolesOf(facts, trace)
  const denying = held.filter((role) => noteDenial(role, facts, trace))
  if (denying.length > 0) {
    return refuse('denied', 'A role denies this.', ['Ask an administrator.'], trace)
  }
  const allowing = held.filter((role) => noteAllowance(role, facts, trace))
  if (allowing.length === 0) return refuse('not_allowed', notAllowedInWords(facts), remediesFor(facts), trace)
  return { outcome: 'allow', constraints: constraintsOf(held, facts), trace }
}

function refuse(
  because: RefusedBecause,
  told: string,
  remedies: readonly string[],
  trace: readonly string[],
): Decision {
  return { outcome: 'refuse', because, told, remedies, trace }
}

/** An instant that cannot be read is not past. */
const isInForce = ({ spec: { expires } }: LockDocument, now: Instant): boolean =>
  !(expires !== undefined && Date.parse(expires) <= now)

const lockInWords = ({ spec: { message } }: LockDocument): string =>
  message === undefined ? 'This user is locked.' : `This user is locked: ${message}`

function rolesOf({ user, roles }: Facts, trace: string[]): RoleDocument[] {
  return user.roles.flatMap((name) => {
    const role = roles.get(name)
    if (!role) trace.push(`${name}: there is no such role`)
    return role ? [role] : []
  })
}

/** One condition that matches is enough to deny. */
function noteDenial(
  { metadata, spec: { deny } }: RoleDocument,
  { resource, principal }: Facts,
  trace: string[],
): boolean {
  const labels = deny.db_labels !== undefined && labelsMatch(deny.db_labels, resource)
  const [user, database] = [names(deny.db_users, principal.db_user), names(deny.db_names, principal.db_name)]
  if (!labels && !user && !database) return false
  trace.push(`${metadata.name}: ${listed('deny', labels, user, database)} matches`)
  return true
}

/** All of one role: the rights of two roles do not add up to a third. */
function noteAllowance(role: RoleDocument, { resource, principal }: Facts, trace: string[]): boolean {
  const { allow } = role.spec
  const labels = reaches(role, resource)
  const [user, database] = [names(allow.db_users, principal.db_user), names(allow.db_names, principal.db_name)]
  const allows = labels && user && database
  const said = allows ? 'allows' : `${listed('allow', !labels, !user, !database)} does not match`
  trace.push(`${role.metadata.name}: ${said}`)
  return allows
}

function listed(what: 'allow' | 'deny', labels: boolean, user: boolean, database: boolean): string {
  const found = [labels && 'db_labels', user && 'db_users', database && 'db_names'].filter((name) => name !== false)
  return found.map((name) => `${what}.${name}`).join(', ')
}

export const reaches = ({ spec: { allow } }: RoleDocument, resource: DbDocument): boolean =>
  allow.db_labels !== undefined && labelsMatch(allow.db_labels, resource)

/** Every label that is named must be there with one of its values; `*: *` is any resource; no label is none. */
function labelsMatch(wanted: NonNullable<RoleConditions['db_labels']>, { metadata }: DbDocument): boolean {
  const entries = Object.entries(wanted)
  const there = metadata.labels ?? {}
  return (
    entries.length > 0 &&
    entries.every(([label, values]) => {
      if (label === '*') return values.includes('*')
      const value = Object.hasOwn(there, label) ? there[label] : undefined
      return value !== undefined && (values.includes('*') || values.includes(value))
    })
  )
}

const names = (list: readonly string[] | undefined, name: string): boolean =>
  list !== undefined && (list.includes('*') || list.includes(name))

/**
 * Of the cluster and of every role that reaches the resource: the strictest. The shortest life is that of all roles, as for any
 * session.
 */
function constraintsOf(held: readonly RoleDocument[], { preference, resource }: Facts): Constraints {
  const ttls = held.flatMap(({ spec: { options } }) =>
    options.max_session_ttl === undefined ? [] : [parseDuration(options.max_session_ttl) ?? 0],
  )
  return {
    tap: wantsTap(preference, held, resource),
    maxTtl: Math.min(longestSession, preference.defaultSessionTtl, ...ttls),
  }
}

/** Whether each session on it wants a tap of its own: the cluster says so, or a role of the user that reaches it. */
export const wantsTap = (
  { requireSessionMfa }: Pick<Preference, 'requireSessionMfa'>,
  held: readonly RoleDocument[],
  resource: DbDocument,
): boolean =>
  requireSessionMfa || held.some((role) => role.spec.options.require_session_mfa === true && reaches(role, resource))

function notAllowedInWords({ resource, principal: { db_user, db_name } }: Facts): string {
  return `No role of yours allows ${db_user} on ${db_name} in ${resource.metadata.name}.`
}

function remediesFor({ user, roles, resource }: Facts): string[] {
  const held = user.roles.flatMap((name) => roles.get(name) ?? [])
  const reaching = held.filter((role) => reaches(role, resource))
  const allowed = (list: 'db_users' | 'db_names') => [
    ...new Set(reaching.flatMap((role) => role.spec.allow[list] ?? [])),
  ]
  const [users, databases] = [allowed('db_users'), allowed('db_names')]
  if (users.length === 0 || databases.length === 0) return ['Ask an administrator for a role that reaches it.']
  return [`Your roles allow --db-user=${users.join('|')} and --db-name=${databases.join('|')} there.`]
}
