/**
 * Users: inviting, resetting, listing, removing. A link is a one-time key made by the administrator's program: the tap approves a
 * request that names the user and the public half; the private half is in the link alone. See login/invite.ts for its use.
 */
import type { ListedUser } from '../admin-ports.ts'
import { recordingRefusals } from '../audit.ts'
import { base64url } from '../lib/bytes.ts'
import { parseName } from '../login/name.ts'
import { rpIdsOf } from '../login/relying-party.ts'
import { withSite } from '../login/with-preference.ts'
import type { Instant, InviteId, Site, UserId } from '../model.ts'
import type { Ports } from '../ports.ts'
import { thumbprintOf, type VouchKey } from '../vouch.ts'
import { type ApprovalNeeds, type Approved, approvedEvent, type Request, withApproval } from './approved.ts'
import { inviteTtl, resetTtl } from './link-ttl.ts'
import { actorOf, type Principal } from './principal.ts'

export interface Invitation {
  readonly name: string
  readonly roles: readonly string[]
  readonly invite_key: VouchKey
  /** Seconds. */
  readonly ttl: number | undefined
}

type Needs = ApprovalNeeds & Pick<Ports, 'random' | 'users' | 'audit'>

export interface OneTimeLink {
  readonly name: string
  readonly invite: InviteId
  readonly expiresAt: Instant
}

/** @throws Refusal */
export function inviteUser(
  site: Site,
  ports: Needs,
  principal: Principal,
  invitation: Invitation,
  request: Request,
): Promise<OneTimeLink> {
  return recordingRefusals(ports, principal.asking, 'user.invite', () =>
    withApproval(site, ports, principal, 'userAdd', request, async (approved) => {
      const user = { id: base64url(ports.random(16)) as UserId, name: parseName(invitation.name) }
      const roles = [...new Set(invitation.roles)].sort()
      const invite = linkOf(ports, approved, request, invitation.invite_key, inviteTtl(invitation.ttl))
      const detail = { invited: user.name, roles: roles.join(' ') }
      const event = approvedEvent(ports, principal, approved, request, 'user.invite', detail)
      const { spend, tapped } = approved
      await ports.users.invite({
        spend,
        tapped,
        actor: actorOf(principal, [{ resource: 'user', verb: 'create' }]),
        user,
        roles,
        invite,
        event,
      })
      return { name: user.name, invite: invite.id, expiresAt: invite.expiresAt }
    }),
  )
}

export interface Reset {
  readonly name: string
  readonly reset_key: VouchKey
  /** Seconds. */
  readonly ttl: number | undefined
}

/**
 * All that lets the user in goes at once, so that whoever has it is out; the link lets the user in again. The tap names the user by
 * id too (its revision): a namesake who came in between is another.
 * @throws Refusal
 */
export function resetUser(
  site: Site,
  ports: Needs,
  principal: Principal,
  reset: Reset,
  request: Request,
): Promise<OneTimeLink> {
  return recordingRefusals(ports, principal.asking, 'user.reset', () =>
    withApproval(site, ports, principal, 'userReset', request, async (approved, { site: here }) => {
      const user = { id: approved.revision as UserId, name: parseName(reset.name) }
      const invite = linkOf(ports, approved, request, reset.reset_key, resetTtl(reset.ttl))
      const event = approvedEvent(ports, principal, approved, request, 'user.reset', { reset: user.name })
      const { spend, tapped } = approved
      await ports.users.reset({
        spend,
        tapped,
        actor: actorOf(principal, [{ resource: 'user', verb: 'update' }]),
        user,
        invite,
        rpIds: rpIdsOf(here),
        event,
      })
      return { name: user.name, invite: invite.id, expiresAt: invite.expiresAt }
    }),
  )
}

const linkOf = ({ now }: Pick<Ports, 'now'>, { tap }: Approved, { json }: Request, key: VouchKey, ttl: number) => ({
  id: thumbprintOf(key) as InviteId,
  key,
  tap,
  request: json,
  expiresAt: now() + ttl,
})

export type UserState = 'active' | 'locked' | 'invited' | 'reset' | 'expired'

export function userState({ passkeys, lockedBy, link }: ListedUser): UserState {
  if (lockedBy !== undefined) return 'locked'
  if (passkeys > 0) return 'active'
  if (!link) return 'expired'
  return link.kind === 'reset' ? 'reset' : 'invited'
}

/** @throws Refusal user_unknown, own_account, last_vouching, token_invalid, role_missing */
export function removeUser(
  site: Site,
  ports: Pick<Ports, 'now' | 'users' | 'preferences' | 'audit'>,
  principal: Principal,
  name: string,
): Promise<void> {
  const { asking, user, session } = principal
  return recordingRefusals(ports, asking, 'user.remove', () =>
    withSite(site, ports, (here, { revision: preference }) => {
      const who = { userId: user.id, sessionId: session.id, detail: { removed: name } }
      const event = { at: ports.now(), kind: 'user.remove', outcome: 'done', asking, ...who } as const
      return ports.users.remove(actorOf(principal, [{ resource: 'user', verb: 'delete' }]), name, event, {
        rpIds: rpIdsOf(here),
        preference,
      })
    }),
  )
}
