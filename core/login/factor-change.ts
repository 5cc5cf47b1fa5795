/**
 * Changing what somebody signs in with. Who has a passkey taps for it, over an intent that names the change; who has none shows the
 * password and a code, where passwords are used. A cookie alone changes nothing, so a thief of one cannot stay.
 */
import type { Preference } from '../access/preference.ts'
import { type AuditKind, recordingRefusals } from '../audit.ts'
import type { FactorEffect, Person, Proof, ShownFactor } from '../factor-ports.ts'
import type { Intent, Purpose, Subjects } from '../intent.ts'
import { type Holder, type Instant, minutes, type Site } from '../model.ts'
import type { Caller, Ports, SessionClaim, Tapped } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { importPublicKey } from '../tap/public-key.ts'
import { type AssertionJson, requireIntent, type Shown, type Tap, verifyTap } from '../tap/verify.ts'
import { beginIntent, newSession, readTicket, type SessionCookie, spendOf } from './ceremony.ts'
import { type RequestOptions, requestOptions } from './options.ts'
import {
  all,
  type CountAttempt,
  countingOnce,
  nameHash,
  requirePassword,
  requireRecoveryForm,
  requireTotp,
} from './password-check.ts'
import { usableOf } from './relying-party.ts'
import { countsOf, requirePasswords } from './second-factor.ts'
import { type Under, withSite } from './with-preference.ts'

const ttl = minutes(5)

export type ReadNeeds = Pick<Ports, 'now' | 'preferences' | 'factors' | 'audit'>
export type ChangeBeginNeeds = ReadNeeds & Pick<Ports, 'keys' | 'random'>
export type ChangeFinishNeeds = ChangeBeginNeeds & Pick<Ports, 'passwords'>

/** A change as the intent says it. */
export interface Asked<P extends Purpose> {
  readonly purpose: P
  readonly subject: Subjects[P]
}

export interface ChangeBegun {
  readonly ticket: string
  /** undefined: there is no passkey to tap with, so it takes password and code. */
  readonly options: RequestOptions | undefined
}

/** @throws Refusal session_missing */
export async function personOf(
  { factors, now }: Pick<Ports, 'factors' | 'now'>,
  claim: SessionClaim | undefined,
): Promise<Person> {
  const person = claim && (await factors.find(claim, now()))
  if (!person) throw new Refusal('session_missing')
  return person
}

/** @throws Refusal session_missing, and what `ask` refuses */
export function beginChange<P extends Purpose>(
  site: Site,
  ports: ChangeBeginNeeds,
  kind: AuditKind,
  { asking, claim }: Caller,
  holder: Holder,
  ask: (person: Person, under: Under) => Asked<P> | Promise<Asked<P>>,
): Promise<ChangeBegun> {
  return recordingRefusals(ports, asking, kind, () =>
    withSite(site, ports, async (here, preference) => {
      const person = await personOf(ports, claim)
      const { purpose, subject } = await ask(person, { site: here, preference })
      const { intent, ticket } = beginIntent(here, ports, { purpose, subject, user: person.user.id, holder, ttl })
      const credentials = usableOf(here, person.credentials)
      const options = credentials.length > 0 ? requestOptions(here, intent, ttl, credentials) : undefined
      return { ticket, options }
    }),
  )
}

/** What shows that it is really the owner. */
export interface ChangeAnswer {
  readonly ticket: string
  readonly assertion?: AssertionJson | undefined
  /** Of who has no passkey: the password of now, and a code if there is an app. */
  readonly current?:
    | {
        readonly password: string
        readonly code?: string | undefined
        readonly recoveryCode?: string | undefined
      }
    | undefined
}

export interface ChangeDone {
  readonly cookie: SessionCookie
  readonly expiresAt: Instant
}

/** What the intent must say, and what comes of it: `effect` is made once the proof was found to be right. */
export type Prepared<P extends Purpose> = Asked<P> & { readonly effect: () => FactorEffect | Promise<FactorEffect> }

type Preparing<P extends Purpose> = (person: Person, under: Under, intent: Intent) => Prepared<P> | Promise<Prepared<P>>

