/** credentials.add: one more passkey, approved by a tap of another, in a session that is exchanged. */
import { expect } from 'vitest'
import type { Fingerprint, Instant } from '../../../core/model.ts'
import { changes, expectRefused } from './changes.ts'
import { staleClaims } from './reading.ts'
import {
  addingOf,
  type Cases,
  claimOf,
  ends,
  from,
  newCredential,
  newPerson,
  newSession,
  newSpend,
  now,
  storeCredential,
  storeSession,
  tapOf,
  unused,
} from './world.ts'

export const adding: Cases = {
  'credentials.add adds, moves the counter, exchanges the session, writes one audit row, and nothing else': async (
    world,
  ) => {
    await newPerson(world)
    const person = await newPerson(world)
    await storeSession(world, person.credential)
    const add = addingOf(person, { tapped: tapOf(person.credential, { counter: 9, backedUp: true }) })
    const { credential, session } = add
    const done = await changes(world.store, async () =>
      expect(await world.ports.credentials.add(add)).toStrictEqual({ expiresAt: ends }),
    )
    const { id, secretHash, openedAt } = session
    const owned = { userId: person.user.id, via: 'passkey', credentialId: person.credential.id }
    expect(done).toEqual({
      [`+spent ${add.spend.id}`]: add.spend,
      [`~credentials ${person.credential.id}`]: { counter: 9, backedUp: true, lastUsedAt: now },
      [`+credentials ${credential.id}`]: { ...credential, vouch: null, ...unused },
      [`~sessions ${person.session.id}`]: { endedAt: now },
      [`+sessions ${id}`]: {
        id,
        secretHash,
        openedAt,
        ...owned,
        lastSeenAt: now,
        expiresAt: ends,
        endedAt: null,
        ...from,
      },
      '+audit passkey.add done': expect.objectContaining({ userId: person.user.id }),
    })
    expect(await world.ports.sessions.find(claimOf(session), now)).toEqual(person.user)
    expect(await world.ports.sessions.find(person.claim, now)).toBeUndefined()
  },

  'credentials.add lets the new session end when the old one would have': async (world) => {
    const person = await newPerson(world)
    const soon: Instant = now + 60_000
    const old = await storeSession(world, person.credential, { expiresAt: soon })
    const add = addingOf(person, { claim: claimOf(old) })
    expect(await world.ports.credentials.add(add)).toEqual({ expiresAt: soon })
    expect(await world.ports.sessions.find(claimOf(add.session), soon)).toBeUndefined()
  },

  'credentials.add takes the tap of one passkey in a session of another': async (world) => {
    const person = await newPerson(world)
    const tapping = await storeCredential(world, newCredential(person.user.id, { counter: 3 }))
    const add = addingOf(person, { tapped: tapOf(tapping, { counter: 4 }) })
    const done = await changes(world.store, () => world.ports.credentials.add(add))
    expect(done[`+sessions ${add.session.id}`]).toMatchObject({ credentialId: tapping.id })
    expect(done).not.toHaveProperty(`~credentials ${person.credential.id}`)
  },

  'credentials.add refuses a spent id, and leaves the id of another refusal free': async (world) => {
    const person = await newPerson(world, { counter: 5 })
    const add = addingOf(person)
    await expectRefused(world, 'counter_regressed', () => world.ports.credentials.add(add))
    await world.ports.credentials.add({ ...add, tapped: tapOf(person.credential, { counter: 6 }) })
    const again = { ...addingOf(person), spend: add.spend, claim: claimOf(add.session) }
    await expectRefused(world, 'ticket_spent', () => world.ports.credentials.add(again))
  },

  'credentials.add refuses a stale session, and the session of somebody else': async (world) => {
    const [person, other] = [await newPerson(world), await newPerson(world)]
    const stale = { ...(await staleClaims(world, person)), 'of another user': other.claim }
    for (const claim of Object.values(stale)) {
      await expectRefused(world, 'session_missing', () => world.ports.credentials.add(addingOf(person, { claim })))
    }
  },

  'credentials.add refuses a tapping credential that has changed': async (world) => {
    const [person, other] = [await newPerson(world), await newPerson(world)]
    const removed = await storeCredential(world, newCredential(person.user.id), { removedAt: now })
    const wrong = [
      tapOf(removed),
      tapOf(other.credential, { userId: person.user.id }),
      tapOf(person.credential, { fingerprint: 'another' as Fingerprint }),
    ]
    for (const tapped of wrong) {
      await expectRefused(world, 'credential_changed', () => world.ports.credentials.add(addingOf(person, { tapped })))
    }
  },

  'credentials.add wants a tap that may vouch where it says so, and takes any elsewhere': async (world) => {
    const person = await newPerson(world, { mayVouch: false })
    const vouching = await storeCredential(world, newCredential(person.user.id))
    const strict = addingOf(person, { needsMayVouch: true })
    await expectRefused(world, 'credential_changed', () => world.ports.credentials.add(strict))
    await world.ports.credentials.add({ ...strict, tapped: tapOf(vouching) })
    const lax = { ...addingOf(person), claim: claimOf(strict.session) }
    await world.ports.credentials.add(lax)
  },

  'credentials.add refuses an id or a key that is known, removed ones and those of others too': async (world) => {
    const [person, other] = [await newPerson(world), await newPerson(world)]
    const removed = await storeCredential(world, newCredential(person.user.id), { removedAt: now })
    for (const { id, fingerprint } of [person.credential, other.credential, removed]) {
      for (const same of [{ id }, { fingerprint }]) {
        const add = addingOf(person, { credential: newCredential(person.user.id, same) })
        await expectRefused(world, 'passkey_exists', () => world.ports.credentials.add(add))
      }
    }
  },

  'credentials.add refuses a name that a live passkey of the user has, and no other': async (world) => {
    const [person, other] = [await newPerson(world), await newPerson(world)]
    const removed = await storeCredential(world, newCredential(person.user.id), { removedAt: now })
    const named = ({ name }: { name: string }) => newCredential(person.user.id, { name })
    const taken = addingOf(person, { credential: named(person.credential) })
    await expectRefused(world, 'name_taken', () => world.ports.credentials.add(taken))
    const first = addingOf(person, { credential: named(removed) })
    await world.ports.credentials.add(first)
    const second = { ...addingOf(person, { credential: named(other.credential) }), claim: claimOf(first.session) }
    await world.ports.credentials.add(second)
  },

  'credentials.add refuses the session that it has just exchanged': async (world) => {
    const person = await newPerson(world)
    await world.ports.credentials.add(addingOf(person))
    const again = addingOf(person, { spend: newSpend(), session: newSession() })
    await expectRefused(world, 'session_missing', () => world.ports.credentials.add(again))
  },
}
