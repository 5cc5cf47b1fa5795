/**
 * Signing in with a password and a second factor. Nobody who asks learns who is here: begin makes up passkeys for a name that has
 * none; finish hashes once and checks once whatever is wrong, and has one answer for all of it. The attempt is counted, and
 * the one with this name read, before anything is checked; the batch of the login takes the count back.
 */
import type { Preference } from '../access/preference.ts'
import { recordingRefusals } from '../audit.ts'
import type { Person, ShownFactor } from '../factor-ports.ts'
import type { Intent, PasswordLoginSubject } from '../intent.ts'
import { type Holder, type Instant, minutes, type Site, type UserId } from '../model.ts'
import type { Caller, Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { importPublicKey } from '../tap/public-key.ts'
import { type AssertionJson, requireIntent, type Shown, verifyTap } from '../tap/verify.ts'
import { beginIntent, newSession, readTicket, type SessionCookie, sessionTtl, spendOf } from './ceremony.ts'
import { madeUpPasskeys } from './made-up.ts'
import { verifyAsNobody } from './nobody.ts'
import { type RequestOptions, requestOptions } from './options.ts'
import {
  all,
  askedName,
  type CountAttempt,
  countingOnce,
  nameHash,
  requirePassword,
  requireRecoveryForm,
  requireTotp,
} from './password-check.ts'
import { rpIdsOf, usableOf } from './relying-party.ts'
import {
  countsOf,
  factorsTaken,
  requireFactor,
  requirePasswords,
  type SecondFactorKind,
  takes,
} from './second-factor.ts'
import { orTellsNothing, withSite } from './with-preference.ts'

const ttl = minutes(5)

export interface PasswordBegun {
  readonly ticket: string
  /** What may be shown beside the password: the same for everybody. */
  readonly factors: readonly SecondFactorKind[]
  readonly second_factor: Preference['secondFactor']
  readonly options: RequestOptions | undefined
}

type BeginNeeds = Pick<Ports, 'keys' | 'random' | 'now' | 'preferences' | 'factors' | 'audit'>

/** @throws Refusal passwords_off */
export function beginPasswordLogin(
  site: Site,
  ports: BeginNeeds,
  { asking }: Pick<Caller, 'asking'>,
  holder: Holder,
  name: string,
): Promise<PasswordBegun> {
  return recordingRefusals(ports, asking, 'login', () =>
    withSite(site, ports, async (here, preference) => {
      requirePasswords(preference)
      const subject = subjectOf(ports, name)
      const { intent, ticket } = beginIntent(here, ports, { purpose: 'login', holder, subject, ttl })
      const options = takes(preference, 'webauthn') ? await optionsFor(here, ports, intent, name) : undefined
      return { ticket, factors: factorsTaken(preference), second_factor: preference.secondFactor, options }
    }),
  )
}

const subjectOf = ({ keys }: Pick<Ports, 'keys'>, name: string): PasswordLoginSubject => ({
  kind: 'password',
  name: nameHash(keys, name),
})

async function optionsFor(site: Site, { keys, factors }: BeginNeeds, intent: Intent, name: string) {
  const passkeys = await factors.passkeysOf(askedName(name))
  // Those of a relying party that is not taken any more are as good as none.
  const usable = usableOf(site, passkeys)
  const known = usable.length > 0 ? usable : madeUpPasskeys(rpIdsOf(site), keys, nameHash(keys, name))
  return requestOptions(site, intent, ttl, known)
}

/** One second factor at most. */
export interface PasswordAnswer {
  readonly ticket: string
  readonly name: string
  readonly password: string
  readonly assertion?: AssertionJson | undefined
  readonly code?: string | undefined
  readonly recoveryCode?: string | undefined
}

type FinishNeeds = Pick<
  Ports,
  'keys' | 'random' | 'now' | 'preferences' | 'factors' | 'passwords' | 'signatures' | 'audit'
>
type LoggedIn = { readonly cookie: SessionCookie; readonly userId: UserId; readonly expiresAt: Instant }

/** @throws Refusal */
export function finishPasswordLogin(
  site: Site,
  ports: FinishNeeds,
  caller: Caller,
  answer: PasswordAnswer,
): Promise<LoggedIn> {
  return recordingRefusals(ports, caller.asking, 'login', () => {
    const count = countingOnce(ports)
    const open = (here: Site, preference: Preference) => openWith(here, ports, caller, answer, preference, count)
    return withSite(site, ports, open, orTellsNothing)
  })
}

async function openWith(
  site: Site,
  ports: FinishNeeds,
  { asking, holder }: Caller,
  answer: PasswordAnswer,
  preference: Preference,
  count: CountAttempt,
): Promise<LoggedIn> {
  requirePasswords(preference)
  requireOneFactor(answer)
  const intent = readTicket(ports, answer.ticket)
  const subject = subjectOf(ports, answer.name)
  const shown = { site, purpose: 'login', holder, user: undefined, subject, now: ports.now() } as const
  requireIntent(intent, shown)

  const person = await count(answer.name)
  const [password, factor] = await all([
    requirePassword(ports, person, answer.password),
    checkFactor(ports, preference, person, answer, intent, shown),
  ])
  const via = requireFactor(preference, factor)

  const { id: userId } = (person as Person).user
  const { session, cookie } = newSession(ports, asking.from)
  const rehashed = ports.passwords.isOutdated(password.hash) ? await ports.passwords.hash(answer.password) : undefined
  const credentialId = factor.kind === 'passkey' ? factor.tapped.credentialId : undefined
  const evidence = answer.assertion && { tap: { intent, assertion: answer.assertion } }
  const who = { userId, credentialId, sessionId: session.id, intentId: intent.id }
  const { expiresAt } = await ports.factors.open({
    ...{ spend: spendOf(intent), userId, name: subject.name, password, rehashed, factor, session },
    preference: preference.revision,
    expiresAt: session.openedAt + sessionTtl,
    event: { at: session.openedAt, kind: 'login', outcome: 'done', asking, ...who, detail: { via }, evidence },
  })
  return { cookie, userId, expiresAt }
}

/** Before anything is looked at: an answer of its own must not depend on what is right. @throws Refusal bad_request */
function requireOneFactor({ assertion, code, recoveryCode }: PasswordAnswer): void {
  if ([assertion, code, recoveryCode].filter((one) => one !== undefined).length > 1)
    throw new Refusal('bad_request', { why: 'more than one second factor' })
}

/** @throws Refusal what is wrong with the factor that came */
async function checkFactor(
  ports: FinishNeeds,
  preference: Preference,
  person: Person | undefined,
  { assertion, code, recoveryCode }: PasswordAnswer,
  intent: Intent,
  shown: Shown<'login'>,
): Promise<ShownFactor> {
  if (assertion) return checkAssertion(ports, preference, person, { intent, assertion }, shown)
  if (code !== undefined) return requireTotp(ports, person, code, shown.now)
  if (recoveryCode !== undefined) return requireRecoveryForm(person, recoveryCode)
  return { kind: 'none', was: countsOf(shown.site, person ?? { credentials: [], totps: [] }) }
}

/** @throws Refusal as verifyTap, and credential_unknown: nobody's, another's, or removed */
async function checkAssertion(
  ports: Pick<Ports, 'signatures'>,
  { revision }: Preference,
  person: Person | undefined,
  tap: { readonly intent: Intent; readonly assertion: AssertionJson },
  shown: Shown<'login'>,
): Promise<ShownFactor> {
  const { id, response } = tap.assertion
  const detail = { credential: id, ...(person && { user: person.user.id }) }
  const credential = person?.credentials.find((one) => one.id === id)
  const publicKey = credential && (await importPublicKey(credential.publicKey, ports.signatures))
  if (!credential || !publicKey) {
    await verifyAsNobody(ports, tap, shown)
    throw new Refusal('credential_unknown', detail)
  }
  const evidence = await verifyTap(tap, { kind: credential.kind, publicKey }, shown)
  const { userId, fingerprint } = credential
  // A security key need not say whose it is (WebAuthn section 7.2 step 6).
  if (response.userHandle !== undefined && response.userHandle !== userId) throw new Refusal('wrong_user', detail)
  return { kind: 'passkey', tapped: { ...evidence, userId, fingerprint, preference: revision } }
}
