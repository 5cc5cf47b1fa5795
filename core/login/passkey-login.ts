/**
 * Signing in with a passkey alone (WebAuthn Level 3 section 7.2, discoverable credentials): begin hands the browser a
 * sealed intent and writes nothing; finish turns the key's answer into a session, in one batch.
 */
import { recordingRefusals } from '../audit.ts'
import { fromBase64url } from '../lib/bytes.ts'
import { type CredentialId, type Holder, type Instant, minutes, type Site, type UserId } from '../model.ts'
import type { Caller, KnownKey, Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { importPublicKey } from '../tap/public-key.ts'
import { type AssertionJson, type Shown, type Tap, verifyTap } from '../tap/verify.ts'
import { beginIntent, newSession, readTicket, type SessionCookie, sessionTtl, spendOf } from './ceremony.ts'
import { requestOptions } from './options.ts'

const ttl = minutes(1)

export function beginPasskeyLogin(site: Site, ports: Pick<Ports, 'keys' | 'random' | 'now'>, holder: Holder) {
  const { intent, ticket } = beginIntent(site, ports, { purpose: 'login', holder, subject: {}, ttl })
  return { ticket, options: requestOptions(site, intent, ttl) }
}

type Needs = Pick<Ports, 'keys' | 'random' | 'now' | 'publicKeys' | 'credentials' | 'sessions' | 'audit'>

export interface LoginAnswer {
  readonly ticket: string
  readonly assertion: AssertionJson
}

/** @throws Refusal */
export function finishPasskeyLogin(
  site: Site,
  ports: Needs,
  { asking, holder }: Caller,
  { ticket, assertion }: LoginAnswer,
): Promise<{ cookie: SessionCookie; userId: UserId; expiresAt: Instant }> {
  return recordingRefusals(ports, asking, 'login', async () => {
    const intent = readTicket(ports, ticket)
    const tap = { intent, assertion }
    const known = await keyOf(ports, assertion.id)
    const shown = { site, purpose: 'login', holder, user: undefined, subject: {}, now: ports.now() } as const
    if (known === undefined) return refuseUnknown(tap, shown)
    const evidence = await verifyTap(tap, known.publicKey, shown)
    if (assertion.response.userHandle !== known.userId) throw new Refusal('wrong_user', { credential: assertion.id })

    const { session, cookie } = newSession(ports, asking.from)
    const expiresAt = session.openedAt + sessionTtl
    const tapped = { ...evidence, userId: known.userId, fingerprint: known.publicKey.fingerprint }
    const who = {
      userId: known.userId,
      credentialId: evidence.credentialId,
      sessionId: session.id,
      intentId: intent.id,
    }
    await ports.sessions.open({
      spend: spendOf(intent),
      tapped,
      session,
      expiresAt,
      event: { at: session.openedAt, kind: 'login', outcome: 'done', asking, ...who, evidence: { tap } },
    })
    await ports.publicKeys.keep(evidence.credentialId, known)
    return { cookie, userId: known.userId, expiresAt }
  })
}

/**
 * From a copy where there is one: that saves a round trip, and the batch confirms what it says. A key is copied only after
 * it has tapped, so that guesses fill no memory and never make a later guess faster.
 */
export async function keyOf(
  { publicKeys, credentials }: Pick<Ports, 'publicKeys' | 'credentials'>,
  id: string,
): Promise<KnownKey | undefined> {
  if (!fromBase64url(id)?.length) throw new Refusal('assertion_malformed', { why: 'credential id' })
  const copy = await publicKeys.find(id as CredentialId)
  if (copy) return copy
  const credential = await credentials.find(id as CredentialId)
  const publicKey = credential && (await importPublicKey(credential.publicKey))
  return publicKey && { userId: credential.userId, publicKey }
}

/**
 * An unknown credential costs what one costs that is met for the first time: one read, one import, the same hashes and
 * one signature check. The x of this COSE_Key is SHA-256("sallyport dummy key v1\0" || 00), so nobody has its private half.
 */
const dummyCose =
  'pQECAyYgASFYIP4RzkOH0iw6tGtwGqAwKgaX4THiewiYk1gQ5is0jn1sIlggbPQYD2myqFFgGgBjawECef6cCg7UxxxNKtZZZTTybxI'

async function refuseUnknown(tap: Tap, shown: Shown<'login'>): Promise<never> {
  const key = await importPublicKey(fromBase64url(dummyCose) ?? new Uint8Array(0))
  if (key === undefined) throw new TypeError('The dummy key cannot be imported')
  // Whatever it finds wrong, the true reason is the one for the audit log.
  await verifyTap(tap, key, shown).catch(() => undefined)
  throw new Refusal('credential_unknown', { credential: tap.assertion.id, intent: tap.intent.id })
}
