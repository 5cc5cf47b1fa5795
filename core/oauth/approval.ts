/**
 * What approves a program, on whichever page it is asked: a tap of its user over exactly its request. Where the preference knows only
 * codes, who has no passkey to tap with types what a login costs there: the password, and a fresh code. Not the code alone: a
 * program's login lasts as long as a browser's, so the cookie must not stand in for the password, and a thief of it who has seen one
 * code gets none. The ticket binds both to this browser and to the one request, as a tap does. A recovery code approves nothing.
 */
import type { Preference } from '../access/preference.ts'
import { type AuditEvent, recordingRefusals } from '../audit.ts'
import type { Person } from '../factor-ports.ts'
import type { CliSubject, Intent } from '../intent.ts'
import { beginIntent, newSession, readTicket, type SessionCookie, spendOf } from '../login/ceremony.ts'
import { personOf } from '../login/factor-change.ts'
import { withKey } from '../login/known-key.ts'
import { type RequestOptions, requestOptions } from '../login/options.ts'
import {
  all,
  type CountAttempt,
  countingOnce,
  nameHash,
  requirePassword,
  requireTotp,
} from '../login/password-check.ts'
import { rpIdsOf, siteUnder } from '../login/relying-party.ts'
import { countsOf, takesOnlyCodes } from '../login/second-factor.ts'
import { withSite } from '../login/with-preference.ts'
import { type ClientSessionId, type Holder, type Instant, minutes, type Site } from '../model.ts'
import type { Caller, KnownKey, Ports, SessionClaim } from '../ports.ts'
import { Refusal, type RefusalDetail } from '../refusal.ts'
import { type AssertionJson, requireIntent, type Tap, verifyTap } from '../tap/verify.ts'
import type { Approval } from '../token-ports.ts'

const ttl = minutes(5)

/** How somebody approves a program; `none`: he has nothing that may. */
export type ApprovalWay = 'tap' | 'code' | 'none'

/**
 * A passkey goes before all else: where codes are taken, they must not stand in for the tap of who can give one. One of a relying party
 * that the cluster takes no more is as good as none. `wantsTap`: the program says that codes will not do.
 */
export function approvalWay(site: Site, preference: Preference, person: Person, wantsTap = false): ApprovalWay {
  if (canTap(siteUnder(site, preference), person)) return 'tap'
  if (!wantsTap && takesOnlyCodes(preference) && person.password && person.totps.length > 0) return 'code'
  return person.credentials.length > 0 ? 'tap' : 'none'
}

const canTap = (site: Site, { credentials }: Passkeys): boolean =>
  credentials.some(({ rpId }) => rpIdsOf(site).includes(rpId))

type Passkeys = Pick<Person, 'user' | 'credentials'>

export interface ApprovalBegun {
  readonly ticket: string
  /** undefined: it takes password and code. */
  readonly options: RequestOptions | undefined
}

type BeginNeeds = Pick<Ports, 'keys' | 'random' | 'now' | 'preferences'>

/** `personOf`: all that he has, which is read only where no passkey of his can tap. @throws Refusal passkeys_elsewhere, passkey_missing */
export function beginApproval(
  site: Site,
  ports: BeginNeeds,
  holder: Holder,
  passkeys: Passkeys,
  personOf: () => Promise<Person>,
  subject: CliSubject,
  wantsTap = false,
): Promise<ApprovalBegun> {
  const { user, credentials } = passkeys
  return withSite(site, ports, async (here, preference) => {
    const way = canTap(here, passkeys) ? 'tap' : approvalWay(here, preference, await personOf(), wantsTap)
    if (way === 'none') throw new Refusal('passkey_missing', { user: user.id })
    const { intent, ticket } = beginIntent(here, ports, { purpose: 'cli', user: user.id, holder, subject, ttl })
    return { ticket, options: way === 'tap' ? requestOptions(here, intent, ttl, credentials) : undefined }
  })
}

/** One of the two. */
export interface ApprovalAnswer {
  readonly ticket: string
  readonly assertion?: AssertionJson | undefined
  readonly current?: TypedProof | undefined
}

interface TypedProof {
  readonly password: string
  readonly code: string
}

/** What is approved. */
export interface Approving {
  /** What the intent must say. */
  subjectOf(intent: Intent): CliSubject
  /** Of the audit row. */
  readonly detail: RefusalDetail
  readonly sessionId?: ClientSessionId
  readonly wantsTap?: boolean
  /** In one batch with all that is to be confirmed. */
  apply(approval: Approval): Promise<{ readonly expiresAt: Instant }>
}

