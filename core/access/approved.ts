/**
 * A request of a program that comes with a tap: the intent is made again from what was received, and the tap must be the caller's, over
 * exactly that. What it says stays to be confirmed in the batch of the effect.
 */
import type { AuditEvent, AuditKind } from '../audit.ts'
import type { AdminSubject, Json } from '../intent.ts'
import { readTicket, spendOf } from '../login/ceremony.ts'
import { withKey } from '../login/known-key.ts'
import { type Under, withSite } from '../login/with-preference.ts'
import type { Site } from '../model.ts'
import type { KnownKey, Ports, Spend, Tapped } from '../ports.ts'
import { Refusal, type RefusalDetail } from '../refusal.ts'
import type { SentTap } from '../tap/sent.ts'
import { type Tap, verifyTap } from '../tap/verify.ts'
import { type ActionName, subjectOf } from './action.ts'
import type { Principal } from './principal.ts'

export type ApprovalNeeds = Pick<Ports, 'keys' | 'now' | 'preferences' | 'publicKeys' | 'credentials' | 'signatures'>

/** What came: the body as it came, whose hash was tapped, and the tap. */
export interface Request {
  readonly json: Json
  readonly sent: SentTap | undefined
}

export interface Approved {
  readonly spend: Spend
  readonly tapped: Tapped
  /** For whoever checks it later. */
  readonly tap: Tap
  /** What the action foresaw when the tap was asked for. */
  readonly revision: string
}

/** Under the preference, which the batch of the effect confirms. @throws Refusal tap_missing, and whatever `work` refuses */
export async function withApproval<T>(
  site: Site,
  ports: ApprovalNeeds,
  principal: Principal,
  action: ActionName,
  { json, sent }: Request,
  work: (approved: Approved, under: Under) => Promise<T>,
): Promise<T> {
  if (!sent) throw new Refusal('tap_missing', { user: principal.user.id })
  const tap = { intent: readTicket(ports, sent.ticket), assertion: sent.assertion }
  return withSite(site, ports, (here, preference) =>
    withKey(ports, sent.assertion.id, async (known) => {
      if (!known) throw new Refusal('credential_unknown', { credential: tap.assertion.id })
      const approved = await requireApproval(here, ports, principal, action, json, tap, known, preference.revision)
      const done = await work(approved, { site: here, preference })
      await ports.publicKeys.keep(approved.tapped.credentialId, known)
      return done
    }),
  )
}

async function requireApproval(
  site: Site,
  ports: Pick<Ports, 'now'>,
  { jkt, user }: Principal,
  action: ActionName,
  json: Json,
  { intent, assertion }: Tap,
  known: KnownKey,
  preference: string | undefined,
): Promise<Approved> {
  const { revision, address } = intent.subject as AdminSubject
  const subject = subjectOf(action, json, { revision: String(revision), address: String(address) })
  const shown = { site, purpose: 'admin', holder: jkt, user: user.id, subject, now: ports.now() } as const
  const { userId, publicKey } = known
  const evidence = await verifyTap({ intent, assertion }, known, shown)
  if (userId !== user.id) throw new Refusal('wrong_user', { user: user.id })
  const { id, response } = assertion
  return {
    spend: spendOf(intent),
    tapped: { ...evidence, userId, fingerprint: publicKey.fingerprint, preference },
    tap: { intent, assertion: { id, response } },
    revision: subject.revision,
  }
}

/** The audit row of what was approved, with its evidence. */
export function approvedEvent(
  { now }: Pick<Ports, 'now'>,
  { asking, user, session }: Principal,
  { tapped, tap }: Approved,
  { json: request }: Request,
  kind: AuditKind,
  detail: RefusalDetail,
): AuditEvent {
  const who = { userId: user.id, credentialId: tapped.credentialId, sessionId: session.id, intentId: tap.intent.id }
  return { at: now(), kind, outcome: 'done', asking, ...who, detail, evidence: { tap, request } }
}
