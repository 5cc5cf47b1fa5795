/** What its holders may reach, and how: `allow` and `deny` name databases by their labels, and users and names in them. */
import type { Json } from '../intent.ts'
import { hours, minutes } from '../model.ts'
import { fields, listOf, oneOf, optional, orEmptyMap, type Read, refined, unlessEmpty, yesOrNo } from './fields.ts'
import { type Metadata, metadata } from './metadata.ts'
import { into, type Place, quoted, tell } from './place.ts'
import { isPreset } from './presets.ts'
import { labelMatchers, literal, oneLine, shaped, text, ttl } from './text.ts'

export type RoleDocument = {
  readonly kind: 'role'
  readonly version: 'v5' | 'v6' | 'v7'
  readonly metadata: Metadata
  readonly spec: { readonly options: RoleOptions; readonly allow: RoleConditions; readonly deny: RoleConditions }
}

export type RoleOptions = {
  /** As `formatDuration` writes it. */
  readonly max_session_ttl?: string
  readonly require_session_mfa?: boolean
  /** Its holders may let a program in that runs on a machine without a browser (RFC 8628). */
  readonly device_flow?: boolean
}

/** What is left out matches nothing. `*` alone is any value; as the one label it is any resource. */
export type RoleConditions = {
  readonly db_labels?: { readonly [label: string]: readonly string[] }
  readonly db_users?: readonly string[]
  readonly db_names?: readonly string[]
}

const mostEntries = 256

const roleName = text(
  shaped(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a name of 1 to 63 lower case letters, digits and -'),
  (name) => (isPreset(name) ? `the role ${quoted(name)} is built in: choose another name` : undefined),
)

const sessionTtl = ttl(minutes(1), hours(30))

export function sessionMfa(json: Json | undefined, place: Place): boolean | undefined {
  const isHardwareKey = typeof json === 'string' && json.startsWith('hardware_key')
  if (!isHardwareKey) return yesOrNo(json, place)
  return tell(place, `${quoted(json)}: not supported in this version: true asks for a tap`)
}

const value = text(oneLine, literal)
const values = listOf(value, mostEntries)

/** One value may stand without a list around it. */
const oneOrMore: Read<readonly string[]> = (json, place) => {
  if (Array.isArray(json)) return json.length > 0 ? values(json, place) : tell(place, 'expected at least one value')
  const only = value(json, place)
  return only === undefined ? undefined : [only]
}

const dbLabels = refined(labelMatchers(oneOrMore), (matchers, place) => {
  const any = matchers['*']
  const isFine = any === undefined || (any.length === 1 && any[0] === '*')
  return isFine ? matchers : tell(into(place, '*'), 'the label `*` takes only the value `*`: name the label')
})

const conditions = orEmptyMap(
  fields<RoleConditions>('role', {
    db_labels: unlessEmpty(dbLabels),
    db_users: unlessEmpty(values),
    db_names: unlessEmpty(values),
  }),
)

export const role: Read<RoleDocument> = fields<RoleDocument>('role', {
  kind: oneOf('role'),
  version: oneOf('v5', 'v6', 'v7'),
  metadata: metadata('role', roleName),
  spec: fields<RoleDocument['spec']>('role', {
    options: orEmptyMap(
      fields<RoleOptions>('role', {
        max_session_ttl: optional(sessionTtl),
        require_session_mfa: optional(sessionMfa),
        device_flow: optional(yesOrNo),
      }),
    ),
    allow: conditions,
    deny: conditions,
  }),
})
