/**
 * How people log in to the cluster. There is one such document at most; preference.ts says what it comes to. What it leaves out
 * is left out of its canonical form too, so that a later version's defaults reach it.
 */
import type { Json } from '../intent.ts'
import { hours, minutes } from '../model.ts'
import {
  fields,
  listOf,
  oneOf,
  optional,
  orEmptyMap,
  type Read,
  refined,
  tellExpected,
  unlessEmpty,
  yesOrNo,
} from './fields.ts'
import { parseHostName } from './host-port.ts'
import { type Metadata, metadata } from './metadata.ts'
import { eachCertificate, parseCertificates } from './pem.ts'
import { into, type Place, quoted, tell } from './place.ts'
import type { SecondFactor } from './preference.ts'
import { sessionMfa } from './role.ts'
import { anyText, ttl } from './text.ts'

export const preferenceKind = 'cluster_auth_preference'
export const preferenceName = 'cluster-auth-preference'

export type SecondFactorWord = 'off' | 'otp' | 'webauthn' | 'on' | 'optional'

export type PreferenceDocument = {
  readonly kind: typeof preferenceKind
  readonly version: 'v2'
  readonly metadata: Metadata
  readonly spec: PreferenceSpec
}

export type PreferenceSpec = {
  readonly type: 'local'
  readonly second_factor?: SecondFactorWord
  readonly second_factors?: readonly SecondFactor[]
  readonly webauthn?: WebauthnSpec
  readonly require_session_mfa?: boolean
  /** Each administrative action wants a tap, where codes are taken too. */
  readonly admin_action_mfa?: boolean
  readonly device_trust?: DeviceTrust
  /** As `formatDuration` writes it. */
  readonly default_session_ttl?: string
  readonly locking_mode?: 'best_effort' | 'strict'
  /** The way of signing in that is offered first. */
  readonly connector_name?: 'local' | 'passwordless'
  readonly allow_local_auth?: true
  readonly passwordless?: boolean
  readonly allow_passwords?: boolean
}

export type DeviceTrust = {
  readonly mode: 'off' | 'optional' | 'required'
  /** Devices of the inventory enroll themselves at their owner's login. */
  readonly auto_enroll?: boolean
}

export type WebauthnSpec = {
  readonly rp_id?: string
  /** Relying parties of before whose passkeys still work. */
  readonly former_rp_ids?: readonly string[]
  /** Of other sites that may use this relying party (WebAuthn Level 3 section 5.11). */
  readonly related_origins?: readonly string[]
  /** PEM, one certificate each. */
  readonly attestation_allowed_cas?: readonly string[]
  readonly attestation_denied_cas?: readonly string[]
  readonly allowed_aaguids?: readonly string[]
  readonly denied_aaguids?: readonly string[]
  readonly backup_eligible?: boolean
}

/** Which factors a word means; `off` means none. */
export const factorsOf: { readonly [word in SecondFactorWord]: readonly SecondFactor[] } = {
  off: [],
  otp: ['otp'],
  webauthn: ['webauthn'],
  on: ['webauthn', 'otp'],
  optional: ['webauthn', 'otp'],
}

const [mostCertificates, mostAaguids, mostFormer] = [64, 256, 8]
/** Browsers look at five registrable labels and leave out the rest (section 5.11.1), so no more can do anything. */
const mostOrigins = 5

/** `on` and `off` without quotes are booleans to readers of YAML 1.1. */
const words =
  <Word extends string>(read: Read<Word>, on: string): Read<Word> =>
  (json, place) =>
    read(typeof json === 'boolean' ? (json ? on : 'off') : json, place)

const secondFactor = words(oneOf('off', 'otp', 'webauthn', 'on', 'optional'), 'on')
/** `on` without quotes would be neither of both. */
const deviceTrustMode = words(oneOf('off', 'optional', 'required'), 'on')

const order: readonly SecondFactor[] = ['webauthn', 'otp', 'sso']
const listedFactors = listOf(oneOf('webauthn', 'otp'), order.length)
const secondFactors: Read<readonly SecondFactor[]> = (json, place) => {
  if (Array.isArray(json) && json.length === 0) return tell(place, 'expected at least one: write second_factor: off')
  const before = place.problems.length
  const read: readonly SecondFactor[] | undefined = listedFactors(json, place)
  // Half a list would contradict what the whole one does not.
  return read && place.problems.length === before ? order.filter((one) => read.includes(one)) : undefined
}

const certificates: Read<readonly string[]> = (json, place) => {
  if (!Array.isArray(json)) return tellExpected(json as Json | undefined, place, 'a list of certificates')
  const found = (json as readonly Json[]).flatMap((entry, at) => certificatesIn(entry, into(place, at)) ?? [])
  const each = [...new Set(found)]
  return each.length <= mostCertificates
    ? each
    : tell(place, `${each.length} certificates: at most ${mostCertificates}`)
}

