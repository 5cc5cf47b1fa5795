/**
 * A code in the place of the tap for a session, where the preference knows only codes and its user has no passkey. The page sends the
 * code to the edge, which uses it up for exactly the intent that the page shows and writes that down; the program then brings the same
 * ticket, and the batch that issues the grant spends the intent. So the program never has the code, and one code makes one grant. The
 * code alone: the other factor is the login of the program that asked, whose key the grant is bound to.
 */
import { type AuditEvent, recordingRefusals } from '../audit.ts'
import type { Person } from '../factor-ports.ts'
import type { Intent } from '../intent.ts'
import { readTicket, spendOf } from '../login/ceremony.ts'
import { personOf } from '../login/factor-change.ts'
import { type CountAttempt, countingOnce, nameHash, requireTotp } from '../login/password-check.ts'
import { takesOnlyCodes } from '../login/second-factor.ts'
import { withSite } from '../login/with-preference.ts'
import type { Holder, Site, TotpId } from '../model.ts'
import type { Caller, Ports, SessionClaim, Spend } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { requireIntent } from '../tap/verify.ts'
import type { Preference } from './preference.ts'
import { approvedInWords } from './session-words.ts'

/** Who has any passkey taps: codes must not stand in for what he could give. */
export const mayTypeCode = (preference: Preference, { credentials, totps }: Pick<Person, 'credentials' | 'totps'>) =>
  takesOnlyCodes(preference) && credentials.length === 0 && totps.length > 0

/** That a code of this app was given for this intent: once, and remembered as long as the intent is. */
export const givenFor = (intent: Intent, app: TotpId): Spend => ({
  id: `code.${intent.id}.${app}`,
  expiresAt: spendOf(intent).expiresAt,
})

type Needs = Pick<Ports, 'keys' | 'now' | 'preferences' | 'factors' | 'grants' | 'audit'>

/** @throws Refusal session_missing, codes_off, proof_missing, password_locked, code_wrong, code_spent, and what is wrong with the ticket */
export function approveByCode(
  site: Site,
  ports: Needs,
  caller: Caller,
  typed: { readonly ticket: string; readonly code: string },
): Promise<{ app: TotpId }> {
  return recordingRefusals(ports, caller.asking, 'session.approve', () => {
    const count = countingOnce(ports)
    return withSite(site, ports, (here, preference) => approveWith(here, ports, caller, typed, preference, count))
  })
}

async function approveWith(
  site: Site,
  ports: Needs,
  { asking, claim }: Caller,
  { ticket, code }: { readonly ticket: string; readonly code: string },
  preference: Preference,
  count: CountAttempt,
): Promise<{ app: TotpId }> {
  const person = await personOf(ports, claim)
  const { id: userId, name } = person.user
  const intent = readTicket(ports, ticket)
  requireSession(site, intent, { user: userId, now: ports.now() })
  if (!takesOnlyCodes(preference)) throw new Refusal('codes_off', { user: userId })
  if (!mayTypeCode(preference, person)) throw new Refusal('proof_missing', { user: userId })
  // The attempts of a thief of cookies count like anybody's.
  await count(name)
  const factor = await requireTotp(ports, person, code, ports.now())
  const { id: app, step } = factor
  const event: AuditEvent = {
    ...{ at: ports.now(), kind: 'session.approve', outcome: 'done', asking, userId, intentId: intent.id },
    detail: { summary: approvedInWords(intent.subject), factor: 'totp' },
    evidence: { intent, factor: { kind: 'totp', id: app, step } },
  }
  await ports.grants.approveByCode({
    ...{ spend: givenFor(intent, app), userId, name: nameHash(ports.keys, name), factor },
    ...{ preference: preference.revision, claim: claim as SessionClaim, event },
  })
  return { app }
}

/** Holder and subject are the ticket's own: what the program is and what it asked for is held against them when it brings it. */
function requireSession(
  site: Site,
  intent: Intent,
  { user, now }: { readonly user: Person['user']['id']; readonly now: number },
): asserts intent is Intent<'session'> {
  if (intent.purpose !== 'session') throw new Refusal('wrong_purpose', { intent: intent.id })
  const { subject } = intent as Intent<'session'>
  requireIntent(intent, { site, purpose: 'session', holder: intent.holder as Holder | undefined, user, subject, now })
}
