/**
 * Removing a passkey, with a tap of another one: so a stolen cookie locks nobody out, and nobody locks himself out, for the
 * tap shows that he can still get in. What is tapped is the request itself (purpose `admin`).
 */
import { recordingRefusals } from '../audit.ts'
import type { AdminSubject } from '../intent.ts'
import { type Credential, type CredentialId, type Holder, type Instant, minutes, type Site } from '../model.ts'
import type { Caller, KnownKey, Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { type AssertionJson, type Tap, verifyTap } from '../tap/verify.ts'
import { beginIntent, emptyRequest, newSession, readTicket, type SessionCookie, spendOf } from './ceremony.ts'
import { withKey } from './known-key.ts'
import { requestOptions } from './options.ts'
import { withSite } from './with-preference.ts'

const ttl = minutes(5)

type BeginNeeds = Pick<Ports, 'keys' | 'random' | 'now' | 'preferences' | 'sessions' | 'audit'>

/** @throws Refusal session_missing, not_found, last_passkey, passkeys_elsewhere */
export function beginPasskeyRemove(
  site: Site,
  ports: BeginNeeds,
  { asking, claim }: Caller,
  holder: Holder,
  id: CredentialId,
) {
  return recordingRefusals(ports, asking, 'passkey.remove', async () => {
    const account = claim && (await ports.sessions.findWithPasskeys(claim, ports.now()))
    if (!account) throw new Refusal('session_missing')
    const { user, credentials } = account
    const leaving = credentials.find((credential) => credential.id === id)
    if (!leaving) throw new Refusal('not_found', { user: user.id, credential: id })
    const others = othersThan(leaving, credentials)
    if (others.length === 0) throw new Refusal('last_passkey', { user: user.id, credential: id })
    const subject = removalOf(id, leaving.fingerprint, `Remove the passkey "${leaving.name}" of ${user.name}`)
    const { intent, ticket } = beginIntent(site, ports, { purpose: 'admin', user: user.id, holder, subject, ttl })
    return withSite(site, ports, async (here) => ({ ticket, options: requestOptions(here, intent, ttl, others) }))
  })
}

/** Those whose tap removes `leaving`: a key that admits others goes only by the word of one that does too. */
export const othersThan = (leaving: Credential, all: readonly Credential[]): readonly Credential[] =>
  all.filter((other) => other.id !== leaving.id && (other.mayVouch || !leaving.mayVouch))

export interface RemoveAnswer {
  readonly id: CredentialId
  readonly ticket: string
  readonly assertion: AssertionJson
}

type FinishNeeds = Pick<
  Ports,
  'keys' | 'random' | 'now' | 'preferences' | 'publicKeys' | 'credentials' | 'signatures' | 'audit'
>

/** @throws Refusal */
export function finishPasskeyRemove(
  site: Site,
  ports: FinishNeeds,
  caller: Caller,
  { id, ticket, assertion }: RemoveAnswer,
): Promise<{ cookie: SessionCookie; expiresAt: Instant }> {
  return recordingRefusals(ports, caller.asking, 'passkey.remove', async () => {
    const tap = { intent: readTicket(ports, ticket), assertion }
    return withSite(site, ports, (here, { revision }) =>
      withKey(ports, assertion.id, (known) => removeWith(here, ports, caller, tap, id, known, revision)),
    )
  })
}

async function removeWith(
  site: Site,
  ports: FinishNeeds,
  { asking, holder, claim }: Caller,
  tap: Tap,
  id: CredentialId,
  known: KnownKey | undefined,
  preference: string | undefined,
) {
  if (!claim) throw new Refusal('session_missing')
  if (!known) throw new Refusal('credential_unknown', { credential: tap.assertion.id })
  const { intent } = tap
  const { userId, publicKey } = known
  const { revision, summary } = intent.subject as AdminSubject
  const subject = removalOf(id, String(revision), String(summary))
  const shown = { site, purpose: 'admin', holder, user: userId, subject, now: ports.now() } as const
  const evidence = await verifyTap(tap, publicKey, shown)
  if (evidence.credentialId === id) {
    throw new Refusal('wrong_subject', { why: 'tapped with the passkey to remove', credential: id })
  }

  const { session, cookie } = newSession(ports, asking.from)
  const at = session.openedAt
  const who = { userId, credentialId: id, sessionId: session.id, intentId: intent.id }
  const { expiresAt } = await ports.credentials.remove({
    spend: spendOf(intent),
    tapped: { ...evidence, userId, fingerprint: publicKey.fingerprint, preference },
    claim,
    session,
    credentialId: id,
    revision,
    event: { at, kind: 'passkey.remove', outcome: 'done', asking, ...who, evidence: { tap } },
  })
  await ports.publicKeys.keep(evidence.credentialId, known)
  return { cookie, expiresAt }
}

/** A credential never changes, so its fingerprint is its revision. */
const removalOf = (id: CredentialId, fingerprint: string, summary: string): AdminSubject =>
  emptyRequest(`/v1/passkeys/${id}/remove`, fingerprint, summary)
