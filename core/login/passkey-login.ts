/**
 * Signing in with a passkey alone (WebAuthn Level 3 section 7.2, discoverable credentials): begin hands the browser a
 * sealed intent and writes nothing; finish turns the key's answer into a session, in one batch.
 */
import type { Preference } from '../access/preference.ts'
import { recordingRefusals } from '../audit.ts'
import { type Holder, type Instant, minutes, type Site, type UserId } from '../model.ts'
import type { Caller, KnownKey, Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { type AssertionJson, type Shown, type Tap, verifyTap } from '../tap/verify.ts'
import { beginIntent, newSession, readTicket, type SessionCookie, sessionTtl, spendOf } from './ceremony.ts'
import { withKey } from './known-key.ts'
import { verifyAsNobody } from './nobody.ts'
import { discoverableOptions } from './options.ts'
import { rpIdsOf } from './relying-party.ts'
import { withSite } from './with-preference.ts'

const ttl = minutes(1)

/** `rpId`: a relying party of before, for a passkey that was made for it. @throws Refusal passwordless_off, bad_request */
export function beginPasskeyLogin(
  site: Site,
  ports: Pick<Ports, 'keys' | 'random' | 'now' | 'preferences'>,
  holder: Holder,
  rpId?: string,
) {
  return withSite(site, ports, async (here, preference) => {
    requirePasswordless(preference)
    const { intent, ticket } = beginIntent(here, ports, { purpose: 'login', holder, subject: {}, ttl })
    return { ticket, options: discoverableOptions({ rpId: knownRp(here, rpId) }, intent, ttl) }
  })
}

function requirePasswordless({ passwordless }: Preference): void {
  if (!passwordless) throw new Refusal('passwordless_off')
}

function knownRp(here: Site, rpId = here.rpId): string {
  if (!rpIdsOf(here).includes(rpId)) throw new Refusal('passkeys_elsewhere')
  return rpId
}

type Needs = Pick<
  Ports,
  'keys' | 'random' | 'now' | 'preferences' | 'publicKeys' | 'credentials' | 'signatures' | 'sessions' | 'audit'
>

export interface LoginAnswer {
  readonly ticket: string
  readonly assertion: AssertionJson
}

/** @throws Refusal */
export function finishPasskeyLogin(
  site: Site,
  ports: Needs,
  caller: Caller,
  { ticket, assertion }: LoginAnswer,
): Promise<{ cookie: SessionCookie; userId: UserId; expiresAt: Instant }> {
  return recordingRefusals(ports, caller.asking, 'login', async () => {
    const tap = { intent: readTicket(ports, ticket), assertion }
    return withSite(site, ports, (here, preference) =>
      withKey(ports, assertion.id, (known) => openWith(here, ports, caller, tap, known, preference)),
    )
  })
}

async function openWith(
  site: Site,
  ports: Needs,
  { asking, holder }: Caller,
  tap: Tap,
  known: KnownKey | undefined,
  preference: Preference,
) {
  requirePasswordless(preference)
  const { intent, assertion } = tap
  const shown = { site, purpose: 'login', holder, user: undefined, subject: {}, now: ports.now() } as const
  if (known === undefined) return refuseUnknown(ports, tap, shown)
  const { userId, publicKey } = known
  const evidence = await verifyTap(tap, known, shown)
  // Some make discoverable credentials though nobody asked. Its owner has chosen that it takes a password too.
  if (known.kind !== 'passkey') throw new Refusal('security_key_alone', { credential: assertion.id })
  if (assertion.response.userHandle !== userId) throw new Refusal('wrong_user', { credential: assertion.id })

  const { session, cookie } = newSession(ports, asking.from)
  const who = { userId, credentialId: evidence.credentialId, sessionId: session.id, intentId: intent.id }
  const { expiresAt } = await ports.sessions.open({
    spend: spendOf(intent),
    tapped: { ...evidence, userId, fingerprint: publicKey.fingerprint, preference: preference.revision },
    session,
    expiresAt: session.openedAt + sessionTtl,
    event: { at: session.openedAt, kind: 'login', outcome: 'done', asking, ...who, evidence: { tap } },
  })
  await ports.publicKeys.keep(evidence.credentialId, known)
  return { cookie, userId, expiresAt }
}

/** An unknown credential costs what one costs that is met for the first time. */
async function refuseUnknown(ports: Needs, tap: Tap, shown: Shown<'login'>): Promise<never> {
  await verifyAsNobody(ports, tap, shown)
  throw new Refusal('credential_unknown', { credential: tap.assertion.id, intent: tap.intent.id })
}
