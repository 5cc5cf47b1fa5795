/** users.reset: all that let the user in goes, and one link comes. And the guard that somebody who may vouch stays. */
import { expect } from 'vitest'
import { hours, type UserId } from '../../../core/model.ts'
import type { Ports, Spend } from '../../../core/ports.ts'
import { credentials, invites } from '../../../storage/schema.ts'
import { changes, expectRefused, race } from './changes.ts'
import {
  acceptingOf,
  type Editor,
  giveRoles,
  invitingOf,
  newEditor,
  newInvite,
  newInvited,
  type Tapping,
  warrantOf,
} from './editors.ts'
import {
  type Cases,
  claimOf,
  newCredential,
  newEvent,
  newPerson,
  newUser,
  now,
  type Person,
  removingOf,
  storeCredential,
  storeSession,
  tapOf,
  type World,
} from './world.ts'

type Resetting = Parameters<Ports['users']['reset']>[0]

export function newResetLink(more: Parameters<typeof newInvite>[0] = {}) {
  const invite = newInvite(more)
  const subject = { ...(invite.tap.intent.subject as object), path: '/v1/users/reset' }
  return { ...invite, tap: { ...invite.tap, intent: { ...invite.tap.intent, subject } } } as typeof invite
}

export function resettingOf(
  { credential, actor: editor }: Editor,
  { user }: Pick<Person, 'user'>,
  { spend, tapped, actor = editor, ...more }: Partial<Resetting> & Tapping = {},
): Resetting & { readonly spend: Spend } {
  const event = newEvent('user.reset', { userId: credential.userId, credentialId: credential.id })
  const warrant = warrantOf(credential, { ...(spend && { spend }), ...(tapped && { tapped }) })
  return { spend: warrant.spend, actor: { ...actor, warrant }, user, invite: newResetLink(), event, ...more }
}

const vouching = async ({ store }: World) =>
  (await store.db.select().from(credentials)).filter(({ mayVouch, removedAt }) => mayVouch && removedAt === null).length