function certificatesIn(entry: Json, place: Place): readonly string[] | undefined {
  const written = anyText(entry, place)
  if (written === undefined) return undefined
  const parsed = parseCertificates(written)
  return parsed.kind === 'value' ? eachCertificate(parsed.value) : tell(place, parsed.why)
}

const aaguid: Read<string> = refined(anyText, (written, place) => {
  const id = written.toLowerCase()
  const isOne = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)
  return isOne ? id : tell(place, `${quoted(written)}: expected an AAGUID such as ee882879-721c-4913-9775-3dfcce97072a`)
})

/** A browser takes neither an address nor a domain that anybody can register under; which those are it knows itself. */
const rpId: Read<string> = refined(anyText, (written, place) => {
  const name = parseHostName(written)
  const isDomain = name !== undefined && (name === 'localhost' || (/\./.test(name) && !/^[\d.]+$/.test(name)))
  return isDomain
    ? name
    : tell(place, `${quoted(written)}: expected a domain such as access.example.com, without https:// and port`)
})

const origin: Read<string> = refined(anyText, (written, place) => {
  const url = URL.canParse(written) ? new URL(written) : undefined
  const isOrigin = url?.protocol === 'https:' && url.href === `${url.origin}/` && !/[?#@]/.test(written)
  return isOrigin
    ? url.origin
    : tell(place, `${quoted(written)}: expected an origin such as https://access.example.org`)
})

const webauthn = unlessEmpty(
  fields<WebauthnSpec>('webauthn', {
    rp_id: optional(rpId),
    former_rp_ids: unlessEmpty(listOf(rpId, mostFormer)),
    related_origins: unlessEmpty(listOf(origin, mostOrigins)),
    attestation_allowed_cas: unlessEmpty(certificates),
    attestation_denied_cas: unlessEmpty(certificates),
    allowed_aaguids: unlessEmpty(listOf(aaguid, mostAaguids)),
    denied_aaguids: unlessEmpty(listOf(aaguid, mostAaguids)),
    backup_eligible: optional(yesOrNo),
  }),
)

/** Nobody could log in: this version has no other way than its own. */
const localAuth: Read<true> = refined(
  yesOrNo,
  (isAllowed, place) => isAllowed || tell(place, 'nobody could log in: connectors are not supported in this version'),
)

/** An empty one is none. */
const connector: Read<'local' | 'passwordless'> = (json, place) =>
  json === '' ? undefined : oneOf('local', 'passwordless')(json, place)

const spec = refined(
  fields<PreferenceSpec>(preferenceKind, {
    type: (json, place) => (json === undefined ? 'local' : oneOf('local')(json, place)),
    second_factor: optional(secondFactor),
    second_factors: optional(secondFactors),
    webauthn,
    require_session_mfa: optional(sessionMfa),
    device_trust: unlessEmpty(
      fields<DeviceTrust>('device_trust', { mode: deviceTrustMode, auto_enroll: optional(yesOrNo) }),
    ),
    admin_action_mfa: optional(yesOrNo),
    default_session_ttl: optional(ttl(minutes(1), hours(12))),
    locking_mode: optional(oneOf('best_effort', 'strict')),
    connector_name: optional(connector),
    allow_local_auth: optional(localAuth),
    passwordless: optional(yesOrNo),
    allow_passwords: optional(yesOrNo),
  }),
  (read, place) => {
    const found = contradictionIn(read)
    return found === undefined ? read : tell(into(place, found[0]), found[1])
  },
)

/** Which field contradicts another, and how. */
function contradictionIn(read: PreferenceSpec): readonly [field: keyof PreferenceSpec, why: string] | undefined {
  const { second_factor: word, second_factors: list } = read
  if (word && list && !agree(word, list))
    return ['second_factors', `second_factor: ${word} says otherwise: leave out one of the two`]
  if (read.passwordless === false && read.allow_passwords === false)
    return ['passwordless', 'nobody could log in: allow_passwords is false too']
  if (read.passwordless === false && read.connector_name === 'passwordless')
    return ['connector_name', '`passwordless` is not offered: passwordless is false']
  return undefined
}

/** A list is required of everybody, and `optional` is not. */
const agree = (word: SecondFactorWord, list: readonly SecondFactor[]): boolean =>
  word !== 'optional' && factorsOf[word].join() === list.join()

const name = (json: Json | undefined, place: Place): string | undefined =>
  json === undefined ? preferenceName : oneOf(preferenceName)(json, place)

export const authPreference: Read<PreferenceDocument> = fields<PreferenceDocument>(preferenceKind, {
  kind: oneOf(preferenceKind),
  version: oneOf('v2'),
  metadata: orEmptyMap(metadata(preferenceKind, name)),
  spec,
})
