/**
 * What a change with a token rests on: a tap of exactly this request, or where the preference asks for no more a login that is recent.
 * The intent is made again from what was received. What is judged here stays to be confirmed in the batch of the effect.
 */
import type { Actor, Warrant } from '../admin-ports.ts'
import { operations } from '../api/operations.ts'
import type { AuditEvent, AuditKind, Evidence } from '../audit.ts'
import type { AdminSubject, Intent } from '../intent.ts'
import { readTicket, spendOf } from '../login/ceremony.ts'
import { withKey } from '../login/known-key.ts'
import { type Under, withSite } from '../login/with-preference.ts'
import type { Site } from '../model.ts'
import type { KnownKey, Ports, Spend, Tapped } from '../ports.ts'
import { Refusal, type RefusalDetail } from '../refusal.ts'
import type { SentTap } from '../tap/sent.ts'
import { type Tap, verifyTap } from '../tap/verify.ts'
import type { ActionName } from './action.ts'
import { changesHash } from './difference.ts'
import { actorOf, type Principal, type Requester, requireRecent } from './principal.ts'
import type { Deed } from './rule.ts'
import { type Foreseen, type Received, requestSubject } from './subject.ts'

export type ApprovalNeeds = Pick<Ports, 'keys' | 'now' | 'preferences' | 'publicKeys' | 'credentials' | 'signatures'>

/** What came, and the tap that came with it. */
export interface Request extends Received {
  readonly sent: SentTap | undefined
}

/**
 * What the tap must say. `revision` and `changes` are left out where they stand in the ticket alone and the batch confirms what the
 * revision names.
 */
export type Expected = Pick<Foreseen, 'summary' | 'key'> &
  Partial<Foreseen> & {
    /** What a rule must allow where the request itself says it, as its documents do; else the operation says it. */
    readonly deeds?: readonly Deed[]
  }

export interface Approved {
  readonly spend: Spend
  readonly tapped: Tapped
  /** For whoever checks it later. */
  readonly tap: Tap
  /** What the action foresaw when the tap was asked for. */
  readonly revision: string
}

/** By what right somebody changes something. */
export interface Standing {
  readonly actor: Actor
  /** undefined: a recent login was enough. */
  readonly approved: Approved | undefined
  /** By what it was judged: the batch confirms that it still holds. */
  readonly under: Under
}

/** For what always wants a tap. @throws Refusal tap_missing, document_changed, and whatever `work` refuses */
export async function withApproval<T>(
  site: Site,
  ports: ApprovalNeeds,
  principal: Requester,
  action: ActionName,
  request: Request,
  { deeds = deedsOf(action), ...expected }: Expected,
  work: (approved: Approved, standing: Standing) => Promise<T>,
): Promise<T> {
  const { sent } = request
  if (!sent) throw tapMissing(action, principal)
  const tap = { intent: readTicket(ports, sent.ticket), assertion: sent.assertion }
  return withSite(site, ports, (here, preference) =>
    withKey(ports, sent.assertion.id, async (known) => {
      if (!known) throw new Refusal('credential_unknown', { credential: tap.assertion.id })
      const shown = { ...requestSubject(operations[action], request), ...expected }
      const approved = await requireApproval(here, ports, principal, shown, tap, known, preference.revision)
      const actor = { ...actorOf(principal, deeds), warrant: warrantOf(approved, request, expected) }
      const done = await work(approved, { actor, approved, under: { site: here, preference } })
      await ports.publicKeys.keep(approved.tapped.credentialId, known)
      return done
    }),
  )
}