export const resetting: Cases = {
  'users.reset removes passkeys, ends all that runs, kills older links, makes the new one with one audit row, and nothing else':
    async (world) => {
      const [editor, lost] = [await newEditor(world), await newEditor(world)]
      const second = await storeCredential(world, newCredential(lost.user.id))
      const older = newInvite()
      await world.store.db.insert(invites).values({
        ...{ ...older, userId: lost.user.id, invitedBy: editor.user.id, createdAt: now, usedAt: null },
      })
      const reset = resettingOf(editor, lost, { tapped: tapOf(editor.credential, { counter: 3 }) })
      const { invite, spend } = reset
      expect(await changes(world.store, () => world.ports.users.reset(reset))).toEqual({
        [`+spent ${spend.id}`]: spend,
        [`~credentials ${editor.credential.id}`]: { counter: 3, lastUsedAt: now },
        [`~credentials ${lost.credential.id}`]: { removedAt: now },
        [`~credentials ${second.id}`]: { removedAt: now },
        [`~sessions ${lost.session.id}`]: { endedAt: now },
        [`~clientSessions ${lost.program.id}`]: { endedAt: now, endReason: 'user_reset', endedBy: 'request' },
        [`~invites ${older.id}`]: { expiresAt: now },
        [`+invites ${invite.id}`]: {
          ...{ ...invite, userId: lost.user.id, invitedBy: editor.user.id, createdAt: now, usedAt: null },
        },
        '+audit user.reset done': expect.objectContaining({ userId: editor.user.id }),
      })
    },

  'users.reset refuses an unknown user, a namesake who came since, the caller’s own, and a caller who may not': async (
    world,
  ) => {
    const [editor, lost] = [await newEditor(world), await newPerson(world)]
    const refused = (
      code: Parameters<typeof expectRefused>[1],
      who: Pick<Person, 'user'>,
      more: Partial<Resetting> & Tapping = {},
    ) => expectRefused(world, code, () => world.ports.users.reset(resettingOf(editor, who, more)))
    await refused('user_unknown', { user: newUser() })
    await refused('user_unknown', { user: { ...lost.user, name: editor.user.name } })
    await refused('user_unknown', { user: { ...lost.user, id: editor.user.id } })
    await refused('own_account', editor)
    await refused('role_missing', lost, { actor: { ...editor.actor, role: 'auditor' } })
    await refused('token_invalid', lost, { actor: { ...editor.actor, userId: lost.user.id as UserId } })
    const weak = await storeCredential(world, newCredential(editor.user.id, { mayVouch: false }))
    await refused('credential_changed', lost, { tapped: tapOf(weak) })
    const first = resettingOf(editor, lost)
    await world.ports.users.reset(first)
    await refused('ticket_spent', lost, { spend: first.spend })
    await refused('ticket_spent', lost, { invite: first.invite })
    await world.ports.users.remove(editor.actor, lost.user, newEvent('user.remove'))
    await refused('user_unknown', lost)
  },

  'users.reset of somebody who never registered gives him a new link, and the old one is dead': async (world) => {
    const editor = await newEditor(world)
    const invited = await newInvited(world, { user: newUser('Grace') })
    const reset = resettingOf(editor, invited)
    await world.ports.users.reset(reset)
    expect(await world.ports.users.openInvite(invited.invite.id, now)).toBeUndefined()
    await expectRefused(world, 'link_invalid', () => world.ports.users.accept(acceptingOf(invited)))
    const listed = (await world.ports.users.list(now)).find(({ name }) => name === 'Grace')
    expect(listed?.link).toEqual({ kind: 'reset', expiresAt: now + hours(1) })
    await world.ports.users.accept(acceptingOf(reset))
  },

  'sessions.account tells of the reset in the session that its link opened, and in no other': async (world) => {
    const [editor, lost] = [await newEditor(world), await newPerson(world)]
    const reset = resettingOf(editor, lost)
    await world.ports.users.reset(reset)
    const accepting = acceptingOf(reset)
    await world.ports.users.accept(accepting)
    const told = await world.ports.sessions.account(claimOf(accepting.session), now)
    expect(told?.reset).toEqual({ by: editor.user.name, at: now })
    const later = await storeSession(world, accepting.credential, { openedAt: now + 1 })
    expect((await world.ports.sessions.account(claimOf(later), now))?.reset).toBeUndefined()
    const invited = await newInvited(world)
    const accepted = acceptingOf(invited)
    await world.ports.users.accept(accepted)
    expect((await world.ports.sessions.account(claimOf(accepted.session), now))?.reset).toBeUndefined()
  },

  'users.find answers who bears a name, in any spelling, with his passkeys; nobody removed': async (world) => {
    const editor = await newEditor(world)
    const { user } = await newInvited(world, { user: newUser('Grace') })
    expect(await world.ports.users.find('GRACE')).toStrictEqual({ ...user, passkeys: 0 })
    await storeCredential(world, newCredential(user.id))
    await storeCredential(world, newCredential(user.id), { removedAt: now })
    expect(await world.ports.users.find('Ｇrace')).toStrictEqual({ ...user, passkeys: 1 })
    await world.ports.users.remove(editor.actor, { name: 'Grace' }, newEvent('user.remove'))
    expect(await world.ports.users.find('Grace')).toBeUndefined()
  },

  'no reset and no removal takes the last passkey that may vouch': async (world) => {
    const weak = await newEditor(world, { mayVouch: false })
    const last = await newEditor(world)
    const spare = await storeCredential(world, newCredential(last.user.id, { mayVouch: false }))
    const { users, credentials: passkeys } = world.ports
    const remove = () => users.remove(weak.actor, last.user, newEvent('user.remove'))
    await expectRefused(world, 'last_vouching', remove)
    const tapped = tapOf(last.credential)
    await expectRefused(world, 'last_vouching', () => users.reset(resettingOf(weak, last, { tapped })))
    const removal = removingOf(last, last.credential)
    await expectRefused(world, 'last_vouching', () => passkeys.remove(removal))
    await passkeys.remove(removingOf(last, spare))
    await users.remove(last.actor, weak.user, newEvent('user.remove'))
    await newPerson(world)
    expect(await vouching(world)).toBe(2)
  },

  'where nobody may vouch, whoever may not can still be removed': async (world) => {
    const [one, other] = [await newEditor(world, { mayVouch: false }), await newEditor(world, { mayVouch: false })]
    await world.ports.users.remove(one.actor, other.user, newEvent('user.remove'))
    expect(await world.ports.users.find(other.user.name)).toBeUndefined()
  },

  'users.reset, two editors resetting each other, 25 each: one stays': async (world) => {
    const two = [await newEditor(world), await newEditor(world)] as const
    const outcome = await race(50, (way) => {
      const [actor, other] = way % 2 === 0 ? two : [two[1], two[0]]
      return world.ports.users.reset(resettingOf(actor, other))
    })
    expect(outcome).toEqual({ done: 25, credential_changed: 25 })
    expect(await vouching(world)).toBe(1)
  },

  'users.reset racing users.accept of an older link: one passkey at most, and only of the link that is open': async (
    world,
  ) => {
    const editor = await newEditor(world)
    const invited = await newInvited(world)
    await race(50, (way) =>
      way === 25
        ? world.ports.users.reset(resettingOf(editor, invited))
        : world.ports.users.accept(acceptingOf(invited)),
    )
    expect((await world.ports.users.find(invited.user.name))?.passkeys).toBe(0)
    await expectRefused(world, 'link_invalid', () => world.ports.users.accept(acceptingOf(invited)))
  },

  'users.reset keeps roles': async (world) => {
    const [editor, lost] = [await newEditor(world), await newPerson(world)]
    await giveRoles(world, lost, 'access', 'auditor')
    await world.ports.users.reset(resettingOf(editor, lost))
    expect((await world.ports.users.list(now)).find(({ name }) => name === lost.user.name)?.roles).toEqual([
      'access',
      'auditor',
    ])
    await world.ports.users.invite(invitingOf(editor))
  },
}
