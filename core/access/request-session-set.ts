/**
 * The edge's side of several sessions by one tap: each is decided as if it were asked for alone, and one that is refused refuses all, by
 * its name. What the tap approves is in its ticket, so the exchange names the proxy alone and is given exactly that.
 */
import { recordingRefusals } from '../audit.ts'
import { type Intent, isSessionSet, type SessionInSet, type SessionSetSubject } from '../intent.ts'
import { beginIntent, readTicket } from '../login/ceremony.ts'
import { minutes, type Site } from '../model.ts'
import type { KnownPolicy, Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { approveUrl } from '../tap/approve-url.ts'
import type { SentCode, SentTap } from '../tap/sent.ts'
import type { Decision } from './decide.ts'
import type { Principal } from './principal.ts'
import {
  type Asked,
  type BeginNeeds,
  decideFor,
  type Granted,
  type GrantNeeds,
  grantApproved,
  type Impersonated,
  impersonatedBy,
  newestFor,
  type SessionAsk,
  whoseIn,
} from './request-session.ts'
import { requireSet } from './session-set.ts'
import { withPolicy } from './with-policy.ts'

const ttl = minutes(5)

export interface SessionSetAsk extends Pick<SessionAsk, 'proxy' | 'impersonate'> {
  readonly sessions: readonly SessionInSet[]
}

/** undefined: none of them wants a tap, so a grant for each can be fetched at once. @throws Refusal target_invalid, and as for one */
export function beginSessionSet(
  site: Site,
  ports: BeginNeeds,
  caller: Principal,
  { sessions, proxy, impersonate }: SessionSetAsk,
  waiting: { readonly redirect_uri: string; readonly state: string },
): Promise<{ ticket: string; approve_url: string } | undefined> {
  return recordingRefusals(ports, caller.asking, 'session.approve', async () => {
    requireSet(sessions)
    const policy = await newestFor(ports, proxy.id)
    const impersonated = await impersonatedBy(ports, policy, caller, impersonate)
    const decided = sessions.map((one) => decideNaming(policy, ports, caller, { ...one, proxy }, impersonated))
    if (!decided.some(({ constraints }) => constraints.tap)) return undefined
    const subject: SessionSetSubject = {
      sessions: sessions.map(({ resource: { kind, name }, principal, count }) => ({
        ...{ resource: { kind, name }, principal, count },
      })),
      client_key: caller.jkt,
      proxy: { id: proxy.id, boot: proxy.boot },
      address: caller.asking.from.address,
      ...whoseIn(impersonated),
    }
    const begin = { purpose: 'session', user: caller.user.id, holder: caller.jkt, subject, ttl } as const
    const { ticket } = beginIntent(site, ports, begin)
    return { ticket, approve_url: approveUrl(site, ticket, waiting) }
  })
}

/** @throws Refusal */
export async function grantSessionSet(
  site: Site,
  ports: GrantNeeds,
  caller: Principal,
  { proxy }: Pick<SessionSetAsk, 'proxy'>,
  sent: SentTap | SentCode | undefined,
): Promise<Granted> {
  if (!sent) throw new Refusal('tap_wanted', { user: caller.user.id })
  const intent = readTicket(ports, sent.ticket)
  const approved = approvedIn(intent)
  return withPolicy(ports, caller, async (policy) => {
    const impersonate = approved.impersonated?.name
    const impersonated = await impersonatedBy(ports, policy, caller, impersonate)
    const [first, ...others] = approved.sessions.map((one): Asked => {
      const ask = { resource: one.resource, principal: one.principal, proxy, impersonate }
      return { ask, count: one.count, trace: decideNaming(policy, ports, caller, ask, impersonated).trace }
    })
    if (!first) throw new Refusal('wrong_subject', { intent: intent.id })
    const here = { client_key: caller.jkt, proxy: { id: proxy.id, boot: proxy.boot } }
    const subject = { ...approved, ...here, ...whoseIn(impersonated) }
    return grantApproved(site, ports, caller, { subject, asked: [first, ...others], intent, policy }, sent)
  })
}

/** @throws Refusal wrong_purpose, wrong_subject: of a ticket for anything else */
function approvedIn(intent: Intent): SessionSetSubject {
  if (intent.purpose !== 'session') throw new Refusal('wrong_purpose', { intent: intent.id })
  const { subject } = intent as Intent<'session'>
  if (!isSessionSet(subject)) throw new Refusal('wrong_subject', { intent: intent.id })
  requireSet(subject.sessions)
  return subject
}

/** @throws Refusal that says of which one it is */
function decideNaming(
  policy: KnownPolicy,
  ports: Pick<Ports, 'now'>,
  caller: Principal,
  ask: SessionAsk,
  impersonated: Impersonated | undefined,
): Extract<Decision, { outcome: 'allow' }> {
  try {
    return decideFor(policy, ports, caller, ask, impersonated)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { code, detail, told } = error
    const { name } = ask.resource
    throw new Refusal(code, { ...detail, resource: name }, { told: `${name}: ${told}`.trim(), cause: error })
  }
}