/** The browser's session got a new id. */
export interface ApprovalDone {
  readonly cookie: SessionCookie
  readonly expiresAt: Instant
}

type FinishNeeds = BeginNeeds &
  Pick<Ports, 'publicKeys' | 'signatures' | 'credentials' | 'factors' | 'passwords' | 'audit'>

/** @throws Refusal */
export function finishApproval(
  site: Site,
  ports: FinishNeeds,
  caller: Caller,
  answer: ApprovalAnswer,
  find: () => Approving | Promise<Approving>,
): Promise<ApprovalDone> {
  return recordingRefusals(ports, caller.asking, 'client.approve', async () => {
    const approving = await find()
    const intent = readTicket(ports, answer.ticket)
    const { assertion, current } = answer
    if (assertion && !current) {
      const tap = { intent, assertion }
      return withSite(site, ports, (here, { revision }) =>
        withKey(ports, assertion.id, (known) => approveByTap(here, ports, caller, tap, approving, known, revision)),
      )
    }
    if (!current || assertion) throw new Refusal('proof_missing')
    const count = countingOnce(ports)
    return withSite(site, ports, (here, preference) =>
      approveByCode(here, ports, caller, { intent, ...current }, approving, preference, count),
    )
  })
}

async function approveByTap(
  site: Site,
  ports: FinishNeeds,
  { asking, holder, claim }: Caller,
  tap: Tap,
  approving: Approving,
  known: KnownKey | undefined,
  preference: string | undefined,
): Promise<ApprovalDone> {
  if (!claim) throw new Refusal('session_missing')
  if (!known) throw new Refusal('credential_unknown', { credential: tap.assertion.id })
  const { intent } = tap
  const { userId, publicKey } = known
  const subject = approving.subjectOf(intent)
  const shown = { site, purpose: 'cli', holder, user: userId, subject, now: ports.now() } as const
  const evidence = await verifyTap(tap, known, shown)

  const { session, cookie } = newSession(ports, asking.from)
  const event: AuditEvent = {
    ...{ at: session.openedAt, kind: 'client.approve', outcome: 'done', asking, userId },
    ...{ credentialId: evidence.credentialId, sessionId: approving.sessionId, intentId: intent.id },
    ...{ detail: approving.detail, evidence: { tap } },
  }
  const tapped = { ...evidence, userId, fingerprint: publicKey.fingerprint, preference }
  const { expiresAt } = await approving.apply({ spend: spendOf(intent), tapped, claim, session, event })
  await ports.publicKeys.keep(evidence.credentialId, known)
  return { cookie, expiresAt }
}

async function approveByCode(
  site: Site,
  ports: FinishNeeds,
  { asking, holder, claim }: Caller,
  typed: TypedProof & { readonly intent: Intent },
  approving: Approving,
  preference: Preference,
  count: CountAttempt,
): Promise<ApprovalDone> {
  if (!takesOnlyCodes(preference)) throw new Refusal('codes_off')
  const person = await personOf(ports, claim)
  const { id: userId, name } = person.user
  if (approvalWay(site, preference, person, approving.wantsTap) !== 'code')
    throw new Refusal('proof_missing', { user: userId })
  const { intent } = typed
  const subject = approving.subjectOf(intent)
  const now = ports.now()
  requireIntent(intent, { site, purpose: 'cli', holder, user: userId, subject, now })
  // The attempts of a thief of cookies count like anybody's.
  const counted = await count(name)
  const [password, factor] = await all([
    requirePassword(ports, counted, typed.password),
    requireTotp(ports, person, typed.code, now),
  ])

  const { session, cookie } = newSession(ports, asking.from)
  const { id, step } = factor
  const event: AuditEvent = {
    ...{ at: session.openedAt, kind: 'client.approve', outcome: 'done', asking, userId },
    ...{ sessionId: approving.sessionId, intentId: intent.id, detail: { ...approving.detail, factor: 'totp' } },
    evidence: { intent, factor: { kind: 'totp', id, step } },
  }
  const { expiresAt } = await approving.apply({
    ...{ spend: spendOf(intent), userId, name: nameHash(ports.keys, name), was: countsOf(site, person) },
    ...{ proof: { kind: 'password', password, factor }, preference: preference.revision },
    ...{ claim: claim as SessionClaim, session, event },
  })
  return { cookie, expiresAt }
}
