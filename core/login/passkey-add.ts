/**
 * One more passkey, or a security key, for somebody who has one. begin makes one intent; a passkey of the user taps it and the new one is
 * made over the same challenge; the page's one-time key, which the intent names, then signs a vouch that names the new
 * passkey. finish checks all three and stores passkey and vouch in one batch: a stolen cookie adds nothing.
 */
import type { Preference } from '../access/preference.ts'
import { recordingRefusals } from '../audit.ts'
import type { AddPasskeySubject, Intent, VouchSubject } from '../intent.ts'
import { type CredentialKind, type Holder, type Instant, minutes, type Site, type UserId } from '../model.ts'
import type { Caller, KnownKey, Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { type AssertionJson, type Tap, verifyTap } from '../tap/verify.ts'
import { thumbprintOf, type Vouch, type VouchKey, vouchIsRight } from '../vouch.ts'
import { beginIntent, newSession, readTicket, type SessionCookie, spendOf } from './ceremony.ts'
import { withKey } from './known-key.ts'
import { parseName } from './name.ts'
import { creationOptions, requestOptions } from './options.ts'
import { type Registered, type RegistrationJson, verifyRegistration } from './passkey-register.ts'
import { usableOf } from './relying-party.ts'
import { requireSecurityKeys } from './second-factor.ts'
import { withSite } from './with-preference.ts'

const ttl = minutes(5)

type BeginNeeds = Pick<Ports, 'keys' | 'random' | 'now' | 'preferences' | 'sessions' | 'audit'>

export interface AddAsk {
  readonly kind: CredentialKind
  readonly name: string
  readonly vouchKey: VouchKey
}

/**
 * The new passkey may admit others when one that may taps for it: an administrator who loses his first key must not be
 * locked out. Then only those that may are asked to tap.
 * @throws Refusal session_missing, name_invalid, name_taken, passkeys_elsewhere, security_keys_off; passkey_missing: the session rests
 * on a password, and there is none
 */
export function beginPasskeyAdd(site: Site, ports: BeginNeeds, { asking, claim }: Caller, holder: Holder, ask: AddAsk) {
  return recordingRefusals(ports, asking, 'passkey.add', async () => {
    const name = parseName(ask.name)
    const account = claim && (await ports.sessions.findWithPasskeys(claim, ports.now()))
    if (!account) throw new Refusal('session_missing')
    const { user, credentials } = account
    // Without a list a browser would ask for any passkey, and none could do.
    if (credentials.length === 0) throw new Refusal('passkey_missing', { user: user.id })
    if (credentials.some((known) => known.name === name)) throw new Refusal('name_taken', { user: user.id })
    return withSite(site, ports, async (here, preference) => {
      const { kind } = ask
      if (kind === 'security_key') requireSecurityKeys(preference)
      const vouching = kind === 'passkey' ? usableOf(here, credentials).filter(({ mayVouch }) => mayVouch) : []
      const subject: AddPasskeySubject = {
        ...{ kind, name, may_vouch: vouching.length > 0 },
        vouch_key: thumbprintOf(ask.vouchKey),
      }
      const begin = { purpose: 'register', user: user.id, holder, subject, ttl } as const
      const { intent, ticket } = beginIntent(here, ports, begin)
      const { attestation } = preference
      return {
        ticket,
        tap: requestOptions(here, intent, ttl, vouching.length > 0 ? vouching : credentials),
        create: creationOptions(here, intent, ttl, user, credentials, { kind, attestation }),
      }
    })
  })
}

export interface AddAnswer {
  readonly ticket: string
  readonly assertion: AssertionJson
  readonly registration: RegistrationJson
  readonly vouchKey: VouchKey
  readonly vouchSignature: string
}

type FinishNeeds = Pick<
  Ports,
  'keys' | 'random' | 'now' | 'preferences' | 'publicKeys' | 'credentials' | 'signatures' | 'audit'
>

/** @throws Refusal */
export function finishPasskeyAdd(
  site: Site,
  ports: FinishNeeds,
  caller: Caller,
  answer: AddAnswer,
): Promise<{ cookie: SessionCookie; expiresAt: Instant }> {
  return recordingRefusals(ports, caller.asking, 'passkey.add', async () => {
    const tap = { intent: readTicket(ports, answer.ticket), assertion: answer.assertion }
    return withSite(site, ports, (here, preference) =>
      withKey(ports, answer.assertion.id, (known) => addWith(here, ports, caller, tap, answer, known, preference)),
    )
  })
}

async function addWith(
  site: Site,
  ports: FinishNeeds,
  { asking, holder, claim }: Caller,
  tap: Tap,
  answer: AddAnswer,
  known: KnownKey | undefined,
  preference: Preference,
) {
  if (!claim) throw new Refusal('session_missing')
  if (!known) throw new Refusal('credential_unknown', { credential: answer.assertion.id })
  const { intent } = tap
  const { userId, publicKey } = known
  const subject = subjectOf(intent, answer.vouchKey)
  if (subject.kind === 'security_key') requireSecurityKeys(preference)
  const shown = { site, purpose: 'register', holder, user: userId, subject, now: ports.now() } as const
  const evidence = await verifyTap(tap, known, shown)
  const { key: _, ...registered } = await verifyRegistration(site, intent, answer.registration, ports.now(), {
    kind: subject.kind,
    attestation: preference.attestation,
  })
  const vouch = await requireVouch(tap, answer, userId, registered, subject)

  const { session, cookie } = newSession(ports, asking.from)
  const at = session.openedAt
  const admitted = { name: subject.name, mayVouch: subject.may_vouch, isRoot: false, vouch }
  const who = { userId, credentialId: registered.id, sessionId: session.id, intentId: intent.id }
  const { expiresAt } = await ports.credentials.add({
    spend: spendOf(intent),
    tapped: { ...evidence, userId, fingerprint: publicKey.fingerprint, preference: preference.revision },
    needsMayVouch: subject.may_vouch,
    claim,
    session,
    credential: { ...registered, ...admitted, userId, rpId: site.rpId, createdAt: at },
    event: { at, kind: 'passkey.add', outcome: 'done', asking, ...who, evidence: { tap, vouch } },
  })
  await ports.publicKeys.keep(evidence.credentialId, known)
  return { cookie, expiresAt }
}

/** What the intent must say, with the key that really signed in the place of the key that it names. */
function subjectOf(intent: Intent, vouchKey: VouchKey): AddPasskeySubject {
  const { kind: said, name, may_vouch } = intent.subject as AddPasskeySubject
  const kind = said === 'security_key' ? said : 'passkey'
  const mayVouch = kind === 'passkey' && may_vouch === true
  return { kind, name: String(name), may_vouch: mayVouch, vouch_key: thumbprintOf(vouchKey) }
}

/** @throws Refusal vouch_wrong. Checked when it is stored: whoever reads it later may rely on its having been right. */
async function requireVouch(
  tap: Tap,
  { vouchKey, vouchSignature }: AddAnswer,
  user: UserId,
  registered: Omit<Registered, 'key'>,
  { may_vouch }: AddPasskeySubject,
): Promise<Vouch> {
  const subject: VouchSubject = {
    user,
    credential_id: registered.id,
    public_key_hash: registered.fingerprint,
    may_vouch,
  }
  const right = await vouchIsRight(vouchKey, vouchSignature, tap.intent, subject)
  if (!right) throw new Refusal('vouch_wrong', { user, intent: tap.intent.id })
  const { id, response } = tap.assertion
  return { v: 1, tap: { intent: tap.intent, assertion: { id, response } }, key: vouchKey, signature: vouchSignature }
}
