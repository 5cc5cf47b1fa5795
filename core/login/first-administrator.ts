/**
 * The first administrator: a one-time link from the operator's terminal makes one user with the root credential. The
 * link's secret is in the URL's fragment, so it reaches the edge only in the bodies of these calls.
 */
import type { Preference } from '../access/preference.ts'
import { recordingRefusals } from '../audit.ts'
import { canonicalJson, type FirstAdministratorSubject, type Intent } from '../intent.ts'
import { type Bytes, base64url, fromBase64url } from '../lib/bytes.ts'
import { hmac, hmacIsRight, type MacKey, sha256 } from '../lib/hash.ts'
import {
  type Asking,
  type Duration,
  type Holder,
  hours,
  type Instant,
  minutes,
  type Site,
  seconds,
  type UserId,
} from '../model.ts'
import type { Caller, Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { requireIntent } from '../tap/verify.ts'
import { beginIntent, newSession, readTicket, type SessionCookie, sessionTtl, spendOf } from './ceremony.ts'
import { parseName } from './name.ts'
import { creationOptions } from './options.ts'
import { type RegistrationJson, verifyRegistration } from './passkey-register.ts'
import { providerOf } from './providers.ts'
import { withSite } from './with-preference.ts'

const linkTtl: Duration = hours(1)
const ceremonyTtl = minutes(5)

/** Makes a new link and kills the one before. undefined: there is an administrator already. */
export async function offerFirstAdministrator(
  ports: Pick<Ports, 'random' | 'now' | 'administrator'>,
  asking: Asking,
): Promise<{ secret: string; expiresAt: Instant } | undefined> {
  const secret = ports.random(32)
  const link = { hash: base64url(sha256(secret)), expiresAt: ports.now() + linkTtl }
  try {
    await ports.administrator.offer(link, { at: ports.now(), kind: 'administrator.offer', outcome: 'done', asking })
  } catch (error) {
    if (error instanceof Refusal && error.code === 'administrator_exists') return undefined
    throw error
  }
  return { secret: base64url(secret), expiresAt: link.expiresAt }
}

/** How the operator of a deployed edge offers a link: he makes the secret, and proves that he holds `SALLYPORT_KEY`. */
export interface RemoteOffer {
  readonly link: string
  readonly id: string
  /** Seconds since 1970. */
  readonly iat: number
}

const offered = ({ link, id, iat }: RemoteOffer, cluster: string): Bytes =>
  canonicalJson({ v: 1, offer: 'first-administrator', cluster, link, id, iat })

export const proveOffer = (key: MacKey, cluster: string, offer: RemoteOffer): string =>
  base64url(hmac(key, offered(offer, cluster)))

/** @throws Refusal operator_unproven, administrator_exists */
export function acceptOffer(
  site: Site,
  ports: Pick<Ports, 'keys' | 'now' | 'administrator' | 'audit'>,
  asking: Asking,
  offer: RemoteOffer,
  proof: string,
): Promise<{ expiresAt: Instant }> {
  return recordingRefusals(ports, asking, 'administrator.offer', async () => {
    // Before any of it is made canonical: only well-formed text can be.
    if (fromBase64url(offer.link)?.length !== 32 || fromBase64url(offer.id)?.length !== 16)
      throw new Refusal('operator_unproven')
    const mac = fromBase64url(proof)
    const age = Math.abs(ports.now() - seconds(offer.iat))
    const right = mac !== undefined && hmacIsRight(ports.keys.operator, mac, offered(offer, site.cluster))
    if (!right || age > minutes(1)) throw new Refusal('operator_unproven')
    const link = { hash: offer.link, expiresAt: ports.now() + linkTtl }
    const spend = { id: `offer.${offer.id}`, expiresAt: ports.now() + hours(1) }
    const event = { at: ports.now(), kind: 'administrator.offer', outcome: 'done', asking } as const
    await ports.administrator.offer(link, event, spend)
    return { expiresAt: link.expiresAt }
  })
}

/** How the database and the intent name a link. undefined: no secret of ours looks like this. */
function hashOf(secret: string): string | undefined {
  const bytes = fromBase64url(secret)
  return bytes && base64url(sha256(bytes))
}

/** For the page, before it asks for anything. @throws Refusal link_invalid */
export const checkLink = (ports: Pick<Ports, 'administrator' | 'now' | 'audit'>, asking: Asking, secret: string) =>
  recordingRefusals(ports, asking, 'administrator.register', () => requireOpenLink(ports, secret))

async function requireOpenLink({ administrator, now }: Pick<Ports, 'administrator' | 'now'>, secret: string) {
  const { exists, link } = await administrator.state()
  if (exists || !link || hashOf(secret) !== link.hash || now() >= link.expiresAt) throw new Refusal('link_invalid')
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
      options: creationOptions(here, begun.intent, ceremonyTtl, { id: user, name }, [], attestation),
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
  const { key: _, ...registered } = await verifyRegistration(site, intent, registration, ports.now(), attestation)

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
