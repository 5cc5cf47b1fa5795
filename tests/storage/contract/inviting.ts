/** users.invite, openInvite, accept, list and remove: people come and go. */
import { expect } from 'vitest'
import { hours, type InviteId, type UserId } from '../../../core/model.ts'
import { changes, expectRefused } from './changes.ts'
import {
  acceptingOf,
  heldBy,
  invitingOf,
  lockOf,
  newEditor,
  newInvite,
  newInvited,
  openInvites,
  roleOf,
  storeDocuments,
} from './editors.ts'
import { staleClientSessions } from './programs.ts'
import {
  type Cases,
  claimOf,
  ends,
  here,
  newCredential,
  newEvent,
  newPerson,
  newSpend,
  newUser,
  now,
  storeCredential,
  tapOf,
  unused,
} from './world.ts'

const registering = (at: number) => ({ event: newEvent('user.register', { at }) })

export const inviting: Cases = {
  'users.invite spends, moves the counter, makes user, roles and invite with one audit row, and nothing else': async (
    world,
  ) => {
    await storeDocuments(world, roleOf('dev'))
    const editor = await newEditor(world)
    const tapped = tapOf(editor.credential, { counter: 3, backedUp: true })
    const invitation = invitingOf(editor, { tapped, user: newUser('Grace'), roles: ['access', 'dev'] })
    const { user, invite, spend } = invitation
    expect(await changes(world.store, () => world.ports.users.invite(invitation))).toEqual({
      [`+spent ${spend.id}`]: spend,
      [`~credentials ${editor.credential.id}`]: { counter: 3, backedUp: true, lastUsedAt: now },
      [`+users ${user.id}`]: {
        ...user,
        nameKey: 'grace',
        traits: null,
        updatedBy: null,
        approvedBy: null,
        createdAt: now,
        removedAt: null,
      },
      [`+userRoles ${user.id}/access`]: { userId: user.id, role: 'access' },
      [`+userRoles ${user.id}/dev`]: { userId: user.id, role: 'dev' },
      [`+invites ${invite.id}`]: {
        ...{ ...invite, userId: user.id, invitedBy: editor.user.id, createdAt: now, usedAt: null },
      },
      '+audit user.invite done': expect.objectContaining({ userId: editor.user.id }),
    })
  },

  'users.invite gives no role where none is given': async (world) => {
    const { user } = await newInvited(world, { roles: [] })
    const [listed] = (await world.ports.users.list(now)).filter(({ name }) => name === user.name)
    expect(listed?.roles).toEqual([])
  },

  'users.invite refuses a spent id, a counter not ahead, a passkey that may not vouch, an unknown role, a taken name':
    async (world) => {
      const editor = await newEditor(world, { counter: 5 })
      const weak = await storeCredential(world, newCredential(editor.user.id, { mayVouch: false }))
      const tapped = tapOf(editor.credential, { counter: 6 })
      const refused = (code: Parameters<typeof expectRefused>[1], more: object) =>
        expectRefused(world, code, () => world.ports.users.invite(invitingOf(editor, { tapped, ...more })))
      await refused('counter_regressed', { tapped: tapOf(editor.credential) })
      await refused('credential_changed', { tapped: tapOf(weak) })
      await refused('role_unknown', { roles: ['access', 'nowhere'] })
      await refused('name_taken', { user: newUser(editor.user.name.toUpperCase()) })
      const first = invitingOf(editor, { tapped })
      await world.ports.users.invite(first)
      const next = { tapped: tapOf(editor.credential, { counter: 7 }) }
      await refused('ticket_spent', { ...next, spend: first.spend })
      await refused('ticket_spent', { ...next, invite: first.invite })
    },

  'users.invite refuses a caller whose program’s login does not run or is another’s, and one without the role': async (
    world,
  ) => {
    const [editor, other] = [await newEditor(world), await newEditor(world)]
    const refused = (code: Parameters<typeof expectRefused>[1], more: object) => {
      const actor = { ...editor.actor, ...more }
      return expectRefused(world, code, () => world.ports.users.invite(invitingOf(editor, { actor })))
    }
    const stale = Object.values(await staleClientSessions(world, editor.credential))
    for (const { id: sessionId } of [...stale, other.program]) await refused('token_invalid', { sessionId })
    await refused('role_missing', { by: heldBy('auditor') })
  },

  'users.openInvite answers user, roles, inviter, key, tap and request as they were given, any script': async (
    world,
  ) => {
    const editor = await newEditor(world)
    const invitation = invitingOf(editor, { user: newUser('Łukasz 漢字'), roles: ['auditor', 'access'] })
    await world.ports.users.invite(invitation)
    const { user, invite } = invitation
    expect(await world.ports.users.openInvite(invite.id, now)).toStrictEqual({
      ...{ ...invite, user, roles: ['access', 'auditor'], invitedBy: editor.user.name, createdAt: now },
    })
  },

  'users.openInvite finds one until the instant of its end, and none that is unknown or used': async (world) => {
    const invited = await newInvited(world)
    const { id, expiresAt } = invited.invite
    const { openInvite, accept } = world.ports.users
    expect(await openInvite(id, expiresAt - 1)).toBeDefined()
    expect(await openInvite(id, expiresAt)).toBeUndefined()
    for (const other of ['', 'nobody', id.slice(1)]) expect(await openInvite(other, now)).toBeUndefined()
    await accept(acceptingOf(invited))
    expect(await openInvite(id, now)).toBeUndefined()
  },

  'users.openInvite still names who invited when he was removed meanwhile': async (world) => {
    const [editor, other] = [await newEditor(world), await newEditor(world)]
    const invitation = invitingOf(editor)
    await world.ports.users.invite(invitation)
    await world.ports.users.remove(other.actor, editor.user, newEvent('user.remove'), here.rpIds)
    const open = await world.ports.users.openInvite(invitation.invite.id, now)
    expect(open?.invitedBy).toBe(editor.user.name)
  },

  'users.accept spends, uses the invite, adds the passkey, opens the session, writes one audit row, and nothing else':
    async (world) => {
      const invited = await newInvited(world)
      const accepting = acceptingOf(invited)
      const { credential, session, spend } = accepting
      const done = await changes(world.store, async () =>
        expect(await world.ports.users.accept(accepting)).toStrictEqual({ expiresAt: ends }),
      )
      expect(done).toEqual({
        [`+spent ${spend.id}`]: spend,
        [`~invites ${invited.invite.id}`]: { usedAt: now },
        [`+credentials ${credential.id}`]: { ...credential, vouch: null, ...unused },
        [`+sessions ${session.id}`]: expect.objectContaining({ userId: invited.user.id, credentialId: credential.id }),
        '+audit user.register done': expect.objectContaining({ userId: invited.user.id }),
      })
      expect(await world.ports.sessions.find(claimOf(session), now)).toEqual(invited.user)
    },

  'users.accept refuses an invite that is unknown, used, another’s or over, and a known passkey': async (world) => {
    const [invited, other] = [await newInvited(world), await newInvited(world)]
    const { credential } = await newPerson(world)
    const refused = (code: Parameters<typeof expectRefused>[1], more: object) =>
      expectRefused(world, code, () => world.ports.users.accept(acceptingOf(invited, more)))
    await refused('link_invalid', { invite: 'nobody' as InviteId })
    await refused('link_invalid', { invite: other.invite.id })
    await refused('link_invalid', registering(now + hours(1)))
    await refused('passkey_exists', { credential: newCredential(invited.user.id, { id: credential.id }) })
    const { fingerprint } = credential
    await refused('passkey_exists', { credential: newCredential(invited.user.id, { fingerprint }) })
    const spend = newSpend()
    await world.ports.users.accept(acceptingOf(other, { spend }))
    await refused('ticket_spent', { spend })
    await world.ports.users.accept(acceptingOf(invited, registering(now + hours(1) - 1)))
    await refused('link_invalid', {})
  },

  'an invite of somebody who was removed opens nothing, even when his name is given again': async (world) => {
    const invited = await newInvited(world, { user: newUser('Grace') })
    const { actor } = await newEditor(world)
    await world.ports.users.remove(actor, { name: 'Grace' }, newEvent('user.remove'), here.rpIds)
    const again = await newInvited(world, { user: newUser('grace') })
    expect(await world.ports.users.openInvite(invited.invite.id, now)).toBeUndefined()
    await expectRefused(world, 'link_invalid', () => world.ports.users.accept(acceptingOf(invited)))
    const forged = acceptingOf({ ...invited, user: again.user })
    await expectRefused(world, 'link_invalid', () => world.ports.users.accept(forged))
    await world.ports.users.accept(acceptingOf(again))
  },

  'users.list answers who is there by name, with roles, passkeys, lock and invite, and writes nothing': async (
    world,
  ) => {
    const editor = await newEditor(world)
    await newInvited(world, { user: newUser('Żaneta'), roles: ['auditor', 'access'] })
    await newInvited(world, { user: newUser('grace'), invite: newInvite({ expiresAt: now }) })
    const accepted = await newInvited(world, { user: newUser('Heidi'), roles: [] })
    await world.ports.users.accept(acceptingOf(accepted))
    await storeCredential(world, newCredential(accepted.user.id), { removedAt: now })
    await storeDocuments(world, lockOf('one', 'HEIDI'), lockOf('two', 'grace', { expires: '1999-01-01T00:00:00Z' }))
    await newInvited(world, { user: newUser('Gone') })
    await world.ports.users.remove(editor.actor, { name: 'Gone' }, newEvent('user.remove'), here.rpIds)
    const done = await changes(world.store, async () => {
      const named = (await world.ports.users.list(now)).filter(({ name }) => !name.startsWith('Ada'))
      const listed = {
        createdAt: now,
        passkeys: 0,
        lockedBy: undefined,
        link: undefined,
        hadLink: true,
        roles: ['access'],
      }
      expect(named).toStrictEqual([
        { ...listed, name: 'grace' },
        { ...listed, name: 'Heidi', roles: [], passkeys: 1, lockedBy: 'user:heidi' },
        {
          ...listed,
          name: 'Żaneta',
          roles: ['access', 'auditor'],
          link: { kind: 'invite', expiresAt: now + hours(1) },
        },
      ])
    })
    expect(done).toEqual({})
  },

  'users.remove removes with passkeys and roles, ends all that runs, writes one audit row, and nothing else': async (
    world,
  ) => {
    const [editor, gone] = [await newEditor(world), await newEditor(world)]
    const second = await storeCredential(world, newCredential(gone.user.id))
    await storeCredential(world, newCredential(gone.user.id), { removedAt: now - 9 })
    const event = newEvent('user.remove', { at: now + 1, userId: editor.user.id })
    const name = gone.user.name.toUpperCase()
    expect(
      await changes(world.store, () => world.ports.users.remove(editor.actor, { name }, event, here.rpIds)),
    ).toEqual({
      [`~users ${gone.user.id}`]: { removedAt: now + 1 },
      [`~credentials ${gone.credential.id}`]: { removedAt: now + 1 },
      [`~credentials ${second.id}`]: { removedAt: now + 1 },
      [`~sessions ${gone.session.id}`]: { endedAt: now + 1 },
      [`~clientSessions ${gone.program.id}`]: { endedAt: now + 1, endReason: 'user_removed', endedBy: 'request' },
      [`-userRoles ${gone.user.id}/editor`]: { userId: gone.user.id, role: 'editor' },
      '+audit user.remove done': expect.objectContaining({ userId: editor.user.id }),
    })
    expect(await world.ports.credentials.find(gone.credential.id)).toBeUndefined()
  },

  'users.remove refuses an unknown name, a removed one, the caller’s own, and a caller who may not': async (world) => {
    const [editor, gone] = [await newEditor(world), await newPerson(world)]
    const remove = (name: string, more = {}) =>
      world.ports.users.remove({ ...editor.actor, ...more }, { name }, newEvent('user.remove'), here.rpIds)
    await expectRefused(world, 'user_unknown', () => remove('nobody'))
    await expectRefused(world, 'own_account', () => remove(editor.user.name.toLowerCase()))
    await expectRefused(world, 'role_missing', () => remove(gone.user.name, { by: heldBy('auditor') }))
    await expectRefused(world, 'token_invalid', () => remove(gone.user.name, { userId: gone.user.id as UserId }))
    await remove(gone.user.name)
    await expectRefused(world, 'user_unknown', () => remove(gone.user.name))
  },

  'the name of somebody removed is free again, and what he left stays his': async (world) => {
    const [editor, gone] = [await newEditor(world), await newPerson(world)]
    await world.ports.users.remove(editor.actor, gone.user, newEvent('user.remove'), here.rpIds)
    const { user } = await newInvited(world, { user: newUser(gone.user.name) })
    expect(user.id).not.toBe(gone.user.id)
    const listed = (await world.ports.users.list(now)).filter(({ name }) => name === user.name)
    expect(listed).toMatchObject([{ passkeys: 0, link: { kind: 'invite' } }])
    expect(await world.ports.sessions.find(gone.claim, now)).toBeUndefined()
    expect(await openInvites(world)).toHaveLength(1)
  },
}
