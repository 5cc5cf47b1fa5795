/** Who calls with an access token: token, proof and session, checked in one round trip. */
import type { Actor, AllowingRole } from '../admin-ports.ts'
import type { Needs as OperationNeeds } from '../api/operation.ts'
import { type Asking, type ClientSessionId, type Holder, minutes, type SessionId, type Site } from '../model.ts'
import { type AccessClaims, verifyAccessToken } from '../oauth/access-token.ts'
import { hasScope } from '../oauth/clients.ts'
import { verifyDpop } from '../oauth/dpop.ts'
import type { Ports, SessionClaim, Spend } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import type { Entered, HeldRole } from '../token-ports.ts'
import type { RoleHolder } from './held-roles.ts'
import { covers, type Deed, deedInWords } from './rule.ts'

/** What an administrator does wants a login not older than this (RFC 9470 calls it max_age). */
export const recentLogin = minutes(5)

export interface Principal extends Entered {
  /** Thumbprint of the key that the session is bound to: the holder of whatever it begins. */
  readonly jkt: Holder
  readonly asking: Asking
  /** Of one who is known from an earlier call (known-caller.ts): the proof of this one, which the batch of its effect must spend. */
  readonly unspent?: Spend
}

const holders = new WeakMap<Principal['user'], RoleHolder>()

/** As roles are asked about him. The same object for the same person and roles: what they say is kept with it (held-roles.ts). */
export function roleHolderOf({ user, roles }: Pick<Principal, 'user' | 'roles'>): RoleHolder {
  const known = holders.get(user)
  if (known?.roles === roles) return known
  const made = { ...user, roles }
  holders.set(user, made)
  return made
}

/**
 * Who makes an administrative request: a program, or a page of ours (page-action.ts). There the browser session stands in the place of
 * the program's login, and the browser's ceremony cookie in that of its key.
 */
export interface Requester extends Pick<Principal, 'user' | 'held' | 'asking' | 'jkt'> {
  readonly session: { readonly id: ClientSessionId | SessionId }
  /** Of a browser session: the batch confirms it. */
  readonly claim?: SessionClaim
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

type Needs = Pick<
  Ports,
  'keys' | 'now' | 'keyring' | 'signatures' | 'proofKeys' | 'accessTokens' | 'clientSessions' | 'callers'
>

/** @throws Refusal token_missing, token_invalid, dpop_*, scope_insufficient, user_locked */
export async function authenticate(site: Site, ports: Needs, call: Call): Promise<Principal> {
  return enter(ports, await verifyCall(site, ports, call))
}

/** A call whose token and proof are right. Whether the session runs, and the proof is shown for the first time, is the database's to say. */
export interface VerifiedCall extends Pick<AccessClaims, 'userId' | 'sessionId' | 'jkt'> {
  readonly spend: Spend
  readonly asking: Asking
}

/** Without a round trip. @throws Refusal token_missing, token_invalid, dpop_*, scope_insufficient */
export async function verifyCall(
  site: Site,
  ports: Omit<Needs, 'clientSessions' | 'callers'>,
  { accessToken, isBearer = true, asking, ...request }: Call,
): Promise<VerifiedCall> {
  if (accessToken === undefined || accessToken === '') throw new Refusal('token_missing')
  const { userId, sessionId, scope, ...claims } = await verifyAccessToken(site, ports, accessToken)
  const { jkt, spend } = await verifyDpop(ports, isBearer ? { ...request, accessToken } : request)
  if (jkt !== claims.jkt) throw new Refusal('token_invalid', { why: 'bound to another key' })
  if (!hasScope(scope, 'api')) throw new Refusal('scope_insufficient', { user: userId })
  return { userId, sessionId, jkt, spend, asking }
}

/** @throws Refusal dpop_replayed, token_invalid, user_locked */
export async function enter(
  { clientSessions, callers, now }: Pick<Needs, 'clientSessions' | 'callers' | 'now'>,
  { userId, sessionId, jkt, spend, asking }: VerifiedCall,
): Promise<Principal> {
  const entered = await clientSessions.enter({ spend, id: sessionId, jkt, at: now() })
  if (entered.user.id !== userId) throw new Refusal('token_invalid', { why: 'of another user' })
  callers.set(sessionId, { ...entered, jkt })
  return { ...entered, jkt, asking }
}

/**
 * @throws Refusal login_headless, role_missing. Tap and age of the login are the action's own to check (approved.ts): the tap signs what
 * the action does, and the preference says which of both it wants.
 */
export function requireNeeds(principal: Principal, needs: OperationNeeds = {}): void {
  const { user, session } = principal
  // Who has talked somebody into entering a code has a login of his own. It must not let in more of his (a factor, an invite),
  // nor loosen what keeps him out.
  if (session.via === 'device_flow' && Object.keys(needs).length > 0) {
    throw new Refusal('login_headless', { user: user.id })
  }
  if (needs.may) allowing(principal, needs.may)
}

/**
 * What may want a tap and brings none rests on the login: one that a code approved hears nothing of what the change would do.
 * @throws Refusal login_untapped
 */
export function requireTapped({ user, session }: Principal, needs: OperationNeeds = {}): void {
  if (needs.presence === 'tap-or-recent' && !session.tapped) throw new Refusal('login_untapped', { user: user.id })
}

/**
 * That it is recent counts because a tap began it: who has phished a password and two codes administers nothing.
 * @throws Refusal login_untapped, login_too_old
 */
export function requireRecent({ now }: Pick<Ports, 'now'>, { user, session }: Principal): void {
  if (!session.tapped) throw new Refusal('login_untapped', { user: user.id })
  if (now() - session.authenticatedAt > recentLogin) throw new Refusal('login_too_old', { user: user.id })
}

const isDenied = ({ held }: Pick<Principal, 'held'>, deed: Deed): boolean =>
  held.some(({ document }) => covers(document.spec.deny.rules, deed))

/** No role of the user's may deny what another allows. */
const allowingRole = (holder: Pick<Principal, 'held'>, deed: Deed): HeldRole | undefined =>
  isDenied(holder, deed) ? undefined : holder.held.find(({ document }) => covers(document.spec.allow.rules, deed))

export const may = (holder: Pick<Principal, 'held'>, deed: Deed): boolean => allowingRole(holder, deed) !== undefined

/** The role that allows it: the batch confirms that it is held, and says what it says. @throws Refusal role_missing */
export function allowing(holder: Pick<Principal, 'user' | 'held'>, deed: Deed): AllowingRole {
  const found = allowingRole(holder, deed)
  if (found) return { name: found.document.metadata.name, revision: found.revision }
  const told = `${isDenied(holder, deed) ? 'A role of yours denies' : 'No role of yours allows'} it to ${deedInWords(deed)}.`
  throw new Refusal('role_missing', { user: holder.user.id, needs: `${deed.resource}:${deed.verb}` }, { told })
}

/** For the batch of what he does. @throws Refusal role_missing */
export function actorOf(requester: Requester, deeds: readonly Deed[]): Actor {
  const by = deeds.map((deed) => allowing(requester, deed))
  const { user, session, claim } = requester
  const roles = [...new Map(by.map((one) => [one.name, one])).values()]
  return { userId: user.id, sessionId: session.id, by: roles, ...(claim && { claim }) }
}
