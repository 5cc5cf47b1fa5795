/** credentials.remove: one passkey goes, another of the same user tapped for it. */
import { expect } from 'vitest'
import type { CredentialId, Fingerprint } from '../../../core/model.ts'
import { changes, expectRefused } from './changes.ts'
import { staleClaims } from './reading.ts'
import {
  type Cases,
  claimOf,
  ends,
  loginOf,
  newCredential,
  newPerson,
  now,
  removingOf,
  storeCredential,
  storeSession,
  tapOf,
  type World,
} from './world.ts'

/** A person with a second passkey that has a session of its own. */
async function withTwo(world: World) {
  const person = await newPerson(world)
  const second = await storeCredential(world, newCredential(person.user.id))
  return { person, second, ofSecond: await storeSession(world, second) }
}

export const removing: Cases = {
  'credentials.remove removes, ends its sessions, exchanges the claimed one, writes one audit row, and nothing else':
    async (world) => {
      const bystander = await newPerson(world)
      const { person, second, ofSecond } = await withTwo(world)
      const removal = removingOf(person, second, { tapped: tapOf(person.credential, { counter: 2 }) })
      const done = await changes(world.store, async () =>
        expect(await world.ports.credentials.remove(removal)).toStrictEqual({ expiresAt: ends }),
      )
      expect(done).toEqual({
        [`+spent ${removal.spend.id}`]: removal.spend,
        [`~credentials ${person.credential.id}`]: { counter: 2, lastUsedAt: now },
        [`~credentials ${second.id}`]: { removedAt: now },
        [`~sessions ${ofSecond.id}`]: { endedAt: now },
        [`~sessions ${person.session.id}`]: { endedAt: now },
        [`+sessions ${removal.session.id}`]: expect.objectContaining({
          credentialId: person.credential.id,
          expiresAt: ends,
        }),
        '+audit passkey.remove done': expect.objectContaining({ userId: person.user.id, credentialId: second.id }),
      })
      expect(await world.ports.sessions.find(claimOf(removal.session), now)).toEqual(person.user)
      expect(await world.ports.sessions.find(bystander.claim, now)).toEqual(bystander.user)
    },

  'credentials.remove works in a session of the very passkey that goes': async (world) => {
    const { person, second, ofSecond } = await withTwo(world)
    const removal = removingOf(person, second, { claim: claimOf(ofSecond) })
    await world.ports.credentials.remove(removal)
    expect(await world.ports.sessions.find(claimOf(removal.session), now)).toEqual(person.user)
    expect(await world.ports.sessions.find(claimOf(ofSecond), now)).toBeUndefined()
    expect(await world.ports.sessions.find(person.claim, now)).toEqual(person.user)
  },

  'credentials.remove leaves earlier ends of sessions as they were': async (world) => {
    const { person, second } = await withTwo(world)
    const ended = await storeSession(world, second, { endedAt: now - 5000 })
    const done = await changes(world.store, () => world.ports.credentials.remove(removingOf(person, second)))
    expect(done).not.toHaveProperty(`~sessions ${ended.id}`)
  },

  'credentials.remove refuses the last passkey': async (world) => {
    const person = await newPerson(world)
    await storeCredential(world, newCredential(person.user.id), { removedAt: now })
    const removal = removingOf(person, person.credential)
    await expectRefused(world, 'last_passkey', () => world.ports.credentials.remove(removal))
  },

  'credentials.remove refuses a passkey that is unknown, removed, of another user or of another revision': async (
    world,
  ) => {
    const { person, second } = await withTwo(world)
    const other = await newPerson(world)
    const removed = await storeCredential(world, newCredential(person.user.id), { removedAt: now - 1 })
    const wrong = [
      removingOf(person, other.credential),
      removingOf(person, removed),
      removingOf(person, newCredential(person.user.id, { id: 'nobody' as CredentialId })),
      removingOf(person, second, { revision: person.credential.fingerprint }),
    ]
    for (const removal of wrong) {
      await expectRefused(world, 'not_found', () => world.ports.credentials.remove(removal))
    }
  },

  'credentials.remove refuses a stale session, and the session of somebody else': async (world) => {
    const { person, second } = await withTwo(world)
    const other = await newPerson(world)
    const stale = { ...(await staleClaims(world, person)), 'of another user': other.claim }
    for (const claim of Object.values(stale)) {
      const removal = removingOf(person, second, { claim })
      await expectRefused(world, 'session_missing', () => world.ports.credentials.remove(removal))
    }
  },

  'credentials.remove refuses a spent id, a changed tapping credential and a counter that is not ahead': async (
    world,
  ) => {
    const { person, second } = await withTwo(world)
    const third = await storeCredential(world, newCredential(person.user.id, { counter: 5 }))
    const login = loginOf(person.credential)
    await world.ports.sessions.open(login)
    const removedOne = await storeCredential(world, newCredential(person.user.id), { removedAt: now })
    const cases = {
      ticket_spent: removingOf(person, second, { spend: login.spend }),
      credential_changed: removingOf(person, second, { tapped: tapOf(removedOne) }),
      counter_regressed: removingOf(person, second, { tapped: tapOf(third) }),
    } as const
    for (const [code, removal] of Object.entries(cases)) {
      await expectRefused(world, code as keyof typeof cases, () => world.ports.credentials.remove(removal))
    }
  },

  'credentials.remove of a passkey that may vouch wants the tap of one that may too': async (world) => {
    const person = await newPerson(world, { mayVouch: false })
    const vouching = await storeCredential(world, newCredential(person.user.id))
    const another = await storeCredential(world, newCredential(person.user.id))
    const byLesser = removingOf(person, vouching)
    await expectRefused(world, 'not_found', () => world.ports.credentials.remove(byLesser))
    await world.ports.credentials.remove({ ...byLesser, tapped: tapOf(another) })
  },

  'credentials.remove of a passkey that may not vouch takes the tap of any': async (world) => {
    const person = await newPerson(world, { mayVouch: false })
    const plain = [
      await storeCredential(world, newCredential(person.user.id, { mayVouch: false })),
      await storeCredential(world, newCredential(person.user.id, { mayVouch: false })),
    ] as const
    const vouching = await storeCredential(world, newCredential(person.user.id))
    const first = removingOf(person, plain[0])
    await world.ports.credentials.remove(first)
    const second = removingOf(person, plain[1], { tapped: tapOf(vouching), claim: claimOf(first.session) })
    await world.ports.credentials.remove(second)
  },

  'a removed passkey opens nothing, taps for nothing, and cannot be removed again': async (world) => {
    const { person, second } = await withTwo(world)
    const removal = removingOf(person, second)
    await world.ports.credentials.remove(removal)
    await expectRefused(world, 'credential_changed', () => world.ports.sessions.open(loginOf(second)))
    const again = { ...removingOf(person, second), claim: claimOf(removal.session) }
    await expectRefused(world, 'not_found', () => world.ports.credentials.remove(again))
    const wrongKey = { ...again, revision: 'another' as Fingerprint }
    await expectRefused(world, 'not_found', () => world.ports.credentials.remove(wrongKey))
  },
}
