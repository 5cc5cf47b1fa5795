/**
 * Removing a passkey, with a tap of another one: so a stolen cookie locks nobody out, and nobody locks himself out, for the
 * tap shows that he can still get in. What is tapped is the request itself (purpose `admin`).
 */
import type { Preference } from '../access/preference.ts'
import { factorWords } from '../api/factor-kinds.ts'
import { recordingRefusals } from '../audit.ts'
import type { AdminSubject } from '../intent.ts'
import { type Credential, type CredentialId, type Holder, type Instant, minutes, type Site } from '../model.ts'
import type { Caller, KnownKey, Ports, Staying } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { type AssertionJson, type Tap, verifyTap } from '../tap/verify.ts'
import { beginIntent, emptyRequest, newSession, readTicket, type SessionCookie, spendOf } from './ceremony.ts'
import { personOf } from './factor-change.ts'
import { withKey } from './known-key.ts'
import { requestOptions } from './options.ts'
import { stayingOf } from './second-factor.ts'
import { withSite } from './with-preference.ts'

const ttl = minutes(5)

type BeginNeeds = Pick<Ports, 'keys' | 'random' | 'now' | 'preferences' | 'factors' | 'audit'>

/** @throws Refusal session_missing, not_found, last_passkey, passkeys_elsewhere */
export function beginPasskeyRemove(
  site: Site,
  ports: BeginNeeds,
  { asking, claim }: Caller,
  holder: Holder,
  id: CredentialId,
) {
  return recordingRefusals(ports, asking, 'passkey.remove', async () => {
    const { user, credentials: all, password } = await personOf(ports, claim)
    const leaving = all.find((credential) => credential.id === id)
    if (!leaving) throw new Refusal('not_found', { user: user.id, credential: id })
    const summary = `Remove the ${factorWords[leaving.kind]} "${leaving.name}" of ${user.name}`
    const subject = removalOf(id, leaving.fingerprint, summary)
    const { intent, ticket } = beginIntent(site, ports, { purpose: 'admin', user: user.id, holder, subject, ttl })
    return withSite(site, ports, async (here, preference) => {
      const staying = stayingOf({ site: here, preference })
      const others = requireStaying(staying, { leaving, all, hasPassword: password !== undefined })
      return { ticket, options: requestOptions(here, intent, ttl, others) }
    })
  })
}

interface Leaving {
  readonly leaving: Credential
  readonly all: readonly Credential[]
  readonly hasPassword: boolean
}

/** Answers whose tap removes it. @throws Refusal last_passkey */
export function requireStaying(staying: Staying, { leaving, ...others }: Leaving): readonly Credential[] {
  if (!isRemovable(staying, { leaving, ...others }))
    throw new Refusal('last_passkey', { user: leaving.userId, credential: leaving.id })
  return othersThan(leaving, others.all).filter(({ rpId }) => staying.rpIds.includes(rpId))
}

/**
 * Whoever signs in by a passkey must still be able to: by another one, or by a security key beside a password where both are taken. The
 * batch confirms it (`anotherStays` in storage/statements.ts).
 */
export function isRemovable({ rpIds, securityKeys }: Staying, { leaving, all, hasPassword }: Leaving): boolean {
  const isUsable = ({ rpId }: Credential) => rpIds.includes(rpId)
  const isWayIn = (one: Credential) => one.kind === 'passkey' && isUsable(one)
  const stays = all.some((one) => one.id !== leaving.id && isWayIn(one)) || (securityKeys && hasPassword)
  return othersThan(leaving, all).some(isUsable) && (!isWayIn(leaving) || stays)
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
    return withSite(site, ports, (here, preference) =>
      withKey(ports, assertion.id, (known) => removeWith(here, ports, caller, tap, id, known, preference)),
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
  preference: Preference,
) {
  if (!claim) throw new Refusal('session_missing')
  if (!known) throw new Refusal('credential_unknown', { credential: tap.assertion.id })
  const { intent } = tap
  const { userId, publicKey } = known
  const { revision, summary } = intent.subject as AdminSubject
  const subject = removalOf(id, String(revision), String(summary))
  const shown = { site, purpose: 'admin', holder, user: userId, subject, now: ports.now() } as const
  const evidence = await verifyTap(tap, known, shown)
  if (evidence.credentialId === id) {
    throw new Refusal('wrong_subject', { why: 'tapped with the passkey to remove', credential: id })
  }

  const { session, cookie } = newSession(ports, asking.from)
  const at = session.openedAt
  const who = { userId, credentialId: id, sessionId: session.id, intentId: intent.id }
  const { expiresAt } = await ports.credentials.remove({
    spend: spendOf(intent),
    tapped: { ...evidence, userId, fingerprint: publicKey.fingerprint, preference: preference.revision },
    claim,
    session,
    credentialId: id,
    revision,
    staying: stayingOf({ site, preference }),
    event: { at, kind: 'passkey.remove', outcome: 'done', asking, ...who, evidence: { tap } },
  })
  await ports.publicKeys.keep(evidence.credentialId, known)
  return { cookie, expiresAt }
}

/** A credential never changes, so its fingerprint is its revision. */
const removalOf = (id: CredentialId, fingerprint: string, summary: string): AdminSubject =>
  emptyRequest(`/v1/passkeys/${id}/remove`, fingerprint, summary)
