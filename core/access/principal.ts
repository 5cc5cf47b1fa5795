/** Who calls with an access token: token, proof and session, checked in one round trip. */
import type { Actor } from '../admin-ports.ts'
import type { Needs as OperationNeeds } from '../api/operation.ts'
import { type Asking, type Holder, minutes, type Site } from '../model.ts'
import { verifyAccessToken } from '../oauth/access-token.ts'
import { hasScope } from '../oauth/clients.ts'
import { verifyDpop } from '../oauth/dpop.ts'
import type { Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import type { Entered } from '../token-ports.ts'

/** What an administrator does wants a login not older than this (RFC 9470 calls it max_age). */
export const recentLogin = minutes(5)

export interface Principal extends Entered {
  /** Thumbprint of the key that the session is bound to: the holder of whatever it begins. */
  readonly jkt: Holder
  readonly asking: Asking
}

export interface Call {
  readonly method: string
  readonly url: string
  readonly accessToken: string | undefined
  readonly proof: string | undefined
  readonly asking: Asking
  /** Whether the token came in the Authorization header: then the proof must name it by its hash. Elsewhere it need not. */
  readonly isBearer?: boolean
}

/** RFC 9449 section 7.1. */
export const tokenIn = (authorization: string | undefined): string | undefined =>
  /^DPoP +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization ?? '')?.[1]

type Needs = Pick<Ports, 'keys' | 'now' | 'keyring' | 'signatures' | 'proofKeys' | 'clientSessions'>

/** @throws Refusal token_missing, token_invalid, dpop_*, scope_insufficient, user_locked */
export async function authenticate(site: Site, ports: Needs, call: Call): Promise<Principal> {
  const { accessToken, isBearer = true, ...request } = call
  if (accessToken === undefined || accessToken === '') throw new Refusal('token_missing')
  const claims = await verifyAccessToken(site, ports, accessToken)
  const { jkt, spend } = await verifyDpop(ports, isBearer ? { ...request, accessToken } : request)
  if (jkt !== claims.jkt) throw new Refusal('token_invalid', { why: 'bound to another key' })
  if (!hasScope(claims.scope, 'api')) throw new Refusal('scope_insufficient', { user: claims.userId })
  const entered = await ports.clientSessions.enter({ spend, id: claims.sessionId, jkt, at: ports.now() })
  if (entered.user.id !== claims.userId) throw new Refusal('token_invalid', { why: 'of another user' })
  return { ...entered, jkt, asking: call.asking }
}

/**
 * @throws Refusal login_headless, role_missing. Tap and age of the login are the action's own to check (approved.ts): the tap signs what
 * the action does, and the preference says which of both it wants.
 */
export function requireNeeds(principal: Principal, needs: OperationNeeds = {}): void {
  const { user, roles, session } = principal
  // Who has talked somebody into entering a code has a login of his own. It must not let in more of his (a factor, an invite),
  // nor loosen what keeps him out.
  if (session.via === 'device_flow' && Object.keys(needs).length > 0) {
    throw new Refusal('login_headless', { user: user.id })
  }
  if (needs.role !== undefined && !roles.includes(needs.role)) {
    throw new Refusal('role_missing', { user: user.id, role: needs.role })
  }
}

/** @throws Refusal login_too_old */
export function requireRecent({ now }: Pick<Ports, 'now'>, { user, session }: Principal): void {
  if (now() - session.authenticatedAt > recentLogin) throw new Refusal('login_too_old', { user: user.id })
}

export const actorOf = ({ user, session }: Principal, role: 'editor' | 'auditor' | undefined): Actor => ({
  userId: user.id,
  sessionId: session.id,
  role,
})
