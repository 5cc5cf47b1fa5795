/**
 * A grant is shown to a proxy: everything is checked again, of what the proxy itself knows. The edge's signature alone opens nothing
 * where a role wants a tap.
 */

import type { SessionSubject } from '../intent.ts'
import type { Grant, SessionGrant } from '../issue/grant.ts'
import { takesOnlyCodes } from '../login/second-factor.ts'
import type { CredentialId, Holder, Instant, Site, UserId } from '../model.ts'
import type { KnownKey } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { verifyTap } from '../tap/verify.ts'
import type { Constraints } from './constraints.ts'
import type { Decision, Trace } from './decide.ts'
import type { Traits } from './pattern.ts'
import { decideOn, type Policy } from './policy.ts'
import { remedyInWords } from './remedy.ts'
import type { SessionTarget } from './resource.ts'
import { isSameSource } from './source-ip.ts'

/** What a proxy knows, ready to be asked. */
export interface Known extends Policy {
  readonly site: Site
  readonly users: ReadonlyMap<
    UserId,
    { readonly name: string; readonly roles: readonly string[]; readonly traits?: Traits }
  >
  /** undefined: no such credential, or none whose key can be used. */
  credential(id: CredentialId): Promise<KnownKey | undefined>
  /** Of whatever kind. */
  hasPasskey(user: UserId): boolean
}

export interface ShownGrant {
  readonly grant: SessionGrant
  /** The resource that this connection asks for. */
  readonly target: string
  /** Of the proof that came with it, made for this very connection. */
  readonly jkt: Holder
  readonly proxy: { readonly id: string; readonly boot: string }
  /** Where the connection comes from. */
  readonly address: string
  readonly now: Instant
}

export interface OpenedSession {
  readonly user: { readonly id: UserId; readonly name: string }
  readonly resource: SessionTarget
  readonly principal: SessionSubject['principal']
  readonly constraints: Constraints
  /** Whether a tap was checked. */
  readonly tapped: boolean
  readonly trace: Trace
}

/** @throws Refusal grant_invalid, resource_unknown, session_refused, tap_wanted, and whatever is wrong with the tap */
export async function openSession(known: Known, shown: ShownGrant): Promise<OpenedSession> {
  const { grant, target, jkt } = shown
  const { subject } = grant
  if (grant.clientKey !== jkt || subject.client_key !== jkt) throw new Refusal('grant_invalid', { why: 'another key' })
  if (subject.resource.name !== target) {
    throw new Refusal('grant_invalid', { why: 'another resource' })
  }
  const opened = requireAllowed(known, grant, shown)
  if (opened.constraints.tap && !grant.tap) requireCode(known, grant, target)
  if (grant.tap) await requireTap(known, shown)
  return { ...opened, tapped: grant.tap !== undefined }
}

/**
 * Nobody but the edge can check a code. So its word counts only where what this proxy knows takes nothing else, and not of who could
 * have tapped.
 */
function requireCode({ preference, hasPasskey }: Known, { user, code }: Grant, resource: string): void {
  if (code && takesOnlyCodes(preference) && !hasPasskey(user)) return
  throw new Refusal('tap_wanted', { user, resource, ...(code && { why: 'a code is not enough' }) })
}

type Allowed = Omit<OpenedSession, 'tapped'>

/** Asked when a session opens, and of each open one whenever something has changed. @throws Refusal resource_unknown, session_refused */
export function requireAllowed(
  known: Known,
  grant: Pick<Grant, 'user' | 'login' | 'subject' | 'tap' | 'code'>,
  { address, now }: Pick<ShownGrant, 'address' | 'now'>,
): Allowed {
  const { user: id, login, subject, tap, code } = grant
  const user = requireUser(known, id)
  const impersonated = subject.impersonated && requireUser(known, subject.impersonated.user)
  // The name is what somebody read before he tapped.
  if (impersonated && impersonated.name !== subject.impersonated?.name) throw userUnknown(id)
  const { principal } = subject
  const credentials = [login.factor, ...(tap ? [tap.assertion.id as CredentialId] : []), ...(code ? [code.app] : [])]
  const found = decideOn(known, subject, { user, impersonated, by: { credentials, proxy: subject.proxy.id }, now })
  if (!found) throw new Refusal('resource_unknown', { resource: subject.resource.name })
  const { resource, decision } = found
  if (decision.outcome === 'refuse') throw sessionRefused(id, resource, decision)
  const { constraints } = decision
  if (constraints.pinSourceIp && !isSameSource(subject.address, address)) throw fromElsewhere(subject.address, address)
  if (constraints.disconnectExpiredCert && now >= login.expiresAt) throw loginIsOver()
  return {
    user: { id, name: user.name },
    resource,
    principal,
    constraints,
    trace: decision.trace,
  }
}

function requireUser({ users }: Known, id: string) {
  const user = users.get(id as UserId)
  if (user) return user
  throw userUnknown(id)
}

const userUnknown = (id: string): Refusal =>
  new Refusal(
    'session_refused',
    { user: id, why: 'user_unknown' },
    { told: 'The user was removed, or is too new to be known here: try again in a few seconds.' },
  )

function fromElsewhere(asked: string, came: string): Refusal {
  const told = `A role of yours binds a session to the address that it was asked from (${asked}), and this connection comes from ${came}: connect from there, by the same way that the edge is reached.`
  return new Refusal('session_refused', { why: 'another_address', asked, came }, { told })
}

export const loginIsOver = (): Refusal =>
  new Refusal(
    'session_refused',
    { why: 'login_over' },
    { told: 'The login that asked for this session is over, and a role of yours ends it then: sallyport login' },
  )

export function sessionRefused(
  user: UserId,
  { metadata }: SessionTarget,
  { because, told, remedies, trace }: Extract<Decision, { outcome: 'refuse' }>,
): Refusal {
  const words = [told, ...remedies.map(remedyInWords)].join(' ')
  const detail = { user, resource: metadata.name, why: because, told: words, trace: trace().join('; ') }
  return new Refusal('session_refused', detail, { told: words })
}

/** The same check of a tap as at the edge, of a key that this proxy knows, for exactly this session or this whole set. */
async function requireTap({ site, credential }: Known, { grant, jkt, proxy, now }: ShownGrant): Promise<void> {
  const { tap, user } = grant
  if (!tap) return
  if (tap.intent.id !== grant.id) throw new Refusal('grant_invalid', { why: 'a tap for another grant' })
  const found = await credential(tap.assertion.id as CredentialId)
  if (!found) throw new Refusal('credential_unknown', { credential: tap.assertion.id })
  if (found.userId !== user) throw new Refusal('wrong_user', { user, credential: tap.assertion.id })
  // With the key and the process of this very connection, whatever the grant says.
  const subject = { ...grant.approved, client_key: jkt, proxy }
  // The key of a certificate is not the one of the program that asked. What it opens it opens because the tap names it.
  const holder = grant.subject.uses === undefined ? jkt : (tap.intent.holder as Holder)
  await verifyTap(tap, found, { site, purpose: 'session', holder, user, subject, now })
}
