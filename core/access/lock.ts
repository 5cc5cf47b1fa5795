/** What is locked out: nothing that it names gets in, until it expires or is removed. */
import { readName } from '../login/name.ts'
import { fields, oneOf, optional, type Read, refined } from './fields.ts'
import { type Metadata, metadata } from './metadata.ts'
import { quoted, tell } from './place.ts'
import { anyText, message, shaped, text } from './text.ts'

export type LockDocument = {
  readonly kind: 'lock'
  readonly version: 'v2'
  readonly metadata: Metadata
  readonly spec: {
    readonly target: { readonly user: string }
    /** What the person who is locked out reads. */
    readonly message?: string
    /** RFC 3339, UTC, whole seconds or milliseconds. Left out: for ever. */
    readonly expires?: string
  }
}

const lockName = text(
  shaped(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/,
    'a name of 1 to 128 letters, digits and . _ -, beginning with one of the first two',
  ),
)

/** As users are named: a lock on a name that nobody can have would lock nobody. */
const userName: Read<string> = refined(anyText, (written, place) => {
  return readName(written) ?? tell(place, `${quoted(written)}: expected the name of a user`)
})

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

export const lock: Read<LockDocument> = fields<LockDocument>('lock', {
  kind: oneOf('lock'),
  version: oneOf('v2'),
  metadata: metadata('lock', lockName),
  spec: fields<LockDocument['spec']>('lock', {
    target: fields<LockDocument['spec']['target']>('lock target', { user: userName }),
    message: optional(message),
    expires: optional(instant),
  }),
})
