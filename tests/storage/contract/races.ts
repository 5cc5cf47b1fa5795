/** Every once-only fact, raced 50 ways: one winner, and all others hear why. */
import { expect } from 'vitest'
import { claimCluster } from '../../../storage/cluster.ts'
import { audit, credentials, sessions, users } from '../../../storage/schema.ts'
import { changes, race } from './changes.ts'
import {
  addingOf,
  type Cases,
  claimingOf,
  claimOf,
  loginOf,
  newCredential,
  newEvent,
  newLink,
  newPerson,
  newSpend,
  now,
  removingOf,
  storeCredential,
  storeSession,
  tapOf,
} from './world.ts'

const offered = newEvent('administrator.offer')

export const races: Cases = {
  'sessions.open, 50 answers to one intent: one session': async (world) => {
    const { credential } = await newPerson(world)
    const spend = newSpend()
    const outcome = await race(50, () => world.ports.sessions.open(loginOf(credential, { spend })))
    expect(outcome).toEqual({ done: 1, ticket_spent: 49 })
    expect(await world.store.db.$count(sessions)).toBe(2)
    expect(await world.store.db.$count(audit)).toBe(1)
  },

  'sessions.open, 50 intents that repeat one counter (clones): one session': async (world) => {
    const { credential } = await newPerson(world)
    const tapped = tapOf(credential, { counter: 7 })
    const outcome = await race(50, () => world.ports.sessions.open(loginOf(credential, { tapped })))
    expect(outcome).toEqual({ done: 1, counter_regressed: 49 })
    expect(await world.store.db.$count(sessions)).toBe(2)
  },

  'sessions.open, 50 logins of an authenticator that counts nothing: 50 sessions': async (world) => {
    const { credential } = await newPerson(world)
    expect(await race(50, () => world.ports.sessions.open(loginOf(credential)))).toEqual({ done: 50 })
    expect(await world.store.db.$count(audit)).toBe(50)
  },

  'administrator.claim, one link and 50 claimants: one root': async (world) => {
    const link = newLink()
    await world.ports.administrator.offer(link, offered)
    const outcome = await race(50, () => world.ports.administrator.claim(claimingOf(link.hash)))
    expect(outcome).toEqual({ done: 1, link_invalid: 49 })
    expect(await world.store.db.$count(users)).toBe(1)
    expect(await world.store.db.$count(credentials)).toBe(1)
  },

  'administrator.claim, one link and one intent, 50 answers: one root': async (world) => {
    const [link, spend] = [newLink(), newSpend()]
    await world.ports.administrator.offer(link, offered)
    const outcome = await race(50, () => world.ports.administrator.claim(claimingOf(link.hash, { spend })))
    expect(outcome).toEqual({ done: 1, ticket_spent: 49 })
  },

  'administrator.offer racing claim, the same link: no link opens after the root exists': async (world) => {
    const link = newLink()
    await world.ports.administrator.offer(link, offered)
    const { offer, claim } = world.ports.administrator
    const outcome = await race(50, (way) => (way % 2 ? claim(claimingOf(link.hash)) : offer(link, offered)))
    expect(await world.ports.administrator.state()).toEqual({ exists: true, link: undefined })
    expect(outcome['link_invalid']).toBe(24)
    const kinds = await world.store.db.select({ kind: audit.kind }).from(audit).orderBy(audit.seq)
    expect(kinds.at(-1)?.kind).toBe('administrator.register')
    expect(kinds.filter(({ kind }) => kind === 'administrator.register')).toHaveLength(1)
  },

  'administrator.offer racing claim, 50 links: one root, and no link is left': async (world) => {
    const { offer, claim } = world.ports.administrator
    const outcome = await race(50, async () => {
      const link = newLink()
      await offer(link, offered)
      await claim(claimingOf(link.hash))
    })
    expect(outcome['done']).toBe(1)
    expect(await world.ports.administrator.state()).toEqual({ exists: true, link: undefined })
    expect(await world.store.db.$count(users)).toBe(1)
  },

  'credentials.add, 50 answers to one intent: one passkey': async (world) => {
    const person = await newPerson(world)
    const spend = newSpend()
    const outcome = await race(50, () => world.ports.credentials.add(addingOf(person, { spend })))
    expect(outcome).toEqual({ done: 1, ticket_spent: 49 })
    expect(await world.store.db.$count(credentials)).toBe(2)
  },

  'credentials.add, 50 intents in one session: it is exchanged once': async (world) => {
    const person = await newPerson(world)
    const outcome = await race(50, () => world.ports.credentials.add(addingOf(person)))
    expect(outcome).toEqual({ done: 1, session_missing: 49 })
    expect(await world.store.db.$count(sessions)).toBe(2)
  },

  'credentials.add, one new passkey or one name in 50 sessions: one is added': async (world) => {
    const person = await newPerson(world)
    const added = newCredential(person.user.id)
    const claims = await Promise.all(Array.from({ length: 50 }, () => storeSession(world, person.credential)))
    const outcome = await race(50, (way) => {
      const same = way % 2 ? { id: added.id } : { name: added.name }
      const credential = newCredential(person.user.id, same)
      return world.ports.credentials.add(addingOf(person, { credential, claim: claimOf(claims[way]!) }))
    })
    expect(outcome).toEqual({ done: 2, passkey_exists: 24, name_taken: 24 })
  },

  'credentials.remove of one passkey by 50: removed once': async (world) => {
    const person = await newPerson(world)
    const leaving = await storeCredential(world, newCredential(person.user.id))
    const claims = await Promise.all(Array.from({ length: 50 }, () => storeSession(world, person.credential)))
    const outcome = await race(50, (way) =>
      world.ports.credentials.remove(removingOf(person, leaving, { claim: claimOf(claims[way]!) })),
    )
    expect(outcome).toEqual({ done: 1, not_found: 49 })
    expect(await world.store.db.$count(audit)).toBe(1)
  },

  'credentials.remove, two passkeys removing each other, 25 each way: never the last': async (world) => {
    const person = await newPerson(world)
    const keys = [person.credential, await storeCredential(world, newCredential(person.user.id))] as const
    const claims = await Promise.all(
      Array.from({ length: 50 }, (_, way) => storeSession(world, keys[way % 2 === 0 ? 0 : 1])),
    )
    const outcome = await race(50, (way) => {
      const [tapping, leaving] = way % 2 === 0 ? keys : [keys[1], keys[0]]
      const tapped = tapOf(tapping)
      return world.ports.credentials.remove(removingOf(person, leaving, { tapped, claim: claimOf(claims[way]!) }))
    })
    expect(outcome).toEqual({ done: 1, not_found: 24, credential_changed: 25 })
    const live = await Promise.all(keys.map(({ id }) => world.ports.credentials.find(id)))
    expect(live.filter((found) => found !== undefined)).toHaveLength(1)
  },

  'credentials.remove racing a login of the passkey that goes: no session of it is left': async (world) => {
    const person = await newPerson(world)
    const leaving = await storeCredential(world, newCredential(person.user.id))
    const logins = Array.from({ length: 50 }, () => loginOf(leaving))
    await race(50, (way) =>
      way === 25
        ? world.ports.credentials.remove(removingOf(person, leaving))
        : world.ports.sessions.open(logins[way]!),
    )
    for (const { session } of logins) expect(await world.ports.sessions.find(claimOf(session), now)).toBeUndefined()
  },

  'sessions.end of one session by 50: one ends it': async (world) => {
    const { claim, credential } = await newPerson(world)
    const target = await storeSession(world, credential)
    const event = newEvent('session.end', { sessionId: target.id })
    const outcome = await race(50, () => world.ports.sessions.end(claim, target.id, event))
    expect(outcome).toEqual({ done: 1, not_found: 49 })
  },

  'sessions.end of the claimed session by 50: one ends it, the others have none': async (world) => {
    const { claim } = await newPerson(world)
    const outcome = await race(50, () => world.ports.sessions.end(claim, claim.id, newEvent('logout')))
    expect(outcome).toEqual({ done: 1, session_missing: 49 })
  },

  'claimCluster by 50 with two keys: one owner, and all are told the same': async ({ store }) => {
    const told: string[][] = [[], []]
    const done = await changes(store, () =>
      race(50, async (way) => {
        told[way % 2]!.push(await claimCluster(store, { name: 'test', keyCheck: `key ${way % 2}` }, now))
      }),
    )
    expect(Object.keys(done)).toEqual(['+cluster 1'])
    const owner = Number((done['+cluster 1'] as { keyCheck: string }).keyCheck.slice(4))
    expect(new Set(told[owner])).toEqual(new Set(['ours']))
    expect(new Set(told[1 - owner])).toEqual(new Set(['another key']))
    expect(told.map((each) => each.length)).toEqual([25, 25])
  },
}
