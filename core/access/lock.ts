/** What is locked out: nothing that it names gets in, until it expires or is removed. */
import { nameKey } from '../login/name.ts'
import type { Instant } from '../model.ts'
import { fields, oneOf, optional, type Read, refined } from './fields.ts'
import { parseHost } from './host-target.ts'
import { type Metadata, metadata } from './metadata.ts'
import { anyOf, quoted, tell } from './place.ts'
import { resourceName } from './resource-name.ts'
import { roleName } from './role-name.ts'
import { anyText, message, oneLine, shaped, text } from './text.ts'
import { userName } from './user-name.ts'

/**
 * One of these. `login`: an account on hosts and desktops; `mfa_device`: a passkey by its id, or an authenticator app; `device`: a
 * machine; a resource by its name; a host that is none as `HOST:PORT`, by that name alone; a proxy or an agent by its id.
 */
export const lockTargets = [
  'user',
  'role',
  'login',
  'mfa_device',
  'device',
  'node',
  'db',
  'kube_cluster',
  'app',
  'windows_desktop',
  'host',
  'proxy',
  'agent',
] as const
export type LockTargetKind = (typeof lockTargets)[number]
export type LockTarget = { readonly [K in LockTargetKind]?: string }

export type LockDocument = {
  readonly kind: 'lock'
  readonly version: 'v2'
  readonly metadata: Metadata
  readonly spec: {
    readonly target: LockTarget
    /** What the person who is locked out reads. */
    readonly message?: string
    /** RFC 3339, UTC, whole seconds or milliseconds. Left out: for ever. */
    readonly expires?: string
  }
}

/** Such as `user alice`. */
export const targetInWords = (target: LockTarget): string => Object.entries(target).flat().join(' ')

/** Names one thing that may be locked; users as they are known, and logins as Windows takes them, in whatever spelling. */
export type LockKey = `${LockTargetKind}:${string}`

export const lockKey = (kind: LockTargetKind, name: string): LockKey =>
  `${kind}:${kind === 'user' || kind === 'login' ? nameKey(name) : name}`

/** Of a document that was read: it names one thing. */
export function lockedBy({ spec: { target } }: LockDocument): LockKey {
  const [kind, name] = Object.entries(target)[0] as [LockTargetKind, string]
  return lockKey(kind, name)
}

const lockedWhat: Readonly<Partial<Record<LockTargetKind, string>>> = {
  user: 'This user',
  role: 'A role of this user',
  login: 'This login',
  mfa_device: 'This passkey or app',
  device: 'This device',
  host: 'This host',
  proxy: 'This proxy',
  agent: 'This agent',
}

/** What whoever it keeps out reads. */
export function lockInWords({ spec: { target, message } }: LockDocument): string {
  const what = lockedWhat[Object.keys(target)[0] as LockTargetKind] ?? 'This resource'
  return message === undefined ? `${what} is locked.` : `${what} is locked: ${message}`
}

/** An instant that cannot be read is not past. */
export const isInForce = ({ spec: { expires } }: LockDocument, now: Instant): boolean =>
  !(expires !== undefined && Date.parse(expires) <= now)

const lockName = text(
  shaped(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/,
    'a name of 1 to 128 letters, digits and . _ -, beginning with one of the first two',
  ),
)

const instant: Read<string> = refined(anyText, (written, place) => {
  return parseInstant(written) ?? tell(place, `${quoted(written)}: expected an instant such as 2030-01-31T12:00:00Z`)
})

const rfc3339 = /^(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/** The same instant in UTC; what is finer than a millisecond is cut. */
function parseInstant(written: string): string | undefined {
  const day = rfc3339.exec(written.toUpperCase())?.[1]
  // Some engines carry a 30th of February over into March.
  if (day === undefined || dayOf(Date.parse(`${day}T00:00:00Z`)) !== day) return undefined
  const date = new Date(Date.parse(written.toUpperCase()))
  return /^\d{4}-/.test(date.toISOString()) ? date.toISOString().replace('.000Z', 'Z') : undefined
}

const dayOf = (at: number): string | undefined =>
  Number.isNaN(at) ? undefined : new Date(at).toISOString().slice(0, 10)

const named = text(oneLine)

/** In its one spelling, which is what sessions are asked for by. */
const hostName: Read<string> = refined(anyText, (written, place) => {
  const parsed = parseHost(written)
  return parsed.kind === 'value' ? parsed.value : tell(place, parsed.why)
})

const targetFields = fields<LockTarget>('lock target', {
  user: optional(userName),
  role: optional(roleName),
  login: optional(named),
  mfa_device: optional(named),
  device: optional(named),
  node: optional(resourceName),
  db: optional(resourceName),
  kube_cluster: optional(resourceName),
  app: optional(resourceName),
  windows_desktop: optional(resourceName),
  host: optional(hostName),
  proxy: optional(named),
  agent: optional(named),
})

/** Of two names a lock could mean both at once, or either: so one. */
const target: Read<LockTarget> = (json, place) => {
  const before = place.problems.length
  const read = targetFields(json, place)
  if (read === undefined || place.problems.length > before) return read
  const count = Object.keys(read).length
  if (count === 1) return read
  return tell(
    place,
    count === 0 ? `expected one of ${anyOf(lockTargets)}` : 'names more than one: write a lock for each',
  )
}

export const lock: Read<LockDocument> = fields<LockDocument>('lock', {
  kind: oneOf('lock'),
  version: oneOf('v2'),
  metadata: metadata('lock', lockName),
  spec: fields<LockDocument['spec']>('lock', { target, message: optional(message), expires: optional(instant) }),
})
