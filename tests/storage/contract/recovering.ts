/** administrator.offer of a recovery, and administrator.recover: who is there, or new, gets a root passkey; what was before is gone. */
import { expect } from 'vitest'
import { hours } from '../../../core/model.ts'
import type { Ports } from '../../../core/ports.ts'
import { changes, expectRefused, race } from './changes.ts'
import { acceptingOf, giveRoles, lockOf, lockOn, newEditor, newInvited, storeDocuments } from './editors.ts'
import { resettingOf } from './resetting.ts'
import {
  type Cases,
  claimOf,
  ends,
  newCredential,
  newEvent,
  newLink,
  newPerson,
  newSession,
  newSpend,
  newUser,
  now,
  type Person,
  unique,
  unused,
  type World,
} from './world.ts'

type Recovering = Parameters<Ports['administrator']['recover']>[0]

const offering = newEvent('recovery.offer')
export const linkFor = (name: string, expiresAt = now + hours(1)) => ({ hash: unique(32), name, expiresAt })

export function recoveringOf(link: string, more: Partial<Recovering> = {}): Recovering {
  const user = more.user ?? newUser('Grace')
  const credential = newCredential(user.id, { isRoot: true })
  const event = newEvent('recovery.register', { userId: user.id, credentialId: credential.id })
  const made = { credential, session: newSession(), expiresAt: ends, event }
  return { spend: newSpend(), link, preference: undefined, user, isNew: true, ...made, ...more }
}

/** A cluster with its root, and an open link for somebody. */
async function offered(world: World, name = 'Grace') {
  const root = await newEditor(world, { isRoot: true })
  const link = linkFor(name)
  await world.ports.administrator.offer(link, offering)
  return { root, link }
}

const lost = ({ user }: Pick<Person, 'user'>) => ({ user, isNew: false })