/** @throws Refusal */
export function finishChange<P extends Purpose>(
  site: Site,
  ports: ChangeFinishNeeds,
  kind: AuditKind,
  caller: Caller,
  answer: ChangeAnswer,
  prepare: Preparing<P>,
): Promise<ChangeDone> {
  return recordingRefusals(ports, caller.asking, kind, () => {
    const count = countingOnce(ports)
    return withSite(site, ports, (here, preference) =>
      changeWith({ site: here, preference }, ports, kind, caller, answer, prepare, count),
    )
  })
}

async function changeWith<P extends Purpose>(
  under: Under,
  ports: ChangeFinishNeeds,
  kind: AuditKind,
  { asking, holder, claim }: Caller,
  answer: ChangeAnswer,
  prepare: Preparing<P>,
  count: CountAttempt,
): Promise<ChangeDone> {
  const { site, preference } = under
  const intent = readTicket(ports, answer.ticket)
  const person = await personOf(ports, claim)
  const { id: userId, name } = person.user
  const { purpose, subject, effect } = await prepare(person, under, intent)
  const shown = { site, purpose, holder, user: userId, subject, now: ports.now() }
  requireIntent(intent, shown)
  const proof = await prove(ports, preference, person, answer, intent, shown, count)

  const { session, cookie } = newSession(ports, asking.from)
  const tapped = proof.kind === 'tap' ? proof.tapped : undefined
  const evidence = answer.assertion && tapped && { tap: { intent, assertion: answer.assertion } }
  const who = { userId, credentialId: tapped?.credentialId, sessionId: session.id, intentId: intent.id }
  const { expiresAt } = await ports.factors.change({
    ...{ spend: spendOf(intent), userId, name: nameHash(ports.keys, name), proof, was: countsOf(site, person) },
    preference: preference.revision,
    claim: claim as SessionClaim,
    session,
    effect: await effect(),
    event: { at: session.openedAt, kind, outcome: 'done', asking, ...who, evidence },
  })
  return { cookie, expiresAt }
}

/** @throws Refusal proof_missing, and what is wrong with the proof that came */
async function prove<P extends Purpose>(
  ports: ChangeFinishNeeds,
  preference: Preference,
  person: Person,
  { assertion, current }: ChangeAnswer,
  intent: Intent,
  shown: Shown<P>,
  count: CountAttempt,
): Promise<Proof> {
  if (usableOf(shown.site, person.credentials).length > 0) {
    if (!assertion) throw new Refusal('proof_missing', { user: person.user.id })
    return { kind: 'tap', tapped: await requireOwnTap(person, preference, { intent, assertion }, shown) }
  }
  if (!current) throw new Refusal('proof_missing', { user: person.user.id })
  requirePasswords(preference)
  // The attempts of a thief of cookies count like anybody's.
  const counted = await count(person.user.name)
  const [password, factor] = await all([
    requirePassword(ports, counted, current.password),
    currentFactor(ports, person, current, shown),
  ])
  return { kind: 'password', password, factor }
}

/** Of the person whose factors are to change. @throws Refusal credential_unknown, and what verifyTap finds wrong */
export async function requireOwnTap<P extends Purpose>(
  { user, credentials }: Person,
  { revision }: Preference,
  tap: Tap,
  shown: Shown<P>,
): Promise<Tapped> {
  const credential = credentials.find(({ id }) => id === tap.assertion.id)
  const publicKey = credential && (await importPublicKey(credential.publicKey))
  if (!credential || !publicKey)
    throw new Refusal('credential_unknown', { user: user.id, credential: tap.assertion.id })
  const evidence = await verifyTap(tap, { kind: credential.kind, publicKey }, shown)
  const { userId, fingerprint } = credential
  return { ...evidence, userId, fingerprint, preference: revision }
}

/** @throws Refusal factor_missing, code_wrong, recovery_wrong */
async function currentFactor(
  ports: Pick<Ports, 'keys'>,
  person: Person,
  { code, recoveryCode }: NonNullable<ChangeAnswer['current']>,
  { site, now }: Pick<Shown<Purpose>, 'site' | 'now'>,
): Promise<ShownFactor> {
  if (code !== undefined) return requireTotp(ports, person, code, now)
  if (recoveryCode !== undefined) return requireRecoveryForm(person, recoveryCode)
  if (person.totps.length > 0) throw new Refusal('factor_missing', { user: person.user.id })
  return { kind: 'none', was: countsOf(site, person) }
}
