/**
 * The edge's side of a session on a resource: what a user may reach, the tap for exactly one session, and the grant that a proxy opens it
 * by. The proxy decides again (open-session.ts).
 */
import { type AuditEvent, recordingRefusals } from '../audit.ts'
import type { Intent, SessionSubject } from '../intent.ts'
import { issueGrant } from '../issue/grant.ts'
import { base64url } from '../lib/bytes.ts'
import { beginIntent, readTicket, spendOf } from '../login/ceremony.ts'
import { withKey } from '../login/known-key.ts'
import { siteUnder } from '../login/relying-party.ts'
import { hours, minutes, type Site, type UserId } from '../model.ts'
import type { KnownKey, KnownPolicy, Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { approveUrl } from '../tap/approve-url.ts'
import type { SentTap } from '../tap/sent.ts'
import { type Tap, verifyTap } from '../tap/verify.ts'
import { wantsTap } from './constraints.ts'
import type { Trace } from './decide.ts'
import { type Holder, heldRoles, isAny } from './held-roles.ts'
import { mayImpersonate, notAllowedToActAs } from './impersonation.ts'
import { sessionRefused } from './open-session.ts'
import { shown } from './pattern.ts'
import { decideOn, type SessionOn } from './policy.ts'
import type { Principal } from './principal.ts'
import { type ListCondition, membersOfPrincipal, type ResourceDocument } from './resource.ts'
import { resourceUnknown } from './resource-unknown.ts'
import { principalInWords } from './session-words.ts'
import { sourceOf } from './source-ip.ts'
import { requireVisible } from './visible.ts'
import { withPolicy } from './with-policy.ts'

const ttl = minutes(5)

export interface SessionAsk extends SessionOn {
  readonly proxy: { readonly id: string; readonly boot: string }
  /** The name of a user with whose rights it is to be opened. */
  readonly impersonate?: string | undefined
}

/** A resource as its user sees it. */
export interface ReachableResource {
  readonly document: ResourceDocument
  /** As whom, by the lists of roles: names, and patterns as they are written. */
  readonly allowed: { readonly [list in ListCondition]?: readonly string[] }
  readonly tap: boolean
}

/** `impersonate`: the name of a user whose they are. @throws Refusal session_refused */
export async function reachableResources(
  ports: Pick<Ports, 'policies' | 'users'>,
  caller: Principal,
  impersonate?: string,
): Promise<ReachableResource[]> {
  const policy = await ports.policies.newest()
  const { resources, preference } = policy
  const impersonated = await impersonatedBy(ports, policy, caller, impersonate)
  const holder = impersonated ?? holderOf(caller)
  const { traits = {} } = holder
  const all = heldRoles(holder, policy.roles)
  return [...resources.values()].flatMap((document) => {
    const { allow } = all.ofResource(document)
    if (!isAny(allow)) return []
    const reaching = all.marked(allow)
    const lists = membersOfPrincipal(document.kind).map(({ list }) => {
      const values = reaching.flatMap(({ spec }) => shown(spec.allow[list] ?? [], traits))
      return [list, [...new Set(values)]] as const
    })
    const allowed = Object.fromEntries(lists)
    return [{ document, allowed, tap: impersonated !== undefined || wantsTap(preference, all, allow) }]
  })
}

type BeginNeeds = Pick<Ports, 'keys' | 'random' | 'now' | 'policies' | 'proxies' | 'users' | 'audit'>

/** undefined: no tap is wanted, the grant can be fetched at once. @throws Refusal session_refused, resource_unknown, target_invalid */
export function beginSession(
  site: Site,
  ports: BeginNeeds,
  caller: Principal,
  ask: SessionAsk,
  waiting: { readonly redirect_uri: string; readonly state: string },
): Promise<{ ticket: string; approve_url: string } | undefined> {
  return recordingRefusals(ports, caller.asking, 'session.approve', async () => {
    // The newest, so that nobody taps for what is refused then.
    const [proxy, policy] = await Promise.all([ports.proxies.find(ask.proxy.id), ports.policies.newest()])
    if (!proxy) throw new Refusal('target_invalid', { why: 'no registered proxy', proxy: ask.proxy.id })
    const { decision, impersonated } = await requireDecision(ports, policy, caller, ask)
    if (!decision.constraints.tap) return undefined
    const subject = subjectOf(ask, caller, caller.asking.from.address, impersonated)
    const begin = { purpose: 'session', user: caller.user.id, holder: caller.jkt, subject, ttl } as const
    const { ticket } = beginIntent(site, ports, begin)
    return { ticket, approve_url: approveUrl(site, ticket, waiting) }
  })
}

const subjectOf = (
  { resource, principal, proxy }: SessionAsk,
  { jkt }: Principal,
  address: string,
  impersonated: Impersonated | undefined,
): SessionSubject => ({
  resource: { kind: resource.kind, name: resource.name },
  principal,
  client_key: jkt,
  proxy: { id: proxy.id, boot: proxy.boot },
  address,
  ...(impersonated && { impersonated: { user: impersonated.id, name: impersonated.name } }),
})

type Impersonated = Holder & { readonly id: UserId }

const holderOf = ({ user, roles }: Principal): Holder => ({ ...user, roles })

/** undefined: nobody. Who is not there is refused like who may not be. @throws Refusal session_refused */
async function impersonatedBy(
  { users }: Pick<Ports, 'users'>,
  policy: KnownPolicy,
  caller: Principal,
  name: string | undefined,
): Promise<Impersonated | undefined> {
  if (name === undefined) return undefined
  const found = await users.withRoles(name)
  if (found && mayImpersonate(holderOf(caller), found, policy.roles)) return found
  const detail = { user: caller.user.id, why: 'impersonation', of: name }
  throw new Refusal('session_refused', detail, { told: notAllowedToActAs(name) })
}

async function requireDecision(
  ports: Pick<Ports, 'now' | 'users'>,
  policy: KnownPolicy,
  caller: Principal,
  { resource, principal, proxy, impersonate }: SessionAsk,
) {
  const { user, factorId, asking } = caller
  const impersonated = await impersonatedBy(ports, policy, caller, impersonate)
  // The passkey that taps has shown nothing yet: a lock on it stands in the way of the batch, which is after that.
  const by = { credentials: [factorId], proxy: proxy.id }
  const who = { user: holderOf(caller), impersonated, by, now: ports.now() }
  const found = decideOn(policy, { resource, principal }, who)
  if (!found) throw resourceUnknown(user.id, resource)
  const { decision } = found
  if (decision.outcome === 'refuse') {
    const asker = impersonated ? { ...caller, user: impersonated, roles: impersonated.roles } : caller
    throw sessionRefused(user.id, requireVisible(policy, asker, resource), decision)
  }
  if (decision.constraints.pinSourceIp) requireSource(asking.from.address)
  return { decision, impersonated }
}

/** No proxy could hold a session to an address that nobody knows. */
function requireSource(address: string): void {
  if (sourceOf(address)) return
  const told =
    'A role of yours binds a session to the address that it is asked from, and the edge cannot see yours: ask an administrator.'
  throw new Refusal('session_refused', { why: 'address_unknown', address }, { told })
}

type GrantNeeds = BeginNeeds & Pick<Ports, 'keyring' | 'publicKeys' | 'credentials' | 'signatures' | 'grants'>

/** The grant, as a JWT. @throws Refusal */
export function grantSession(
  site: Site,
  ports: GrantNeeds,
  caller: Principal,
  ask: SessionAsk,
  sent: SentTap | undefined,
): Promise<string> {
  return recordingRefusals(ports, caller.asking, 'session.grant', () =>
    withPolicy(ports, async (policy) => {
      const { decision, impersonated } = await requireDecision(ports, policy, caller, ask)
      const decided = { policy, trace: decision.trace, impersonated }
      if (!sent) {
        if (decision.constraints.tap)
          throw new Refusal('tap_wanted', { user: caller.user.id, resource: ask.resource.name })
        return grantWithoutTap(site, ports, caller, ask, decided)
      }
      const tap = { intent: readTicket(ports, sent.ticket), assertion: sent.assertion }
      const here = siteUnder(site, policy.preference)
      return withKey(ports, sent.assertion.id, (known) => grantWithTap(here, ports, caller, ask, tap, known, decided))
    }),
  )
}

/** By what it was decided, and why so. */
interface Decided {
  readonly policy: KnownPolicy
  readonly trace: Trace
  readonly impersonated: Impersonated | undefined
}

async function grantWithoutTap(
  site: Site,
  ports: GrantNeeds,
  caller: Principal,
  ask: SessionAsk,
  decided: Decided,
): Promise<string> {
  const subject = subjectOf(ask, caller, caller.asking.from.address, undefined)
  const id = base64url(ports.random(16))
  const spend = { id: `grant.${id}`, expiresAt: ports.now() + hours(1) }
  const event = eventOf(ports, caller, ask, decided)
  const { sequence } = decided.policy
  const issued = { spend, tapped: undefined, clientSessionId: caller.session.id, sequence, proxy: ask.proxy.id, event }
  await ports.grants.issue(issued)
  const grant = { id, user: caller.user.id, login: loginOf(caller), clientKey: caller.jkt, subject, tap: undefined }
  return issueGrant(site.origin, await ports.keyring.current(), grant, ports.now())
}

async function grantWithTap(
  site: Site,
  ports: GrantNeeds,
  caller: Principal,
  ask: SessionAsk,
  tap: Tap,
  known: KnownKey | undefined,
  decided: Decided,
): Promise<string> {
  if (!known) throw new Refusal('credential_unknown', { credential: tap.assertion.id })
  const { intent } = tap
  const { sequence, preference } = decided.policy
  const { address } = (intent as Intent<'session'>).subject
  const subject = subjectOf(ask, caller, String(address), decided.impersonated)
  const { jkt: holder, user, session } = caller
  const shown = { site, purpose: 'session', holder, user: user.id, subject, now: ports.now() } as const
  const evidence = await verifyTap(tap, known, shown)
  if (known.userId !== user.id) throw new Refusal('wrong_user', { user: user.id })

  const { id, response } = tap.assertion
  const evident: Tap = { intent, assertion: { id, response } }
  const event = { ...eventOf(ports, caller, ask, decided), intentId: intent.id, evidence: { tap: evident } }
  await ports.grants.issue({
    spend: spendOf(intent),
    tapped: { ...evidence, userId: user.id, fingerprint: known.publicKey.fingerprint, preference: preference.revision },
    clientSessionId: session.id,
    sequence,
    proxy: ask.proxy.id,
    event: { ...event, credentialId: evidence.credentialId },
  })
  await ports.publicKeys.keep(evidence.credentialId, known)
  const grant = { id: intent.id, user: user.id, login: loginOf(caller), clientKey: holder, subject, tap: evident }
  return issueGrant(site.origin, await ports.keyring.current(), grant, ports.now())
}

const loginOf = ({ session: { id, expiresAt }, factorId: factor }: Principal) => ({ id, factor, expiresAt })

function eventOf(
  { now }: Pick<Ports, 'now'>,
  { asking, user, session }: Principal,
  { resource, principal, proxy }: SessionAsk,
  { trace, impersonated }: Decided,
): AuditEvent {
  const as = principalInWords(resource.kind, principal)
  const detail = {
    resource: resource.name,
    ...(as !== '' && { as }),
    ...(impersonated && { impersonated: impersonated.name }),
    proxy: proxy.id,
    rules: trace().join('; '),
  }
  return { at: now(), kind: 'session.grant', outcome: 'done', asking, userId: user.id, sessionId: session.id, detail }
}
