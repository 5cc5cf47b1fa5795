/**
 * The first passkey of somebody invited, or the next one of somebody reset. The link's fragment holds the private half of the
 * invite's key, which no server ever sees: the page makes the passkey, then signs with it a vouch that names the passkey's key. So
 * the administrator's tap leads, by the key that it named, to exactly this passkey; who has read the whole database cannot make
 * that signature.
 */

import type { Preference } from '../access/preference.ts'
import { bodyHash, linkKindOf } from '../access/subject.ts'
import type { OpenInvite } from '../admin-ports.ts'
import { recordingRefusals } from '../audit.ts'
import { type AdminSubject, type InviteSubject, membersOf, type VouchSubject } from '../intent.ts'
import { type Asking, type Holder, type Instant, minutes, type Site } from '../model.ts'
import type { Caller, Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { requireIntent } from '../tap/verify.ts'
import { parseVouchKey, thumbprintOf, type Vouch, vouchIsRight } from '../vouch.ts'
import { beginIntent, newSession, readTicket, type SessionCookie, sessionTtl, spendOf } from './ceremony.ts'
import { readName } from './name.ts'
import { creationOptions } from './options.ts'
import { type Registered, type RegistrationJson, verifyRegistration } from './passkey-register.ts'
import { providerOf } from './providers.ts'
import { withSite } from './with-preference.ts'

const ceremonyTtl = minutes(5)

type ReadNeeds = Pick<Ports, 'users' | 'now' | 'audit'>

/** For the page, before it asks for anything. @throws Refusal link_invalid */
export const checkInvite = (ports: ReadNeeds, asking: Asking, invite: string): Promise<OpenLink> =>
  recordingRefusals(ports, asking, 'user.register', () => requireOpen(ports, invite))

export type LinkKind = InviteSubject['kind']
type OpenLink = OpenInvite & { readonly kind: LinkKind }

async function requireOpen({ users, now }: Pick<Ports, 'users' | 'now'>, invite: string): Promise<OpenLink> {
  const open = await users.openInvite(invite, now())
  const kind = open && linkKindOf(open.tap.intent.subject as AdminSubject)
  if (!kind) throw new Refusal('link_invalid', { invite })
  return { ...open, kind }
}

/** `approved`: the intent that the administrator tapped; the vouch is made from it. @throws Refusal link_invalid */
export function beginInvite(
  site: Site,
  ports: ReadNeeds & Pick<Ports, 'keys' | 'random' | 'preferences'>,
  asking: Asking,
  holder: Holder,
  invite: string,
) {
  return recordingRefusals(ports, asking, 'user.register', async () => {
    const { kind, id, user, tap } = await requireOpen(ports, invite)
    const subject: InviteSubject = { kind, name: user.name, invite: id }
    const begin = { purpose: 'register', user: user.id, holder, subject, ttl: ceremonyTtl } as const
    const { intent, ticket } = beginIntent(site, ports, begin)
    return withSite(site, ports, async (here, { attestation }) => ({
      ticket,
      options: creationOptions(here, intent, ceremonyTtl, user, [], attestation),
      approved: tap.intent,
    }))
  })
}

export interface InviteAnswer {
  readonly invite: string
  readonly ticket: string
  readonly registration: RegistrationJson
  /** The invite key's, over the challenge of the vouch. */
  readonly signature: string
}

type FinishNeeds = Pick<Ports, 'keys' | 'random' | 'now' | 'preferences' | 'users' | 'audit'>

/** @throws Refusal */
export function finishInvite(
  site: Site,
  ports: FinishNeeds,
  caller: Caller,
  answer: InviteAnswer,
): Promise<{ cookie: SessionCookie; expiresAt: Instant }> {
  return recordingRefusals(ports, caller.asking, 'user.register', () =>
    withSite(site, ports, (here, preference) => acceptWith(here, ports, caller, answer, preference)),
  )
}

async function acceptWith(
  site: Site,
  ports: FinishNeeds,
  { asking, holder }: Caller,
  { invite, ticket, registration, signature }: InviteAnswer,
  { attestation, revision: preference }: Preference,
) {
  const intent = readTicket(ports, ticket)
  const open = await requireOpen(ports, invite)
  const { kind, user } = open
  const subject: InviteSubject = { kind, name: user.name, invite: open.id }
  requireIntent(intent, { site, purpose: 'register', holder, user: user.id, subject, now: ports.now() })
  const { key: _, ...registered } = await verifyRegistration(site, intent, registration, ports.now(), attestation)
  const vouch = await requireVouch(open, registered, signature)

  const { session, cookie } = newSession(ports, asking.from)
  const at = session.openedAt
  const admitted = { name: providerOf(registered.aaguid) ?? 'Passkey', mayVouch: false, isRoot: false, vouch }
  const who = { userId: user.id, credentialId: registered.id, sessionId: session.id, intentId: intent.id }
  const evidence = { intent, registration, vouch }
  const { expiresAt } = await ports.users.accept({
    spend: spendOf(intent),
    invite: open.id,
    preference,
    credential: { ...registered, ...admitted, userId: user.id, rpId: site.rpId, createdAt: at },
    session,
    expiresAt: at + sessionTtl,
    event: { at, kind: 'user.register', outcome: 'done', asking, ...who, evidence },
  })
  return { cookie, expiresAt }
}

/**
 * The whole chain, as whoever reads it later checks it: the tap names the request by its hash, the request names the user and the
 * key, the key names the passkey; the tap for a reset names the user by id too. So a row that was given another user lets nobody
 * in as that one. The tap's own signature was checked when the invite was made.
 * @throws Refusal vouch_wrong
 */
async function requireVouch(
  { kind, key, tap, request, user }: OpenLink,
  registered: Omit<Registered, 'key'>,
  signature: string,
): Promise<Vouch> {
  const wrong = (why: string) => new Refusal('vouch_wrong', { why, user: user.id })
  const { body_hash, revision } = tap.intent.subject as AdminSubject
  if (body_hash !== bodyHash(request)) throw wrong('request')
  const { name, [`${kind}_key`]: key_named } = membersOf(request)
  const named = parseVouchKey(key_named)
  if (!named || thumbprintOf(named) !== thumbprintOf(key)) throw wrong('key')
  if (kind === 'reset' ? revision !== user.id : readName(String(name)) !== user.name) throw wrong('user')
  const subject: VouchSubject = {
    user: user.id,
    credential_id: registered.id,
    public_key_hash: registered.fingerprint,
    may_vouch: false,
  }
  if (!(await vouchIsRight(key, signature, tap.intent, subject))) throw wrong('signature')
  return { v: 1, tap, key, signature, request }
}
