/**
 * Users: inviting, listing, removing. An invite is a one-time key made by the administrator's program: the tap approves a request
 * that names user, roles and the public half; the private half is in the link alone. See login/invite.ts for its use.
 */
import type { ListedUser } from '../admin-ports.ts'
import { recordingRefusals } from '../audit.ts'
import type { Intent, Json } from '../intent.ts'
import { base64url } from '../lib/bytes.ts'
import { readTicket, spendOf } from '../login/ceremony.ts'
import { withKey } from '../login/known-key.ts'
import { parseName } from '../login/name.ts'
import { withSite } from '../login/with-preference.ts'
import {
  type Duration,
  hours,
  type Instant,
  type InviteId,
  minutes,
  type Site,
  seconds,
  type UserId,
} from '../model.ts'
import type { KnownKey, Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import type { SentTap } from '../tap/sent.ts'
import { type Tap, verifyTap } from '../tap/verify.ts'
import { thumbprintOf, type VouchKey } from '../vouch.ts'
import { subjectOf } from './action.ts'
import { actorOf, type Principal } from './principal.ts'

const defaultTtl: Duration = hours(1)
const [shortestTtl, longestTtl] = [minutes(1), hours(48)]

export interface Invitation {
  readonly name: string
  readonly roles: readonly string[]
  readonly invite_key: VouchKey
  /** Seconds. */
  readonly ttl: number | undefined
}

type InviteNeeds = Pick<
  Ports,
  'keys' | 'random' | 'now' | 'preferences' | 'publicKeys' | 'credentials' | 'users' | 'audit'
>

export interface Invited {
  readonly name: string
  readonly invite: InviteId
  readonly expiresAt: Instant
}

/**
 * `request`: the body as it came; its hash is what was tapped.
 * @throws Refusal
 */
export function inviteUser(
  site: Site,
  ports: InviteNeeds,
  principal: Principal,
  invitation: Invitation,
  request: Json,
  sent: SentTap | undefined,
): Promise<Invited> {
  return recordingRefusals(ports, principal.asking, 'user.invite', async () => {
    if (!sent) throw new Refusal('tap_missing', { user: principal.user.id })
    const tap = { intent: readTicket(ports, sent.ticket), assertion: sent.assertion }
    return withSite(site, ports, (here, { revision }) =>
      withKey(ports, sent.assertion.id, (known) =>
        inviteWith(here, ports, principal, invitation, request, tap, known, revision),
      ),
    )
  })
}

async function inviteWith(
  site: Site,
  ports: InviteNeeds,
  principal: Principal,
  invitation: Invitation,
  request: Json,
  tap: Tap,
  known: KnownKey | undefined,
  preference: string | undefined,
): Promise<Invited> {
  if (!known) throw new Refusal('credential_unknown', { credential: tap.assertion.id })
  const { jkt, user: admin, asking } = principal
  const { intent } = tap
  const subject = subjectOf('userAdd', request, String((intent as Intent<'admin'>).subject.address))
  const shown = { site, purpose: 'admin', holder: jkt, user: admin.id, subject, now: ports.now() } as const
  const evidence = await verifyTap(tap, known.publicKey, shown)
  if (known.userId !== admin.id) throw new Refusal('wrong_user', { user: admin.id })

  const at = ports.now()
  const user = { id: base64url(ports.random(16)) as UserId, name: parseName(invitation.name) }
  const roles = [...new Set(invitation.roles)].sort()
  const { invite_key: key } = invitation
  const [id, expiresAt] = [thumbprintOf(key) as InviteId, at + ttlOf(invitation)]
  const { id: credential, response } = tap.assertion
  const evident: Tap = { intent, assertion: { id: credential, response } }
  await ports.users.invite({
    spend: spendOf(intent),
    tapped: { ...evidence, userId: admin.id, fingerprint: known.publicKey.fingerprint, preference },
    actor: actorOf(principal, 'editor'),
    user,
    roles,
    invite: { id, key, tap: evident, request, expiresAt },
    event: {
      at,
      kind: 'user.invite',
      outcome: 'done',
      asking,
      userId: admin.id,
      credentialId: evidence.credentialId,
      sessionId: principal.session.id,
      intentId: intent.id,
      detail: { invited: user.name, roles: roles.join(' ') },
      evidence: { tap: evident, request },
    },
  })
  await ports.publicKeys.keep(evidence.credentialId, known)
  return { name: user.name, invite: id, expiresAt }
}

function ttlOf({ ttl }: Invitation): Duration {
  const duration = ttl === undefined ? defaultTtl : seconds(ttl)
  if (duration < shortestTtl || duration > longestTtl) throw new Refusal('invite_ttl')
  return duration
}

export type UserState = 'active' | 'locked' | 'invited' | 'expired'

export function userState({ passkeys, locked, invited }: ListedUser): UserState {
  if (locked) return 'locked'
  if (passkeys > 0) return 'active'
  return invited ? 'invited' : 'expired'
}

/** @throws Refusal user_unknown, own_account, token_invalid, role_missing */
export function removeUser(ports: Pick<Ports, 'now' | 'users' | 'audit'>, principal: Principal, name: string) {
  const { asking, user, session } = principal
  return recordingRefusals(ports, asking, 'user.remove', async () => {
    const who = { userId: user.id, sessionId: session.id, detail: { removed: name } }
    const event = { at: ports.now(), kind: 'user.remove', outcome: 'done', asking, ...who } as const
    await ports.users.remove(actorOf(principal, 'editor'), name, event)
  })
}
