/**
 * The edge's side of a session on a resource: what a user may reach, the tap for exactly one session, and the grant that a proxy opens it
 * by. The proxy decides again (open-session.ts).
 */
import { type AuditEvent, recordingRefusals } from '../audit.ts'
import type { Intent, SessionSubject, Subjects } from '../intent.ts'
import { type Grant, grantLife, issueGrant } from '../issue/grant.ts'
import { base64url } from '../lib/bytes.ts'
import { isCoordinate } from '../lib/jwk.ts'
import { beginIntent, readTicket, spendOf } from '../login/ceremony.ts'
import { withKey } from '../login/known-key.ts'
import { siteUnder } from '../login/relying-party.ts'
import { takesOnlyCodes } from '../login/second-factor.ts'
import { type Holder, hours, minutes, type Site, type TotpId, type UserId } from '../model.ts'
import type { KnownKey, KnownPolicy, Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { approveUrl } from '../tap/approve-url.ts'
import type { SentCode, SentTap } from '../tap/sent.ts'
import { type AssertionJson, requireIntent, type Tap, verifyTap } from '../tap/verify.ts'
import { wantsTap } from './constraints.ts'
import type { Decision, Trace } from './decide.ts'
import { heldRoles, isAny, type RoleHolder } from './held-roles.ts'
import { mayImpersonate, notAllowedToActAs } from './impersonation.ts'
import { sessionRefused } from './open-session.ts'
import { shown } from './pattern.ts'
import { decideOn, type SessionOn } from './policy.ts'
import { type Principal, roleHolderOf } from './principal.ts'
import { reachableHosts } from './reachable-hosts.ts'
import { type ListCondition, membersOfPrincipal, type ResourceDocument } from './resource.ts'
import { resourceUnknown } from './resource-unknown.ts'
import { givenFor } from './session-code.ts'
import { isCount, mostUses } from './session-set.ts'
import { principalInWords } from './session-words.ts'
import { sourceOf } from './source-ip.ts'
import { requireVisible } from './visible.ts'
import { withPolicy } from './with-policy.ts'

const ttl = minutes(5)

export interface SessionAsk extends SessionOn {
  readonly proxy: { readonly id: string; readonly boot: string }
  /** The name of a user with whose rights it is to be opened. */
  readonly impersonate?: string | undefined
  /** For a certificate with a key of its own, which opens it so often where a tap is wanted. */
  readonly certificate?: SessionCertificate | undefined
}

/** `key`: RFC 7638 thumbprint. */
export interface SessionCertificate {
  readonly key: Holder
  readonly uses: number
}

/** A resource as its user sees it. */
export interface ReachableResource {
  readonly document: ResourceDocument
  /** As whom, by the lists of roles: names, and patterns as they are written. */
  readonly allowed: { readonly [list in ListCondition]?: readonly string[] }
  readonly tap: boolean
}

type ListNeeds = Pick<Ports, 'policies' | 'users' | 'now' | 'audit'>

/** Whose rights are listed. @throws Refusal session_refused */
async function listedFor(ports: ListNeeds, caller: Principal, impersonate: string | undefined) {
  const policy = await ports.policies.newest()
  const impersonated = await recordingRefusals(ports, caller.asking, 'request', () =>
    impersonatedBy(ports, policy, caller, impersonate),
  )
  return { policy, impersonated, holder: impersonated ?? roleHolderOf(caller) }
}

/** Hosts that are no resources, of the same. @throws Refusal session_refused */
export async function hostsInReach(ports: ListNeeds, caller: Principal, impersonate?: string) {
  const { policy, impersonated, holder } = await listedFor(ports, caller, impersonate)
  return reachableHosts(policy, holder, impersonated !== undefined)
}

/** `impersonate`: the name of a user whose they are. @throws Refusal session_refused */
export async function reachableResources(
  ports: ListNeeds,
  caller: Principal,
  impersonate?: string,
): Promise<ReachableResource[]> {
  const { policy, impersonated, holder } = await listedFor(ports, caller, impersonate)
  const { resources, preference } = policy
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

export type BeginNeeds = Pick<Ports, 'keys' | 'random' | 'now' | 'policies' | 'proxies' | 'users' | 'audit'>

/** undefined: no tap is wanted, the grant can be fetched at once. @throws Refusal session_refused, resource_unknown, target_invalid */
export function beginSession(
  site: Site,
  ports: BeginNeeds,
  caller: Principal,
  ask: SessionAsk,
  waiting: { readonly redirect_uri: string; readonly state: string },
): Promise<{ ticket: string; approve_url: string } | undefined> {
  return recordingRefusals(ports, caller.asking, 'session.approve', async () => {
    const policy = await newestFor(ports, ask.proxy.id)
    const impersonated = await impersonatedBy(ports, policy, caller, ask.impersonate)
    requireCertificate(ask)
    if (!decideFor(policy, ports, caller, ask, impersonated).constraints.tap) return undefined
    const subject = subjectOf(ask, caller, caller.asking.from.address, impersonated)
    const begin = { purpose: 'session', user: caller.user.id, holder: caller.jkt, subject, ttl } as const
    const { ticket } = beginIntent(site, ports, begin)
    return { ticket, approve_url: approveUrl(site, ticket, waiting) }
  })
}

const subjectOf = (
  { resource, principal, proxy, certificate }: SessionAsk,
  { jkt }: Principal,
  address: string,
  impersonated: Impersonated | undefined,
): SessionSubject => ({
  resource: { kind: resource.kind, name: resource.name },
  principal,
  client_key: certificate?.key ?? jkt,
  proxy: { id: proxy.id, boot: proxy.boot },
  address,
  ...whoseIn(impersonated),
  ...(certificate && { uses: certificate.uses }),
})

/** @throws Refusal target_invalid */
function requireCertificate({ certificate }: SessionAsk): void {
  if (!certificate) return
  const { key, uses } = certificate
  if (!isCoordinate(key)) throw new Refusal('target_invalid', { why: 'no thumbprint of a key' })
  if (isCount(uses)) return
  const told = `A certificate opens a session 1 to ${mostUses} times by one tap.`
  throw new Refusal('target_invalid', { why: 'uses', uses }, { told })
}

/** A user with whose rights a session is to be opened. */
export type Impersonated = RoleHolder & { readonly id: UserId }

/** As a subject has it. */
export const whoseIn = (impersonated: Impersonated | undefined) =>
  impersonated && { impersonated: { user: impersonated.id, name: impersonated.name } }

/** undefined: nobody. Who is not there is refused like who may not be. @throws Refusal session_refused */
export async function impersonatedBy(
  { users }: Pick<Ports, 'users'>,
  policy: KnownPolicy,
  caller: Principal,
  name: string | undefined,
): Promise<Impersonated | undefined> {
  if (name === undefined) return undefined
  const found = await users.withRoles(name)
  if (found && mayImpersonate(roleHolderOf(caller), found, policy.roles)) return found
  const detail = { user: caller.user.id, why: 'impersonation', of: name }
  throw new Refusal('session_refused', detail, { told: notAllowedToActAs(name) })
}

/** For sessions through a proxy that is registered: of what is refused nobody should be asked for a tap. @throws Refusal target_invalid */
export async function newestFor(
  { policies, proxies }: Pick<Ports, 'policies' | 'proxies'>,
  proxy: string,
): Promise<KnownPolicy> {
  const [registered, policy] = await Promise.all([proxies.find(proxy), policies.newest()])
  if (registered) return policy
  throw new Refusal('target_invalid', { why: 'no registered proxy', proxy })
}

/** @throws Refusal resource_unknown, session_refused */
export function decideFor(
  policy: KnownPolicy,
  { now }: Pick<Ports, 'now'>,
  caller: Principal,
  { resource, principal, proxy }: SessionAsk,
  impersonated: Impersonated | undefined,
): Extract<Decision, { outcome: 'allow' }> {
  const { user, factorId, asking } = caller
  // The passkey that taps has shown nothing yet: a lock on it stands in the way of the batch, which is after that.
  const by = { credentials: [factorId], proxy: proxy.id }
  const who = { user: roleHolderOf(caller), impersonated, by, now: now() }
  const found = decideOn(policy, { resource, principal }, who)
  if (!found) throw resourceUnknown(user.id, resource)
  const { decision } = found
  if (decision.outcome === 'refuse') {
    const asker = impersonated ? { ...caller, user: impersonated, roles: impersonated.roles } : caller
    throw sessionRefused(user.id, requireVisible(policy, asker, resource), decision)
  }
  if (decision.constraints.pinSourceIp) requireSource(asking.from.address)
  return decision
}

/** No proxy could hold a session to an address that nobody knows. */
function requireSource(address: string): void {
  if (sourceOf(address)) return
  const told =
    'A role of yours binds a session to the address that it is asked from, and the edge cannot see yours: ask an administrator.'
  throw new Refusal('session_refused', { why: 'address_unknown', address }, { told })
}

export type GrantNeeds = BeginNeeds & Pick<Ports, 'keyring' | 'publicKeys' | 'credentials' | 'signatures' | 'grants'>

/** A JWT, and its life in seconds. */
export interface Granted {
  readonly grant: string
  readonly life: number
}

/** @throws Refusal */
export function grantSession(
  site: Site,
  ports: GrantNeeds,
  caller: Principal,
  ask: SessionAsk,
  sent: SentTap | SentCode | undefined,
): Promise<Granted> {
  return withPolicy(ports, caller, async (policy) => {
    requireCertificate(ask)
    const impersonated = await impersonatedBy(ports, policy, caller, ask.impersonate)
    const { constraints, trace } = decideFor(policy, ports, caller, ask, impersonated)
    if (!sent) {
      if (constraints.tap) throw new Refusal('tap_wanted', { user: caller.user.id, resource: ask.resource.name })
      return grantWithoutTap(site, ports, caller, { ask, trace }, policy)
    }
    const intent = readTicket(ports, sent.ticket)
    const { address } = (intent as Intent<'session'>).subject
    const subject = subjectOf(ask, caller, String(address), impersonated)
    // The audit log names him as he is called, whatever spelling was typed.
    const asked = { ask: { ...ask, impersonate: impersonated?.name }, trace }
    return grantApproved(site, ports, caller, { subject, asked: [asked], intent, policy }, sent)
  })
}

async function grantWithoutTap(
  site: Site,
  ports: GrantNeeds,
  caller: Principal,
  asked: Asked,
  policy: KnownPolicy,
): Promise<Granted> {
  const { ask } = asked
  const once = subjectOf(ask, caller, caller.asking.from.address, undefined)
  const subject = ask.certificate ? { ...once, uses: 'any' as const } : once
  const id = base64url(ports.random(16))
  const spend = { id: `grant.${id}`, expiresAt: ports.now() + hours(1) }
  const events = [eventOf(ports, caller, asked)] as const
  await issue(ports, caller, policy, { spend, tapped: undefined, proxy: ask.proxy.id, events })
  return sign(site, ports, caller, { id, subject, tap: undefined })
}

/** What was approved: what the intent must say, and each session with the rules that allow it. */
interface Granting {
  readonly subject: Subjects['session']
  readonly asked: readonly [Asked, ...Asked[]]
  readonly intent: Intent
  /** That they were decided by. */
  readonly policy: KnownPolicy
}

export interface Asked {
  readonly ask: SessionAsk
  readonly trace: Trace
  /** How often, of a set. */
  readonly count?: number
}

/** @throws Refusal */
export function grantApproved(
  site: Site,
  ports: GrantNeeds,
  caller: Principal,
  granting: Granting,
  sent: SentTap | SentCode,
): Promise<Granted> {
  const here = siteUnder(site, granting.policy.preference)
  if ('app' in sent) return grantWithCode(here, ports, caller, granting, sent.app)
  const { assertion } = sent
  return withKey(ports, assertion.id, (known) => grantWithKey(here, ports, caller, granting, assertion, known))
}

/** What the code was given for is the intent; that it was given, and to whom, is the batch's to say. */
async function grantWithCode(
  site: Site,
  ports: GrantNeeds,
  caller: Principal,
  { subject, asked, intent, policy }: Granting,
  app: TotpId,
): Promise<Granted> {
  const { jkt: holder, user } = caller
  const { preference } = policy
  if (!takesOnlyCodes(preference)) throw new Refusal('codes_off', { user: user.id })
  requireIntent(intent, { site, purpose: 'session', holder, user: user.id, subject, now: ports.now() })
  const [first, ...others] = asked.map((one): AuditEvent => {
    const event = eventOf(ports, caller, one)
    return { ...event, intentId: intent.id, detail: { ...event.detail, factor: 'totp' } }
  })
  await issue(ports, caller, policy, {
    ...{ spend: spendOf(intent), tapped: undefined, proxy: subject.proxy.id },
    coded: { given: givenFor(intent, app).id, app, preference: preference.revision },
    events: [first as AuditEvent, ...others],
  })
  return sign(site, ports, caller, { id: intent.id, subject, tap: undefined, code: { app } })
}

async function grantWithKey(
  site: Site,
  ports: GrantNeeds,
  caller: Principal,
  { subject, asked, intent, policy }: Granting,
  assertion: AssertionJson,
  known: KnownKey | undefined,
): Promise<Granted> {
  if (!known) throw new Refusal('credential_unknown', { credential: assertion.id })
  const { jkt: holder, user } = caller
  const shown = { site, purpose: 'session', holder, user: user.id, subject, now: ports.now() } as const
  const evidence = await verifyTap({ intent, assertion }, known, shown)
  if (known.userId !== user.id) throw new Refusal('wrong_user', { user: user.id })

  const { id, response } = assertion
  const evident: Tap = { intent, assertion: { id, response } }
  const by = { intentId: intent.id, credentialId: evidence.credentialId }
  const [first, ...others] = asked
  const eventFor = (one: Asked) => ({ ...eventOf(ports, caller, one), ...by })
  const { fingerprint } = known.publicKey
  await issue(ports, caller, policy, {
    ...{ spend: spendOf(intent), proxy: subject.proxy.id },
    tapped: { ...evidence, userId: user.id, fingerprint, preference: policy.preference.revision },
    // The tap is long, and the intent's id finds it.
    events: [{ ...eventFor(first), evidence: { tap: evident } }, ...others.map(eventFor)],
  })
  await ports.publicKeys.keep(evidence.credentialId, known)
  return sign(site, ports, caller, { id: intent.id, subject, tap: evident })
}

type Issued = Parameters<Ports['grants']['issue']>[0]

/** What is known of a caller from before counts under the policy of that time alone. @throws Refusal */
async function issue(
  { grants }: GrantNeeds,
  { session, unspent: proof, sequence: known }: Principal,
  { sequence }: KnownPolicy,
  about: Omit<Issued, 'proof' | 'clientSessionId' | 'sequence'>,
): Promise<void> {
  if (proof && known !== sequence) throw new Refusal('policy_changed')
  await grants.issue({ ...about, proof, clientSessionId: session.id, sequence })
}

async function sign(
  site: Site,
  ports: GrantNeeds,
  caller: Principal,
  about: Pick<Grant<Subjects['session']>, 'id' | 'subject' | 'tap' | 'code'>,
): Promise<Granted> {
  const clientKey = about.subject.client_key as Holder
  const grant = { ...about, user: caller.user.id, login: loginOf(caller), clientKey }
  const now = ports.now()
  const jwt = await issueGrant(site.origin, await ports.keyring.current(), grant, now, ports.signatures)
  return { grant: jwt, life: grantLife(grant, now) }
}

const loginOf = ({ session: { id, expiresAt }, factorId: factor }: Principal) => ({ id, factor, expiresAt })

function eventOf(
  { now }: Pick<Ports, 'now'>,
  { asking, user, session }: Principal,
  { ask: { resource, principal, proxy, impersonate, certificate }, trace, count }: Asked,
): AuditEvent {
  const as = principalInWords(resource.kind, principal)
  const what = { resource: resource.name, ...(as !== '' && { as }), ...(count !== undefined && { count }) }
  const whose = impersonate !== undefined && { impersonated: impersonate }
  const whereby = certificate && { certificate: certificate.key, uses: certificate.uses }
  const detail = { ...what, ...whose, ...whereby, proxy: proxy.id, rules: trace().join('; ') }
  return { at: now(), kind: 'session.grant', outcome: 'done', asking, userId: user.id, sessionId: session.id, detail }
}