export const recovering: Cases = {
  'administrator.offer of a recovery makes the one link with one audit row, and a second replaces it': async (
    world,
  ) => {
    const { link } = await offered(world)
    const second = linkFor('Heidi', now + hours(2))
    expect(await changes(world.store, () => world.ports.administrator.offer(second, offering))).toEqual({
      '~administratorLink 1': second,
      '+audit recovery.offer done': expect.objectContaining({ userId: null }),
    })
    expect(await world.ports.administrator.state()).toStrictEqual({ exists: true, link: second })
    await expectRefused(world, 'link_invalid', () => world.ports.administrator.recover(recoveringOf(link.hash)))
  },

  'administrator.offer of a recovery is refused while there is no root, and for a name that a lock in force names':
    async (world) => {
      const { offer } = world.ports.administrator
      await expectRefused(world, 'administrator_missing', () => offer(linkFor('Grace'), offering))
      await newPerson(world, { isRoot: true })
      await storeDocuments(world, lockOf('one', 'GRACE'), lockOf('two', 'Heidi', { expires: '1999-01-01T00:00:00Z' }))
      await expectRefused(world, 'user_locked', () => offer(linkFor('grace'), offering))
      await offer(linkFor('Heidi'), offering)
      const spend = newSpend()
      await offer(linkFor('Heidi'), offering, spend)
      await expectRefused(world, 'ticket_spent', () => offer(linkFor('Heidi'), offering, spend))
    },

  'administrator.recover of somebody new makes user, roles, root and session with one audit row, and nothing else':
    async (world) => {
      const { link } = await offered(world)
      const recovery = recoveringOf(link.hash)
      const { user, credential, session, spend } = recovery
      const done = await changes(world.store, async () =>
        expect(await world.ports.administrator.recover(recovery)).toStrictEqual({ expiresAt: ends }),
      )
      expect(done).toEqual({
        [`+spent ${spend.id}`]: spend,
        '-administratorLink 1': { slot: 1, ...link },
        [`+users ${user.id}`]: {
          ...user,
          nameKey: 'grace',
          traits: null,
          updatedBy: null,
          approvedBy: null,
          createdAt: now,
          removedAt: null,
        },
        ...rolesOf(user.id, 'access', 'auditor', 'editor'),
        [`+credentials ${credential.id}`]: { ...credential, vouch: null, ...unused },
        [`+sessions ${session.id}`]: expect.objectContaining({ userId: user.id, credentialId: credential.id }),
        '+audit recovery.register done': expect.objectContaining({ userId: user.id }),
      })
      expect(await world.ports.sessions.find(claimOf(session), now)).toEqual(user)
    },

  'administrator.recover of somebody who is there removes what he had, keeps his roles and adds what is missing':
    async (world) => {
      const gone = await newEditor(world, { isRoot: true })
      await giveRoles(world, gone, 'dev')
      const link = linkFor(gone.user.name)
      await world.ports.administrator.offer(link, offering)
      const recovery = recoveringOf(link.hash, lost(gone))
      const { credential, session, spend } = recovery
      expect(await changes(world.store, () => world.ports.administrator.recover(recovery))).toEqual({
        [`+spent ${spend.id}`]: spend,
        '-administratorLink 1': { slot: 1, ...link },
        ...rolesOf(gone.user.id, 'access', 'auditor'),
        [`~credentials ${gone.credential.id}`]: { removedAt: now },
        [`+credentials ${credential.id}`]: expect.objectContaining({ isRoot: true, mayVouch: true }),
        [`~sessions ${gone.session.id}`]: { endedAt: now },
        [`+sessions ${session.id}`]: expect.objectContaining({ userId: gone.user.id }),
        [`~clientSessions ${gone.program.id}`]: { endedAt: now, endReason: 'user_reset', endedBy: 'request' },
        '+audit recovery.register done': expect.objectContaining({ userId: gone.user.id }),
      })
    },

  'administrator.recover refuses another link, one that is over, another preference, and a user who changed meanwhile':
    async (world) => {
      const { root, link } = await offered(world)
      const refused = (code: Parameters<typeof expectRefused>[1], hash: string, more: Partial<Recovering> = {}) =>
        expectRefused(world, code, () => world.ports.administrator.recover(recoveringOf(hash, more)))
      await refused('link_invalid', newLink().hash)
      await refused('link_invalid', link.hash, { event: newEvent('recovery.register', { at: now + hours(1) }) })
      await refused('wrong_user', link.hash, { isNew: false })
      await refused('wrong_user', link.hash, { user: { ...root.user, name: 'Grace' }, isNew: false })
      await refused('preference_changed', link.hash, { preference: 'another' })
      await refused('name_taken', link.hash, { user: newUser(root.user.name) })
      await refused('passkey_exists', link.hash, {
        credential: newCredential(root.user.id, { id: root.credential.id }),
      })
      await storeDocuments(world, lockOf('one', 'GRACE'))
      await refused('user_locked', link.hash)
    },

  'administrator.recover gives no preset role that is locked: else the operator could let nobody in': async (world) => {
    const { link } = await offered(world)
    await storeDocuments(world, lockOn('one', { role: 'access' }))
    const recovery = recoveringOf(link.hash)
    const done = await changes(world.store, () => world.ports.administrator.recover(recovery))
    const given = Object.keys(done).filter((key) => key.startsWith('+userRoles'))
    expect(given.sort()).toEqual(Object.keys(rolesOf(recovery.user.id, 'auditor', 'editor')))
    expect(await world.ports.sessions.find(claimOf(recovery.session), now)).toEqual(recovery.user)
  },

  'administrator.offer and recover refuse who holds a role that is locked': async (world) => {
    await newPerson(world, { isRoot: true })
    const holder = await newPerson(world)
    await giveRoles(world, holder, 'dev')
    const link = linkFor(holder.user.name)
    await world.ports.administrator.offer(link, offering)
    await storeDocuments(world, lockOn('one', { role: 'dev' }))
    const { offer, recover } = world.ports.administrator
    await expectRefused(world, 'user_locked', () => offer(linkFor(holder.user.name), offering))
    const again = recoveringOf(link.hash, {
      user: holder.user,
      isNew: false,
      credential: newCredential(holder.user.id),
    })
    await expectRefused(world, 'user_locked', () => recover(again))
  },

  'a first administrator’s link recovers nobody, and a recovery’s makes no first administrator': async (world) => {
    const first = newLink()
    await world.ports.administrator.offer(first, newEvent('administrator.offer'))
    await newPerson(world, { isRoot: true })
    await expectRefused(world, 'link_invalid', () => world.ports.administrator.recover(recoveringOf(first.hash)))
  },

  'administrator.recover of one link by 50: one root': async (world) => {
    const { link } = await offered(world)
    const outcome = await race(50, () => world.ports.administrator.recover(recoveringOf(link.hash)))
    expect(outcome).toEqual({ done: 1, link_invalid: 49 })
    expect(await world.ports.credentials.roots()).toHaveLength(2)
  },

  'administrator.recover racing resets of the same user: whatever comes last holds, and a passkey that may vouch stays':
    async (world) => {
      const gone = await newPerson(world)
      const { root, link } = await offered(world, gone.user.name)
      const resets = Array.from({ length: 50 }, () => resettingOf(root, gone))
      const recovery = recoveringOf(link.hash, lost(gone))
      const outcome = await race(50, (way) =>
        way === 25 ? world.ports.administrator.recover(recovery) : world.ports.users.reset(resets[way]!),
      )
      expect(outcome).toEqual({ done: 50 })
      const open = (await world.ports.users.list(now)).filter(({ link: one }) => one)
      const passkeys = (await world.ports.users.find(gone.user.name))?.passkeys ?? 0
      expect(open.length + passkeys).toBe(1)
    },

  'administrator.recover kills the links that are open for the user': async (world) => {
    const invited = await newInvited(world, { user: newUser('Grace') })
    const { link } = await offered(world)
    await world.ports.administrator.recover(recoveringOf(link.hash, lost(invited)))
    await expectRefused(world, 'link_invalid', () => world.ports.users.accept(acceptingOf(invited)))
  },
}

const rolesOf = (userId: string, ...roles: readonly string[]) =>
  Object.fromEntries(roles.map((role) => [`+userRoles ${userId}/${role}`, { userId, role }]))
