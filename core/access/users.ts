/**
 * Users: inviting, resetting, listing, removing. A link is a one-time key made by the administrator's program: the tap approves a
 * request that names the user and the public half; the private half is in the link alone. See login/invite.ts for its use.
 */
import type { Holdings, ListedUser } from '../admin-ports.ts'
import { recordingRefusals } from '../audit.ts'
import { base64url } from '../lib/bytes.ts'
import { parseName } from '../login/name.ts'
import { rpIdsOf } from '../login/relying-party.ts'
import type { Instant, InviteId, Site, User, UserId } from '../model.ts'
import type { Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { thumbprintOf, type VouchKey } from '../vouch.ts'
import {
  type ApprovalNeeds,
  type Approved,
  type Request,
  standingEvent,
  withApproval,
  withStanding,
} from './approved.ts'
import { addedLines, linesOf, removedLines, titleLine } from './difference.ts'
import { administers } from './given-role.ts'
import { inviteTtl, resetTtl } from './link-ttl.ts'
import { isPreset, presets } from './presets.ts'
import { actorOf, type Principal, type Requester } from './principal.ts'
import type { Deed } from './rule.ts'
import type { Foreseen } from './subject.ts'
import { rolesInWords } from './user-plan.ts'

export interface Invitation {
  readonly name: string
  readonly roles: readonly string[]
  readonly invite_key: VouchKey
  /** Seconds. */
  readonly ttl: number | undefined
}

type Needs = ApprovalNeeds & Pick<Ports, 'random' | 'users' | 'documents' | 'audit'>

export interface OneTimeLink {
  readonly name: string
  readonly invite: InviteId
  readonly expiresAt: Instant
}

/**
 * What it takes to give somebody these roles, or to take over who holds them. Whoever hands administrative rights on might as well write
 * the role: who may only invite or reset must not make himself an administrator by it.
 */
async function deedsOn(
  { documents }: Pick<Ports, 'documents'>,
  verb: 'create' | 'update',
  roles: readonly string[],
): Promise<readonly Deed[]> {
  const written = roles.filter((name) => !isPreset(name))
  const stored = written.length === 0 ? [] : await documents.list({ kind: 'role' })
  const all = [...presets, ...stored.map(({ document }) => document)]
  const given = all.flatMap((one) => (one.kind === 'role' && roles.includes(one.metadata.name) ? [one] : []))
  const own: Deed = { resource: 'user', verb }
  return given.some(administers) ? [own, { resource: 'role', verb: 'update' }] : [own]
}

/** @throws Refusal invite_ttl, name_invalid, role_missing, name_taken, user_waiting, role_unknown */
export async function foreseeInvite(
  ports: Pick<Ports, 'users' | 'documents'>,
  principal: Requester,
  invitation: Invitation,
): Promise<Foreseen> {
  const foreseen = expectedInvite(invitation)
  actorOf(principal, await deedsOn(ports, 'create', invitation.roles))
  await requireFreeName(ports, parseName(invitation.name))
  await requireRoles(ports, invitation.roles)
  return foreseen
}

function expectedInvite({ name: given, roles, ttl }: Invitation): Foreseen {
  inviteTtl(ttl)
  const name = parseName(given)
  const content = linesOf({ name, roles })
  const changes = [titleLine(`New user ${name}`), ...addedLines(content)].join('\n')
  return { summary: `Invite ${name} with ${rolesInWords(roles)}`, revision: 'new', changes, key: 'vouching' }
}

async function requireFreeName({ users }: Pick<Ports, 'users'>, name: string): Promise<void> {
  const found = await users.find(name)
  if (!found) return
  if (found.passkeys > 0) throw new Refusal('name_taken')
  const told = `There is a user ${found.name} who has no passkey yet, or none any more.`
  throw new Refusal('user_waiting', {}, { told })
}

async function requireRoles({ documents }: Pick<Ports, 'documents'>, roles: readonly string[]): Promise<void> {
  const written = roles.filter((role) => !isPreset(role))
  if (written.length === 0) return
  const there = new Set((await documents.list({ kind: 'role' })).map(({ document }) => document.metadata.name))
  const unknown = written.find((role) => !there.has(role))
  if (unknown !== undefined)
    throw new Refusal('role_unknown', {}, { told: `There is no role ${JSON.stringify(unknown)}.` })
}

/** @throws Refusal */
export function inviteUser(
  site: Site,
  ports: Needs,
  principal: Requester,
  invitation: Invitation,
  request: Request,
): Promise<OneTimeLink> {
  return recordingRefusals(ports, principal.asking, 'user.invite', async () => {
    const expected = { ...expectedInvite(invitation), deeds: await deedsOn(ports, 'create', invitation.roles) }
    return withApproval(site, ports, principal, 'userAdd', request, expected, async (approved, { actor }) => {
      const user = { id: base64url(ports.random(16)) as UserId, name: parseName(invitation.name) }
      const roles = [...new Set(invitation.roles)].sort()
      const invite = linkOf(ports, approved, request, invitation.invite_key, inviteTtl(invitation.ttl))
      const detail = { invited: user.name, roles: roles.join(' ') }
      const event = standingEvent(ports, principal, approved, request, 'user.invite', detail)
      await ports.users.invite({ actor, user, roles, invite, event })
      return { name: user.name, invite: invite.id, expiresAt: invite.expiresAt }
    })
  })
}

export interface Reset {
  readonly name: string
  readonly reset_key: VouchKey
  /** Seconds. */
  readonly ttl: number | undefined
}

/** @throws Refusal reset_ttl, name_invalid, user_unknown, own_account, role_missing */
export async function foreseeReset(
  ports: Pick<Ports, 'now' | 'users' | 'documents'>,
  principal: Requester,
  reset: Reset,
): Promise<Foreseen> {
  const expected = expectedReset(reset)
  const found = await requireOther(ports, principal, reset.name)
  actorOf(principal, await deedsOfReset(ports, reset.name))
  return { ...expected, ...leaving(`Removed, and let in again by the link: what ${found.name} has`, found) }
}

const deedsOfReset = async (ports: Pick<Ports, 'users' | 'documents'>, name: string): Promise<readonly Deed[]> =>
  deedsOn(ports, 'update', (await ports.users.withRoles(name))?.roles ?? [])

function expectedReset({ name: given, ttl }: Reset) {
  resetTtl(ttl)
  const name = parseName(given)
  const summary = `Reset ${name}: all passkeys, passwords, codes and sessions of ${name} are removed`
  return { summary, key: 'vouching' } as const
}

/** Another administrator must do it, so that there is always one left who may. @throws Refusal user_unknown, own_account */
async function requireOther({ users, now }: Pick<Ports, 'now' | 'users'>, { user }: Requester, name: string) {
  const found = await users.holdings(name, now())
  if (!found) throw new Refusal('user_unknown', { user: user.id })
  if (found.id === user.id) throw new Refusal('own_account', { user: user.id })
  return found
}

/** Who bears the name is part of what is tapped: a namesake who came in between is another. */
function leaving(title: string, { id, name: _, ...counts }: Holdings): Pick<Foreseen, 'revision' | 'changes'> {
  return { revision: id, changes: [titleLine(title), ...removedLines(linesOf(counts))].join('\n') }
}

/**
 * All that lets the user in goes at once, so that whoever has it is out; the link lets the user in again. The tap names the user by
 * id too (its revision): a namesake who came in between is another.
 * @throws Refusal
 */
export function resetUser(
  site: Site,
  ports: Needs,
  principal: Requester,
  reset: Reset,
  request: Request,
): Promise<OneTimeLink> {
  return recordingRefusals(ports, principal.asking, 'user.reset', async () => {
    const expected = { ...expectedReset(reset), deeds: await deedsOfReset(ports, reset.name) }
    return withApproval(site, ports, principal, 'userReset', request, expected, async (approved, { actor, under }) => {
      const user = { id: approved.revision as UserId, name: parseName(reset.name) }
      const invite = linkOf(ports, approved, request, reset.reset_key, resetTtl(reset.ttl))
      const event = standingEvent(ports, principal, approved, request, 'user.reset', { reset: user.name })
      await ports.users.reset({ actor, user, invite, rpIds: rpIdsOf(under.site), event })
      return { name: user.name, invite: invite.id, expiresAt: invite.expiresAt }
    })
  })
}

const linkOf = ({ now }: Pick<Ports, 'now'>, { tap }: Approved, { json }: Request, key: VouchKey, ttl: number) => ({
  id: thumbprintOf(key) as InviteId,
  key,
  tap,
  request: json,
  expiresAt: now() + ttl,
})

/** `new`: made by a document, and no link was made yet. `expired`: there was one. */
export type UserState = 'active' | 'locked' | 'invited' | 'reset' | 'expired' | 'new'

export function userState({ passkeys, lockedBy, link, hadLink }: ListedUser): UserState {
  if (lockedBy !== undefined) return 'locked'
  if (passkeys > 0) return 'active'
  if (!link) return hadLink ? 'expired' : 'new'
  return link.kind === 'reset' ? 'reset' : 'invited'
}

/** @throws Refusal user_unknown, own_account */
export async function foreseeUserRemoval(
  ports: Pick<Ports, 'now' | 'users'>,
  principal: Principal,
  name: string,
): Promise<Foreseen> {
  const found = await requireOther(ports, principal, name)
  return { ...expectedRemoval(name), ...leaving(`Removed: the user ${found.name}, and what ${found.name} has`, found) }
}

const expectedRemoval = (name: string) => ({ summary: `Remove the user ${name}`, key: 'vouching' }) as const

export const userDeletion: Deed = { resource: 'user', verb: 'delete' }

/** @throws Refusal user_unknown, own_account, last_vouching, token_invalid, role_missing */
export function removeUser(
  site: Site,
  ports: ApprovalNeeds & Pick<Ports, 'users' | 'audit'>,
  principal: Principal,
  name: string,
  request: Request,
  action: 'userRemove' | 'documentRemove' = 'userRemove',
): Promise<void> {
  return recordingRefusals(ports, principal.asking, 'user.remove', () => {
    const expected = { ...expectedRemoval(name), deeds: [userDeletion] }
    return withStanding(site, ports, principal, action, request, expected, async (standing) => {
      const { actor, approved, under } = standing
      const event = standingEvent(ports, principal, approved, request, 'user.remove', { removed: name })
      const who: Partial<User> & Pick<User, 'name'> = approved ? { id: approved.revision as UserId, name } : { name }
      await ports.users.remove(actor, who, event, rpIdsOf(under.site))
    })
  })
}
