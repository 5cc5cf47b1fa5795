/**
 * The recovery of a lost last administrator: a one-time link from the operator's terminal gives somebody, who is there or new, a new
 * root passkey and all preset roles. What he had before (passkeys, passwords and codes, sessions, links) is removed when the link is
 * used, in the same batch.
 */
import type { Preference } from '../access/preference.ts'
import { recordingRefusals } from '../audit.ts'
import type { Intent, RecoverySubject } from '../intent.ts'
import { base64url } from '../lib/bytes.ts'
import { type Asking, type Holder, type Instant, minutes, type Site, type UserId } from '../model.ts'
import type { Caller, Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { requireIntent } from '../tap/verify.ts'
import { beginIntent, newSession, readTicket, type SessionCookie, sessionTtl, spendOf } from './ceremony.ts'
import { parseName } from './name.ts'
import { hashOf, isOpen, linkTtl, newLink, type RemoteOffer, requireOffer } from './operator-offer.ts'
import { creationOptions } from './options.ts'
import { type RegistrationJson, verifyRegistration } from './passkey-register.ts'
import { providerOf } from './providers.ts'
import { withSite } from './with-preference.ts'

const ceremonyTtl = minutes(5)

const offerEvent = (at: Instant, asking: Asking, name: string) =>
  ({ at, kind: 'recovery.offer', outcome: 'done', asking, detail: { name } }) as const

/** Makes a new link and kills the one before. @throws Refusal name_invalid, administrator_missing, user_locked */
export function offerRecovery(
  ports: Pick<Ports, 'random' | 'now' | 'administrator' | 'audit'>,
  asking: Asking,
  typed: string,
): Promise<{ secret: string; expiresAt: Instant }> {
  return recordingRefusals(ports, asking, 'recovery.offer', async () => {
    const name = parseName(typed)
    const { secret, link } = newLink(ports, name)
    await ports.administrator.offer(link, offerEvent(ports.now(), asking, name))
    return { secret, expiresAt: link.expiresAt }
  })
}

/** @throws Refusal operator_unproven, name_invalid, administrator_missing, user_locked */
export function acceptRecoveryOffer(
  site: Site,
  ports: Pick<Ports, 'keys' | 'now' | 'administrator' | 'audit'>,
  asking: Asking,
  { name: typed, ...offer }: RemoteOffer & { readonly name: string },
  proof: string,
): Promise<{ expiresAt: Instant }> {
  return recordingRefusals(ports, asking, 'recovery.offer', async () => {
    const name = parseName(typed)
    const spend = requireOffer(site, ports, { offer: 'recovery', name }, offer, proof)
    const link = { hash: offer.link, name, expiresAt: ports.now() + linkTtl }
    await ports.administrator.offer(link, offerEvent(ports.now(), asking, name), spend)
    return { expiresAt: link.expiresAt }
  })
}

type ReadNeeds = Pick<Ports, 'administrator' | 'users' | 'now' | 'audit'>

/** For the page, before it asks for anything. @throws Refusal link_invalid */
export const checkRecovery = (ports: ReadNeeds, asking: Asking, secret: string) =>
  recordingRefusals(ports, asking, 'recovery.register', async () => {
    const { name, expiresAt } = await requireOpenLink(ports, secret)
    const found = await ports.users.find(name)
    return { name: found?.name ?? name, isNew: found === undefined, expiresAt }
  })

async function requireOpenLink({ administrator, now }: Pick<Ports, 'administrator' | 'now'>, secret: string) {
  const { link } = await administrator.state()
  if (link?.name === undefined || !isOpen(link, secret, now())) throw new Refusal('link_invalid')
  return { ...link, name: link.name }
}

/** @throws Refusal link_invalid */
export function beginRecovery(
  site: Site,
  ports: ReadNeeds & Pick<Ports, 'keys' | 'random' | 'preferences'>,
  asking: Asking,
  holder: Holder,
  secret: string,
) {
  return recordingRefusals(ports, asking, 'recovery.register', async () => {
    const link = await requireOpenLink(ports, secret)
    const found = await ports.users.find(link.name)
    const user = { id: found?.id ?? (base64url(ports.random(16)) as UserId), name: found?.name ?? link.name }
    const subject: RecoverySubject = { name: user.name, link: link.hash, is_new: found === undefined }
    const begin = { purpose: 'recovery', user: user.id, holder, subject, ttl: ceremonyTtl } as const
    const { intent, ticket } = beginIntent(site, ports, begin)
    return withSite(site, ports, async (here, { attestation }) => ({
      ticket,
      options: creationOptions(here, intent, ceremonyTtl, user, [], { kind: 'passkey', attestation }),
    }))
  })
}

export interface RecoveryAnswer {
  readonly secret: string
  readonly ticket: string
  readonly registration: RegistrationJson
}

type FinishNeeds = Pick<Ports, 'keys' | 'random' | 'now' | 'preferences' | 'administrator' | 'audit'>

/** @throws Refusal */
export function finishRecovery(
  site: Site,
  ports: FinishNeeds,
  caller: Caller,
  answer: RecoveryAnswer,
): Promise<{ cookie: SessionCookie; expiresAt: Instant }> {
  return recordingRefusals(ports, caller.asking, 'recovery.register', () =>
    withSite(site, ports, (here, preference) => recoverWith(here, ports, caller, answer, preference)),
  )
}

async function recoverWith(
  site: Site,
  ports: FinishNeeds,
  { asking, holder }: Caller,
  { secret, ticket, registration }: RecoveryAnswer,
  { attestation, revision: preference }: Preference,
) {
  const intent = readTicket(ports, ticket)
  const { user, subject } = requireThisLink(site, ports.now(), holder, intent, secret)
  const wanted = { kind: 'passkey', attestation } as const
  const { key: _, ...registered } = await verifyRegistration(site, intent, registration, ports.now(), wanted)

  const { session, cookie } = newSession(ports, asking.from)
  const at = session.openedAt
  const name = providerOf(registered.aaguid) ?? 'Passkey'
  const admitted = { name, mayVouch: true, isRoot: true, vouch: undefined }
  const who = { userId: user.id, credentialId: registered.id, sessionId: session.id, intentId: intent.id }
  const { expiresAt } = await ports.administrator.recover({
    spend: spendOf(intent),
    link: subject.link,
    preference,
    user,
    isNew: subject.is_new,
    credential: { ...registered, ...admitted, userId: user.id, rpId: site.rpId, createdAt: at },
    session,
    expiresAt: at + sessionTtl,
    event: {
      ...{ at, kind: 'recovery.register', outcome: 'done', asking, ...who },
      ...{ detail: { name: user.name, new: subject.is_new }, evidence: { intent, registration } },
    },
  })
  return { cookie, expiresAt }
}

/** Whom the intent is for. The subject is compared with what it must be for this very link. */
function requireThisLink(site: Site, now: Instant, holder: Holder | undefined, intent: Intent, secret: string) {
  const { name, is_new } = intent.subject as RecoverySubject
  const subject: RecoverySubject = { name: String(name), link: hashOf(secret) ?? '', is_new: is_new === true }
  const user = intent.user as UserId | undefined
  requireIntent(intent, { site, purpose: 'recovery', holder, user, subject, now })
  if (user === undefined) throw new Refusal('wrong_user', { intent: intent.id })
  return { user: { id: user, name: subject.name }, subject }
}