/** For what wants a tap only where the preference says so. @throws Refusal as withApproval; login_too_old */
export async function withStanding<T>(
  site: Site,
  ports: ApprovalNeeds,
  principal: Principal,
  action: ActionName,
  request: Request,
  expected: Expected,
  work: (standing: Standing) => Promise<T>,
): Promise<T> {
  if (request.sent) {
    return withApproval(site, ports, principal, action, request, expected, (_, standing) => work(standing))
  }
  return withSite(site, ports, async (here, preference) => {
    if (preference.adminActionMfa) throw tapMissing(action, principal)
    requireRecent(ports, principal)
    const warrant = { preference: preference.revision }
    const actor = { ...actorOf(principal, expected.deeds ?? deedsOf(action)), warrant }
    return work({ actor, approved: undefined, under: { site: here, preference } })
  })
}

const tapMissing = (action: ActionName, { user }: Requester) =>
  new Refusal('tap_missing', { user: user.id, operation: action })

function deedsOf(action: ActionName): readonly Deed[] {
  const { needs } = operations[action]
  return 'may' in needs ? [needs.may] : []
}

const warrantOf = (
  { spend, tapped, tap }: Approved,
  { json: request }: Request,
  { key }: Pick<Expected, 'key'>,
): Warrant => ({ spend, tapped, tap, request, mayVouch: key === 'vouching' })

type Shown = Omit<Expected, 'deeds'> & ReturnType<typeof requestSubject>

async function requireApproval(
  site: Site,
  ports: Pick<Ports, 'now'>,
  { jkt, user, claim }: Requester,
  { revision, changes, ...shown }: Shown,
  { intent, assertion }: Tap,
  known: KnownKey,
  preference: string | undefined,
): Promise<Approved> {
  const said = intent.subject as AdminSubject
  requireUnchanged(intent, shown, { revision, changes })
  const { unshown_lines } = said
  const subject: AdminSubject = {
    ...shown,
    revision: revision ?? String(said.revision),
    changes: changes === undefined ? String(said.changes) : changesHash(changes),
    // A page's own intent has none, so what was tapped for a program is nothing here, nor the other way round.
    ...(!claim && { address: String(said.address) }),
    ...(unshown_lines !== undefined && { unshown_lines: Number(unshown_lines) }),
  }
  const about = { site, purpose: 'admin', holder: jkt, user: user.id, subject, now: ports.now() } as const
  const { userId, publicKey } = known
  const evidence = await verifyTap({ intent, assertion }, known, about)
  if (userId !== user.id) throw new Refusal('wrong_user', { user: user.id })
  const { id, response } = assertion
  return {
    spend: spendOf(intent),
    tapped: { ...evidence, userId, fingerprint: publicKey.fingerprint, preference },
    tap: { intent, assertion: { id, response } },
    revision: subject.revision,
  }
}

/** Of this very request, but of what was there before: whoever tapped hears that it is there no more. */
function requireUnchanged(
  { subject, id }: Intent,
  shown: ReturnType<typeof requestSubject>,
  { revision, changes }: { readonly revision: string | undefined; readonly changes: string | undefined },
): void {
  const said = subject as Partial<AdminSubject>
  const isSame = said.method === shown.method && said.path === shown.path && said.body_hash === shown.body_hash
  const isOld = revision !== undefined && said.revision !== revision
  const isOther = changes !== undefined && said.changes !== changesHash(changes)
  if (isSame && (isOld || isOther)) throw new Refusal('document_changed', { intent: id })
}

/** The audit row of what was done, with the evidence of the tap; `otherwise`: where there is none. */
export function standingEvent(
  { now }: Pick<Ports, 'now'>,
  { asking, user, session }: Requester,
  approved: Approved | undefined,
  { json: request }: Request,
  kind: AuditKind,
  detail: RefusalDetail,
  otherwise?: Evidence,
): AuditEvent {
  const done = { at: now(), kind, outcome: 'done', asking, userId: user.id, sessionId: session.id, detail } as const
  if (!approved) return otherwise === undefined ? done : { ...done, evidence: otherwise }
  const { tapped, tap } = approved
  return { ...done, credentialId: tapped.credentialId, intentId: tap.intent.id, evidence: { tap, request } }
}
