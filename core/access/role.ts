import { hours, minutes } from '../model.ts'
import { formatDuration, parseDuration } from './duration.ts'
import { fields, listOf, oneOf, optional, orEmptyMap, type Read, refined, tellExpected, unlessEmpty } from './fields.ts'
import { type Metadata, metadata } from './metadata.ts'
import { into, quoted, tell } from './place.ts'
import { isPreset } from './presets.ts'
import { anyText, labelMatchers, literal, oneLine, shaped, text } from './text.ts'

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

const [shortestTtl, longestTtl] = [minutes(1), hours(30)]

const sessionTtl: Read<string> = refined(anyText, (written, place) => {
  const ttl = parseDuration(written)
  if (ttl === undefined) return tell(place, `${quoted(written)}: expected a duration such as 8h or 1h30m`)
  if (ttl >= shortestTtl && ttl <= longestTtl) return formatDuration(ttl)
  return tell(place, `expected ${formatDuration(shortestTtl)} to ${formatDuration(longestTtl)}`)
})

/** YAML 1.1 reads these words as booleans and YAML 1.2 as text: files that people have mean booleans. */
const booleanWords = new Map([
  ...['true', 'yes', 'on'].map((word) => [word, true] as const),
  ...['false', 'no', 'off'].map((word) => [word, false] as const),
])

const yesOrNo: Read<boolean> = (json, place) => {
  if (typeof json === 'boolean') return json
  if (typeof json !== 'string') return tellExpected(json, place, 'true or false')
  return booleanWords.get(json.toLowerCase()) ?? tell(place, `${quoted(json)}: expected true or false`)
}

const sessionMfa: Read<boolean> = (json, place) =>
  typeof json === 'string' && json.startsWith('hardware_key')
    ? tell(place, `${quoted(json)}: not supported in this version: true asks for a tap`)
    : yesOrNo(json, place)

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
