/** administrator.state, offer and claim: the one-time link and the root credential. */
import { expect } from 'vitest'
import { administratorLink, users } from '../../../storage/schema.ts'
import { changes, expectRefused } from './changes.ts'
import {
  type Cases,
  claimingOf,
  claimOf,
  ends,
  newCredential,
  newEvent,
  newLink,
  newPerson,
  newSpend,
  newUser,
  now,
  storeCredential,
  unused,
  type World,
} from './world.ts'

const offered = newEvent('administrator.offer')

/** A world with its root. */
async function withRoot(world: World) {
  const link = newLink()
  await world.ports.administrator.offer(link, offered)
  const claim = claimingOf(link.hash)
  await world.ports.administrator.claim(claim)
  return claim
}

export const administrators: Cases = {
  'administrator.state of a new database: no administrator, no link': async ({ ports }) => {
    expect(await ports.administrator.state()).toStrictEqual({ exists: false, link: undefined })
  },

  'administrator.offer makes the link with one audit row, and a second offer replaces it': async ({ store, ports }) => {
    const [first, second] = [newLink(), newLink(now + 1)]
    const audited = expect.objectContaining({ kind: 'administrator.offer', userId: null })
    expect(await changes(store, () => ports.administrator.offer(first, offered))).toEqual({
      '+administratorLink 1': { slot: 1, name: null, ...first },
      '+audit administrator.offer done': audited,
    })
    expect(await changes(store, () => ports.administrator.offer(second, offered))).toEqual({
      '~administratorLink 1': second,
      '+audit administrator.offer done': audited,
    })
    expect(await ports.administrator.state()).toStrictEqual({ exists: false, link: { name: undefined, ...second } })
  },

  'administrator.offer over the network spends its id once': async (world) => {
    const [spend, link] = [newSpend(), newLink()]
    await world.ports.administrator.offer(link, offered, spend)
    await expectRefused(world, 'ticket_spent', () => world.ports.administrator.offer(newLink(), offered, spend))
    expect((await world.ports.administrator.state()).link).toEqual(link)
  },

  'administrator.offer refuses once there is an administrator, spent id or not': async (world) => {
    await withRoot(world)
    await expectRefused(world, 'administrator_exists', () => world.ports.administrator.offer(newLink(), offered))
    const overTheNetwork = () => world.ports.administrator.offer(newLink(), offered, newSpend())
    await expectRefused(world, 'administrator_exists', overTheNetwork)
  },

  'administrator.claim spends, closes the link, makes user, roles, root and session with one audit row, and nothing else':
    async (world) => {
      await newPerson(world)
      const link = newLink()
      await world.ports.administrator.offer(link, offered)
      const claim = claimingOf(link.hash, { user: newUser('Ada') })
      const { user, credential, session } = claim
      expect(await changes(world.store, () => world.ports.administrator.claim(claim))).toEqual({
        [`+spent ${claim.spend.id}`]: claim.spend,
        '-administratorLink 1': { slot: 1, name: null, ...link },
        [`+users ${user.id}`]: {
          ...user,
          nameKey: 'ada',
          traits: null,
          updatedBy: null,
          approvedBy: null,
          createdAt: now,
          removedAt: null,
        },
        [`+userRoles ${user.id}/access`]: { userId: user.id, role: 'access' },
        [`+userRoles ${user.id}/editor`]: { userId: user.id, role: 'editor' },
        [`+userRoles ${user.id}/auditor`]: { userId: user.id, role: 'auditor' },
        [`+credentials ${credential.id}`]: { ...credential, vouch: null, ...unused },
        [`+sessions ${session.id}`]: expect.objectContaining({
          userId: user.id,
          credentialId: credential.id,
          expiresAt: ends,
        }),
        '+audit administrator.register done': expect.objectContaining({ userId: user.id }),
      })
      expect(await world.ports.administrator.state()).toStrictEqual({ exists: true, link: undefined })
      expect(await world.ports.sessions.find(claimOf(session), now)).toEqual(user)
    },

  'administrator.claim refuses without a link, with another, a replaced and an expired one': async (world) => {
    const refused = (hash: string, more = {}) =>
      expectRefused(world, 'link_invalid', () => world.ports.administrator.claim(claimingOf(hash, more)))
    const [first, second] = [newLink(), newLink(now)]
    await refused(first.hash)
    await world.ports.administrator.offer(first, offered)
    await refused(newLink().hash)
    await refused('')
    await world.ports.administrator.offer(second, offered)
    await refused(first.hash)
    await refused(second.hash, { event: newEvent('administrator.register', { at: second.expiresAt }) })
  },

  'administrator.claim refuses the link of a cluster that has its root': async (world) => {
    await withRoot(world)
    const link = newLink()

    await world.store.db.insert(administratorLink).values({ slot: 1, name: null, ...link })
    await expectRefused(world, 'link_invalid', () => world.ports.administrator.claim(claimingOf(link.hash)))
  },

  'a root that was removed still counts: no link opens the cluster again': async (world) => {
    const user = newUser()

    await world.store.db.insert(users).values({ ...user, nameKey: user.name, createdAt: now })
    await storeCredential(world, newCredential(user.id, { isRoot: true }), { removedAt: now })
    expect((await world.ports.administrator.state()).exists).toBe(true)
    await expectRefused(world, 'administrator_exists', () => world.ports.administrator.offer(newLink(), offered))
  },

  'administrator.claim refuses a spent id, a known passkey and a taken name, and the link stays open': async (
    world,
  ) => {
    const { credential, user } = await newPerson(world)
    const [link, spend] = [newLink(), newSpend()]
    await world.ports.administrator.offer(link, offered, spend)
    const claim = (more = {}) => world.ports.administrator.claim(claimingOf(link.hash, more))
    await expectRefused(world, 'ticket_spent', () => claim({ spend }))
    for (const same of [{ id: credential.id }, { fingerprint: credential.fingerprint }]) {
      const eve = newUser()
      const known = newCredential(eve.id, { isRoot: true, ...same })
      await expectRefused(world, 'passkey_exists', () => claim({ user: eve, credential: known }))
    }
    await expectRefused(world, 'name_taken', () => claim({ user: newUser(user.name.toUpperCase()) }))
    await claim()
  },
}
