/**
 * The first administrator: a one-time link from the operator's terminal makes one user with the root credential. The
 * link's secret is in the URL's fragment, so it reaches the edge only in the bodies of these calls.
 */
import type { Preference } from '../access/preference.ts'
import { recordingRefusals } from '../audit.ts'
import type { FirstAdministratorSubject, Intent } from '../intent.ts'
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

/** Makes a new link and kills the one before. undefined: there is an administrator already. */
export async function offerFirstAdministrator(
  ports: Pick<Ports, 'random' | 'now' | 'administrator'>,
  asking: Asking,
): Promise<{ secret: string; expiresAt: Instant } | undefined> {
  const { secret, link } = newLink(ports, undefined)
  try {
    await ports.administrator.offer(link, { at: ports.now(), kind: 'administrator.offer', outcome: 'done', asking })
  } catch (error) {
    if (error instanceof Refusal && error.code === 'administrator_exists') return undefined
    throw error
  }
  return { secret, expiresAt: link.expiresAt }
}

/** @throws Refusal operator_unproven, administrator_exists */
export function acceptOffer(
  site: Site,
  ports: Pick<Ports, 'keys' | 'now' | 'administrator' | 'audit'>,
  asking: Asking,
  offer: RemoteOffer,
  proof: string,
): Promise<{ expiresAt: Instant }> {
  return recordingRefusals(ports, asking, 'administrator.offer', async () => {
    const spend = requireOffer(site, ports, { offer: 'first-administrator' }, offer, proof)
    const link = { hash: offer.link, name: undefined, expiresAt: ports.now() + linkTtl }
    const event = { at: ports.now(), kind: 'administrator.offer', outcome: 'done', asking } as const
    await ports.administrator.offer(link, event, spend)
    return { expiresAt: link.expiresAt }
  })
}

/** For the page, before it asks for anything. @throws Refusal link_invalid */
export const checkLink = (ports: Pick<Ports, 'administrator' | 'now' | 'audit'>, asking: Asking, secret: string) =>
  recordingRefusals(ports, asking, 'administrator.register', () => requireOpenLink(ports, secret))

async function requireOpenLink({ administrator, now }: Pick<Ports, 'administrator' | 'now'>, secret: string) {
  const { exists, link } = await administrator.state()
  if (exists || !link || !isOpen(link, secret, now())) throw new Refusal('link_invalid')
  return link
}

type BeginNeeds = Pick<Ports, 'keys' | 'random' | 'now' | 'preferences' | 'administrator' | 'audit'>

/** @throws Refusal link_invalid, name_invalid */
export function beginFirstAdministrator(
  site: Site,
  ports: BeginNeeds,
  asking: Asking,
  holder: Holder,
  ask: { readonly secret: string; readonly name: string },
) {
  return recordingRefusals(ports, asking, 'administrator.register', async () => {
    const link = await requireOpenLink(ports, ask.secret)
    const name = parseName(ask.name)
    const user = base64url(ports.random(16)) as UserId
    const subject = { kind: 'first-administrator', name, link: link.hash } as const
    const begun = beginIntent(site, ports, { purpose: 'register', user, holder, subject, ttl: ceremonyTtl })
    return withSite(site, ports, async (here, { attestation }) => ({
      ticket: begun.ticket,
      options: creationOptions(here, begun.intent, ceremonyTtl, { id: user, name }, [], {
        kind: 'passkey',
        attestation,
      }),
    }))
  })
}

type FinishNeeds = BeginNeeds

export interface FirstAdministratorAnswer {
  readonly secret: string
  readonly ticket: string
  readonly registration: RegistrationJson
}

/** @throws Refusal */
export function finishFirstAdministrator(
  site: Site,
  ports: FinishNeeds,
  caller: Caller,
  answer: FirstAdministratorAnswer,
): Promise<{ cookie: SessionCookie; expiresAt: Instant }> {
  return recordingRefusals(ports, caller.asking, 'administrator.register', () =>
    withSite(site, ports, (here, preference) => registerFirst(here, ports, caller, answer, preference)),
  )
}

async function registerFirst(
  site: Site,
  ports: FinishNeeds,
  { asking, holder }: Caller,
  { secret, ticket, registration }: FirstAdministratorAnswer,
  { attestation, revision: preference }: Preference,
) {
  const intent = readTicket(ports, ticket)
  const { user, subject } = requireThisLink(site, ports.now(), holder, intent, secret)
  const wanted = { kind: 'passkey', attestation } as const
  const { key: _, ...registered } = await verifyRegistration(site, intent, registration, ports.now(), wanted)

  const { session, cookie } = newSession(ports, asking.from)
  const [at, expiresAt] = [session.openedAt, session.openedAt + sessionTtl]
  const admitted = { name: providerOf(registered.aaguid) ?? 'Passkey', mayVouch: true, isRoot: true, vouch: undefined }
  const who = { userId: user.id, credentialId: registered.id, sessionId: session.id, intentId: intent.id }
  const evidence = { intent, registration }
  await ports.administrator.claim({
    spend: spendOf(intent),
    link: subject.link,
    preference,
    user,
    credential: { ...registered, ...admitted, userId: user.id, rpId: site.rpId, createdAt: at },
    session,
    expiresAt,
    event: { at, kind: 'administrator.register', outcome: 'done', asking, ...who, evidence },
  })
  return { cookie, expiresAt }
}

/** The user that the intent makes. The subject is compared with what it must be for this very link. */
function requireThisLink(site: Site, now: Instant, holder: Holder | undefined, intent: Intent, secret: string) {
  const { name } = intent.subject as FirstAdministratorSubject
  const link = hashOf(secret) ?? ''
  const subject: FirstAdministratorSubject = { kind: 'first-administrator', name: String(name), link }
  const user = intent.user as UserId | undefined
  requireIntent(intent, { site, purpose: 'register', holder, user, subject, now })
  if (user === undefined) throw new Refusal('wrong_user', { intent: intent.id })
  return { user: { id: user, name: subject.name }, subject }
}
