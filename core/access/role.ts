/** What its holders may reach, and how: `allow` and `deny` name resources by their labels, and as whom. */
import type { Json } from '../intent.ts'
import { hours, minutes } from '../model.ts'
import { fields, listOf, oneOf, optional, orEmptyMap, type Read, refined, unlessEmpty, yesOrNo } from './fields.ts'
import type { HostRule, Side } from './host-rule.ts'
import { hostRules } from './host-rules.ts'
import { type KubeResource, kubeResources } from './kube-resources.ts'
import { type Metadata, metadata } from './metadata.ts'
import { whyNoPattern } from './pattern.ts'
import { into, type Place, quoted, tell } from './place.ts'
import { isPreset } from './presets.ts'
import type { LabelCondition, ListCondition } from './resource.ts'
import { type Rule, rules } from './rule.ts'
import { labelMatchers, oneLine, shaped, text, ttl } from './text.ts'

export type RoleDocument = {
  readonly kind: 'role'
  readonly version: 'v5' | 'v6' | 'v7'
  readonly metadata: Metadata
  readonly spec: { readonly options: RoleOptions; readonly allow: RoleConditions; readonly deny: RoleConditions }
}

/** Durations as `formatDuration` writes them. Of two roles the stricter holds, but for what a role permits. */
export type RoleOptions = {
  readonly max_session_ttl?: string
  readonly require_session_mfa?: boolean
  readonly device_trust_mode?: 'off' | 'optional' | 'required'
  /** Whether a lock that could not be heard of keeps its holders out. */
  readonly lock?: 'strict' | 'best_effort'
  /** A session works from where it was asked for, and from nowhere else. */
  readonly pin_source_ip?: boolean
  /** A session in which the client says nothing for so long ends. */
  readonly client_idle_timeout?: string
  /** A session ends with the login that opened it. */
  readonly disconnect_expired_cert?: boolean
  /** Sessions of one user at once, of all kinds, at one proxy. */
  readonly max_connections?: number
  /** Sessions of one user at once on one resource, at one proxy. */
  readonly max_sessions?: number
  /** Sessions on what it reaches may be opened by a random word in a password's place, for programs that can prove no key. */
  readonly bearer_grants?: boolean
  /** Permits its holders to let a program in that runs on a machine without a browser (RFC 8628). */
  readonly device_flow?: boolean
}

export type LabelMatchers = { readonly [label: string]: readonly string[] }

/** What is left out matches nothing. `*` alone is any value; as the one label it is any resource. */
export type RoleConditions = { readonly [L in LabelCondition]?: LabelMatchers } & {
  readonly [L in ListCondition]?: readonly string[]
} & {
  /** Hosts that are no resources, by name or address and port (host-rule.ts). */
  readonly hosts?: readonly HostRule[]
  readonly kubernetes_resources?: readonly KubeResource[]
  /** What administrators may do. */
  readonly rules?: readonly Rule[]
  readonly impersonate?: ImpersonateConditions
}

/** As which other users its holders may open sessions: a user, and all roles that he holds. To deny, one of them is enough. */
export type ImpersonateConditions = {
  readonly users?: readonly string[]
  readonly roles?: readonly string[]
}

const mostEntries = 256

const roleName = text(
  shaped(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a name of 1 to 63 lower case letters, digits and -'),
  (name) => (isPreset(name) ? `the role ${quoted(name)} is built in: choose another name` : undefined),
)

const sessionTtl = ttl(minutes(1), hours(30))
const idleTtl = ttl(minutes(1), hours(24))

export function sessionMfa(json: Json | undefined, place: Place): boolean | undefined {
  const isHardwareKey = typeof json === 'string' && json.startsWith('hardware_key')
  if (!isHardwareKey) return yesOrNo(json, place)
  return tell(place, `${quoted(json)}: not supported in this version: true asks for a tap`)
}

const value = text(oneLine, whyNoPattern)
const values = listOf(value, mostEntries)

/** One value may stand without a list around it. */
const oneOrMore: Read<readonly string[]> = (json, place) => {
  if (Array.isArray(json)) return json.length > 0 ? values(json, place) : tell(place, 'expected at least one value')
  const only = value(json, place)
  return only === undefined ? undefined : [only]
}

const labels = unlessEmpty(
  refined(labelMatchers(oneOrMore), (matchers, place) => {
    const any = matchers['*']
    const isFine = any === undefined || (any.length === 1 && any[0] === '*')
    return isFine ? matchers : tell(into(place, '*'), 'the label `*` takes only the value `*`: name the label')
  }),
)

/** A number of things at once. 0 is what elsewhere means "no limit", so it says nothing. */
const limit: Read<number> = (json, place) => {
  if (typeof json !== 'number' || !Number.isInteger(json) || json < 0 || json > 100_000)
    return tell(place, 'expected a whole number, 1 to 100000')
  return json === 0 ? undefined : json
}

const list = unlessEmpty(values)
const conditions = (side: Side) =>
  orEmptyMap(
    fields<RoleConditions>('role', {
      logins: list,
      node_labels: labels,
      db_labels: labels,
      db_users: list,
      db_names: list,
      app_labels: labels,
      kubernetes_labels: labels,
      kubernetes_groups: list,
      kubernetes_users: list,
      kubernetes_resources: unlessEmpty(kubeResources),
      windows_desktop_labels: labels,
      windows_desktop_logins: list,
      hosts: unlessEmpty(hostRules(side)),
      rules: unlessEmpty(rules),
      impersonate: unlessEmpty(fields<ImpersonateConditions>('impersonate', { users: list, roles: list })),
    }),
  )

const options = orEmptyMap(
  fields<RoleOptions>('role', {
    max_session_ttl: optional(sessionTtl),
    require_session_mfa: optional(sessionMfa),
    device_trust_mode: optional(oneOf('off', 'optional', 'required')),
    lock: optional(oneOf('strict', 'best_effort')),
    pin_source_ip: optional(yesOrNo),
    client_idle_timeout: optional(idleTtl),
    disconnect_expired_cert: optional(yesOrNo),
    max_connections: optional(limit),
    max_sessions: optional(limit),
    bearer_grants: optional(yesOrNo),
    device_flow: optional(yesOrNo),
  }),
)

export const role: Read<RoleDocument> = fields<RoleDocument>('role', {
  kind: oneOf('role'),
  version: oneOf('v5', 'v6', 'v7'),
  metadata: metadata('role', roleName),
  spec: fields<RoleDocument['spec']>('role', {
    options,
    allow: conditions('allow'),
    deny: conditions('deny'),
  }),
})
