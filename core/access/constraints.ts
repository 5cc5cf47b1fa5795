/** Under which conditions a session is allowed: of the cluster and of the user's roles the strictest. */
import { type Duration, hours } from '../model.ts'
import type { Facts } from './decide.ts'
import { parseDuration } from './duration.ts'
import type { Traits } from './pattern.ts'
import type { Preference } from './preference.ts'
import { reaches } from './reach.ts'
import type { ResourceDocument } from './resource.ts'
import type { RoleDocument, RoleOptions } from './role.ts'

export interface Constraints {
  /** A tap for this very session. */
  readonly tap: boolean
  /** The session's life, from its beginning. */
  readonly maxTtl: Duration
  /** It works from the address that it was asked for from, and no other. */
  readonly pinSourceIp: boolean
  /** It ends when the client has said nothing for so long. undefined: as the proxy's own limit says. */
  readonly clientIdleTimeout: Duration | undefined
  /** It ends with the login that opened it. */
  readonly disconnectExpiredCert: boolean
  /** At once of one user: of all kinds, and on this resource. undefined: as many as there is room for. */
  readonly maxConnections: number | undefined
  readonly maxSessions: number | undefined
  /** It begins only while locks are known to be the newest. */
  readonly strictLocks: boolean
}

export const longestSession: Duration = hours(12)

/**
 * What limits counts of every role that the user holds, as for any session; a tap is asked for by the roles that reach the
 * resource.
 */
export function constraintsOf(held: readonly RoleDocument[], { preference, resource, user }: Facts): Constraints {
  const options = held.map(({ spec }) => spec.options)
  const [ttls, idles] = [durations(options, 'max_session_ttl'), durations(options, 'client_idle_timeout')]
  return {
    tap: wantsTap(preference, held, resource, user.traits),
    maxTtl: Math.min(longestSession, preference.defaultSessionTtl, ...ttls),
    pinSourceIp: options.some(({ pin_source_ip }) => pin_source_ip === true),
    clientIdleTimeout: least(idles),
    disconnectExpiredCert: options.some(({ disconnect_expired_cert }) => disconnect_expired_cert === true),
    maxConnections: least(options.flatMap(({ max_connections }) => max_connections ?? [])),
    maxSessions: least(options.flatMap(({ max_sessions }) => max_sessions ?? [])),
    strictLocks: preference.lockingMode === 'strict' || options.some(({ lock }) => lock === 'strict'),
  }
}

/** What cannot be read is no time at all. */
const durations = (options: readonly RoleOptions[], name: 'max_session_ttl' | 'client_idle_timeout'): number[] =>
  options.flatMap(({ [name]: written }) => (written === undefined ? [] : [parseDuration(written) ?? 0]))

const least = (numbers: readonly number[]): number | undefined =>
  numbers.length === 0 ? undefined : Math.min(...numbers)

/** Whether each session on it wants a tap of its own: the cluster says so, or a role of the user that reaches it. */
export const wantsTap = (
  { requireSessionMfa }: Pick<Preference, 'requireSessionMfa'>,
  held: readonly RoleDocument[],
  resource: ResourceDocument,
  traits: Traits | undefined,
): boolean =>
  requireSessionMfa ||
  held.some((role) => role.spec.options.require_session_mfa === true && reaches(role, resource, traits))

/** Whether only a machine of ours will do, of the cluster or of any role. */
export function wantsDevice(held: readonly RoleDocument[], { preference }: Facts, trace: string[]): boolean {
  const demanding = held.filter(({ spec }) => spec.options.device_trust_mode === 'required')
  trace.push(...demanding.map(({ metadata }) => `${metadata.name}: options.device_trust_mode wants a trusted device`))
  if (preference.deviceTrust === 'required') trace.push('cluster: device_trust.mode wants a trusted device')
  return demanding.length > 0 || preference.deviceTrust === 'required'
}
