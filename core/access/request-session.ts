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
import { hours, minutes, type Site } from '../model.ts'
import type { KnownKey, Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { approveUrl } from '../tap/approve-url.ts'
import type { SentTap } from '../tap/sent.ts'
import { type Tap, verifyTap } from '../tap/verify.ts'
import { wantsTap } from './constraints.ts'
import { reachedBy } from './decide.ts'
import { sessionRefused } from './open-session.ts'
import { shown } from './pattern.ts'
import { decideOn, policyOf, type SessionOn } from './policy.ts'
import type { Principal } from './principal.ts'
import { reaches } from './reach.ts'
import { type ListCondition, membersOfPrincipal, type ResourceDocument } from './resource.ts'
import { resourceUnknown } from './resource-unknown.ts'
import { principalInWords } from './session-words.ts'
import { sourceOf } from './source-ip.ts'
import { requireVisible, rolesOf } from './visible.ts'

const ttl = minutes(5)

export interface SessionAsk extends SessionOn {
  readonly proxy: { readonly id: string; readonly boot: string }
}

/** A resource as its user sees it. */
export interface ReachableResource {
  readonly document: ResourceDocument
  /** As whom, by the lists of roles: names, and patterns as they are written. */
  readonly allowed: { readonly [list in ListCondition]?: readonly string[] }
  readonly tap: boolean
}

export async function reachableResources(
  { documents }: Pick<Ports, 'documents'>,
  { user, roles: held }: Principal,
): Promise<ReachableResource[]> {
  const policy = policyOf((await documents.list({})).map(({ document }) => document))
  const { resources, preference } = policy
  const { traits = {} } = user
  return [...resources.values()].flatMap((document) => {
    const reaching = rolesOf(policy, held).filter((role) => reaches(role, document, traits))
    if (reaching.length === 0) return []
    const lists = membersOfPrincipal(document.kind).map(({ list }) => {
      const values = reaching.flatMap(({ spec }) => shown(spec.allow[list] ?? [], traits))
      return [list, [...new Set(values)]] as const
    })
    const allowed = Object.fromEntries(lists)
    return [{ document, allowed, tap: wantsTap(preference, reaching, document, traits) }]
  })
}

type BeginNeeds = Pick<Ports, 'keys' | 'random' | 'now' | 'documents' | 'proxies' | 'audit'>

/** undefined: no tap is wanted, the grant can be fetched at once. @throws Refusal session_refused, resource_unknown, target_invalid */
export function beginSession(
  site: Site,
  ports: BeginNeeds,
  caller: Principal,
  ask: SessionAsk,
  waiting: { readonly redirect_uri: string; readonly state: string },
): Promise<{ ticket: string; approve_url: string } | undefined> {
  return recordingRefusals(ports, caller.asking, 'session.approve', async () => {
    const { constraints } = await requireDecision(ports, caller, ask)
    if (!constraints.tap) return undefined
    const subject = subjectOf(ask, caller, caller.asking.from.address)
    const begin = { purpose: 'session', user: caller.user.id, holder: caller.jkt, subject, ttl } as const
    const { ticket } = beginIntent(site, ports, begin)
    return { ticket, approve_url: approveUrl(site, ticket, waiting) }
  })
}

const subjectOf = (
  { resource, principal, proxy }: SessionAsk,
  { jkt }: Principal,
  address: string,
): SessionSubject => ({
  resource: { kind: resource.kind, name: resource.name },
  principal,
  client_key: jkt,
  proxy: { id: proxy.id, boot: proxy.boot },
  address,
})

async function requireDecision(
  { documents, proxies, now }: Pick<Ports, 'documents' | 'proxies' | 'now'>,
  caller: Principal,
  { resource, principal, proxy }: SessionAsk,
) {
  const { user, roles: held, factorId, asking } = caller
  if (!(await proxies.find(proxy.id)))
    throw new Refusal('target_invalid', { why: 'no registered proxy', proxy: proxy.id })
  const policy = policyOf((await documents.list({})).map(({ document }) => document))
  // The passkey that taps has shown nothing yet: a lock on it stands in the way of the batch, which is after that.
  const by = { credentials: [factorId], proxy: proxy.id }
  const found = decideOn(policy, { resource, principal }, { user: { ...user, roles: held }, by, now: now() })
  if (!found) throw resourceUnknown(user.id, resource)
  const { decision } = found
  if (decision.outcome === 'refuse') throw sessionRefused(user.id, requireVisible(policy, caller, resource), decision)
  if (decision.constraints.pinSourceIp) requireSource(asking.from.address)
  return { ...decision, preference: policy.preference }
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
  return recordingRefusals(ports, caller.asking, 'session.grant', async () => {
    const { constraints, trace, preference } = await requireDecision(ports, caller, ask)
    if (!sent) {
      if (constraints.tap) throw new Refusal('tap_wanted', { user: caller.user.id, resource: ask.resource.name })
      return grantWithoutTap(site, ports, caller, ask, trace)
    }
    const tap = { intent: readTicket(ports, sent.ticket), assertion: sent.assertion }
    const here = siteUnder(site, preference)
    return withKey(ports, sent.assertion.id, (known) =>
      grantWithTap(here, ports, caller, ask, tap, known, trace, preference.revision),
    )
  })
}

async function grantWithoutTap(
  site: Site,
  ports: GrantNeeds,
  caller: Principal,
  ask: SessionAsk,
  trace: readonly string[],
): Promise<string> {
  const subject = subjectOf(ask, caller, caller.asking.from.address)
  const id = base64url(ports.random(16))
  const spend = { id: `grant.${id}`, expiresAt: ports.now() + hours(1) }
  const event = eventOf(ports, caller, ask, trace)
  const reaching = reachingOf(ask)
  await ports.grants.issue({ spend, tapped: undefined, clientSessionId: caller.session.id, reaching, event })
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
  trace: readonly string[],
  preference: string | undefined,
): Promise<string> {
  if (!known) throw new Refusal('credential_unknown', { credential: tap.assertion.id })
  const { intent } = tap
  const subject = subjectOf(ask, caller, String((intent as Intent<'session'>).subject.address))
  const { jkt: holder, user, session } = caller
  const shown = { site, purpose: 'session', holder, user: user.id, subject, now: ports.now() } as const
  const evidence = await verifyTap(tap, known, shown)
  if (known.userId !== user.id) throw new Refusal('wrong_user', { user: user.id })

  const { id, response } = tap.assertion
  const evident: Tap = { intent, assertion: { id, response } }
  const event = { ...eventOf(ports, caller, ask, trace), intentId: intent.id, evidence: { tap: evident } }
  await ports.grants.issue({
    spend: spendOf(intent),
    tapped: { ...evidence, userId: user.id, fingerprint: known.publicKey.fingerprint, preference },
    clientSessionId: session.id,
    reaching: reachingOf(ask),
    event: { ...event, credentialId: evidence.credentialId },
  })
  await ports.publicKeys.keep(evidence.credentialId, known)
  const grant = { id: intent.id, user: user.id, login: loginOf(caller), clientKey: holder, subject, tap: evident }
  return issueGrant(site.origin, await ports.keyring.current(), grant, ports.now())
}

const reachingOf = ({ resource, principal, proxy }: SessionAsk) => [...reachedBy(resource, principal, proxy.id)]

const loginOf = ({ session: { id, expiresAt }, factorId: factor }: Principal) => ({ id, factor, expiresAt })

function eventOf(
  { now }: Pick<Ports, 'now'>,
  { asking, user, session }: Principal,
  { resource, principal, proxy }: SessionAsk,
  trace: readonly string[],
): AuditEvent {
  const as = principalInWords(resource.kind, principal)
  const detail = { resource: resource.name, ...(as !== '' && { as }), proxy: proxy.id, rules: trace.join('; ') }
  return { at: now(), kind: 'session.grant', outcome: 'done', asking, userId: user.id, sessionId: session.id, detail }
}
