/**
 * Adding an authenticator app from a program that its user is signed in with: the page's ceremony (login/totp-change.ts), whose tap
 * the browser brings to the program as it does for an administrative request. The tap names the key by a hash and no code, so a
 * mistyped code wants no second tap. Nothing is written until the end.
 */
import { type AuditEvent, recordingRefusals } from '../audit.ts'
import type { Person } from '../factor-ports.ts'
import type { AddTotpSubject } from '../intent.ts'
import { beginIntent, readTicket, spendOf } from '../login/ceremony.ts'
import { requireOwnTap } from '../login/factor-change.ts'
import { countsOf, requireCodes } from '../login/second-factor.ts'
import { addingTotp, newTotp, type TotpAnswer, totpSubject } from '../login/totp-change.ts'
import { withSite } from '../login/with-preference.ts'
import { minutes, type Site } from '../model.ts'
import type { Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { approveUrl } from '../tap/approve-url.ts'
import type { SentTap } from '../tap/sent.ts'
import type { Tap } from '../tap/verify.ts'
import { actorOf, type Principal } from './principal.ts'

const ttl = minutes(5)

export interface OwnTotpBegun {
  readonly approve_url: string
  readonly uri: string
  readonly secret: string
  readonly sealed: string
}

type BeginNeeds = Pick<Ports, 'keys' | 'random' | 'now' | 'preferences' | 'factors' | 'audit'>

/** @throws Refusal tap_impossible, codes_off, name_invalid, name_taken, too_many_factors, redirect_invalid */
export function beginOwnTotp(
  site: Site,
  ports: BeginNeeds,
  principal: Principal,
  { name, ...waiting }: { readonly name: string; readonly redirect_uri: string; readonly state: string },
): Promise<OwnTotpBegun> {
  const { jkt: holder, asking } = principal
  return recordingRefusals(ports, asking, 'totp.add', () =>
    withSite(site, ports, async (here, preference) => {
      const person = await ownPerson(ports, principal)
      if (person.credentials.length === 0) throw noPasskey(person)
      const made = await newTotp(ports, person, { site: here, preference }, name)
      const subject = { ...made.subject, address: asking.from.address }
      const begin = { purpose: 'register', user: person.user.id, holder, subject, ttl } as const
      const { ticket } = beginIntent(here, ports, begin)
      return { approve_url: approveUrl(site, ticket, waiting), ...made.shown }
    }),
  )
}

/** A tap is all that the page which a program opens takes. */
const noPasskey = ({ user }: Person) =>
  new Refusal('tap_impossible', { user: user.id }, { told: 'You have no passkey: add the app on your account page.' })

/** Whoever calls: his session was found a moment ago, and the batch asks for it again. @throws Refusal token_invalid */
export async function ownPerson({ factors }: Pick<Ports, 'factors'>, { user }: Principal): Promise<Person> {
  const person = await factors.of(user.id)
  if (!person) throw new Refusal('token_invalid', { user: user.id })
  return person
}

/** @throws Refusal tap_missing, new_code_wrong, and others */
export function finishOwnTotp(
  site: Site,
  ports: BeginNeeds,
  principal: Principal,
  answer: Pick<TotpAnswer, 'sealed' | 'newCode'>,
  sent: SentTap | undefined,
): Promise<{ name: string }> {
  const { asking, user, session, jkt: holder } = principal
  return recordingRefusals(ports, asking, 'totp.add', async () => {
    if (!sent) throw new Refusal('tap_missing', { user: user.id })
    const tap: Tap = { intent: readTicket(ports, sent.ticket), assertion: sent.assertion }
    return withSite(site, ports, async (here, preference) => {
      requireCodes(preference)
      const person = await ownPerson(ports, principal)
      const subject = subjectOf(tap, answer.sealed)
      const shown = { site: here, purpose: 'register', holder, user: user.id, subject, now: ports.now() } as const
      const tapped = await requireOwnTap(person, preference, tap, shown)
      const event: AuditEvent = {
        ...{ at: shown.now, kind: 'totp.add', outcome: 'done', asking, userId: user.id, sessionId: session.id },
        ...{ credentialId: tapped.credentialId, intentId: tap.intent.id, evidence: { tap: evident(tap) } },
      }
      const effect = await addingTotp(ports, user.id, subject, answer)
      const change = { spend: spendOf(tap.intent), tapped, was: countsOf(here, person), effect, event }
      await ports.factors.changeBy(actorOf(principal, []), change)
      return { name: subject.name }
    })
  })
}

/** Of the intent, what nobody but its seal says; of the key, what came. An intent of a page has no address, and so does not fit. */
function subjectOf({ intent }: Tap, sealed: string): AddTotpSubject {
  const { id, name, address } = intent.subject as AddTotpSubject
  return { ...totpSubject(String(id), String(name), sealed), address: String(address) }
}

/** The members that are checked later, and nothing else that a program may have sent. */
const evident = ({ intent, assertion: { id, response } }: Tap): Tap => ({ intent, assertion: { id, response } })
