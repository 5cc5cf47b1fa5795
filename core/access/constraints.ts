/** Under which conditions a session is allowed: of the cluster and of the user's roles the strictest. */
import { type Duration, hours } from '../model.ts'
import { both, type HeldRoles, isAny, type Limits, type Marks } from './held-roles.ts'
import type { Networks } from './host-rule.ts'
import type { Preference } from './preference.ts'

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
  /** A random word may stand in for the program's key. */
  readonly bearerGrants: boolean
  /** Of a host that is no resource: where the address may lie that is dialled. undefined: it is a resource. */
  readonly networks: Networks | undefined
}

export const longestSession: Duration = hours(12)

/**
 * What limits counts of every role that the user holds, as for any session; a tap is asked for by the roles that reach the
 * resource.
 */
export function constraintsOf(
  held: HeldRoles,
  reaching: Marks,
  preference: Pick<Preference, 'requireSessionMfa' | 'defaultSessionTtl' | 'lockingMode'>,
  networks: Networks | undefined,
): Constraints {
  const ofCluster = {
    tap: wantsTap(preference, held, reaching),
    maxTtl: Math.min(longestSession, preference.defaultSessionTtl),
    pinSourceIp: false,
    clientIdleTimeout: undefined,
    disconnectExpiredCert: false,
    maxConnections: undefined,
    maxSessions: undefined,
    strictLocks: preference.lockingMode === 'strict',
    bearerGrants: isAny(both(reaching, held.bearing)),
    networks,
  }
  return limitedBy(ofCluster, held.limits)
}

/** Of each the stricter. */
export const limitedBy = (constraints: Constraints, limits: Limits): Constraints => ({
  tap: constraints.tap,
  maxTtl: Math.min(constraints.maxTtl, limits.maxTtl ?? longestSession),
  pinSourceIp: constraints.pinSourceIp || limits.pinSourceIp,
  clientIdleTimeout: lesser(constraints.clientIdleTimeout, limits.clientIdleTimeout),
  disconnectExpiredCert: constraints.disconnectExpiredCert || limits.disconnectExpiredCert,
  maxConnections: lesser(constraints.maxConnections, limits.maxConnections),
  maxSessions: lesser(constraints.maxSessions, limits.maxSessions),
  strictLocks: constraints.strictLocks || limits.strictLocks,
  bearerGrants: constraints.bearerGrants && !limits.noBearerGrants,
  networks: constraints.networks,
})

const lesser = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined ? other : Math.min(one, other ?? one)

/** Whether each session on it wants a tap of its own: the cluster says so, or a role of the user that reaches it. */
export const wantsTap = (
  { requireSessionMfa }: Pick<Preference, 'requireSessionMfa'>,
  held: HeldRoles,
  reaching: Marks,
): boolean => requireSessionMfa || isAny(both(reaching, held.tapping))
