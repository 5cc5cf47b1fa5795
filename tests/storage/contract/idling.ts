/** A browser session ends when no request of it came for an hour; what counts as one, and how often that is written. */
import { expect } from 'vitest'
import { hours, type Instant, minutes } from '../../../core/model.ts'
import { changes, expectRefused } from './changes.ts'
import { addingOf, type Cases, newEvent, newPerson, now, type Person, storeSession, type World } from './world.ts'

const idle = hours(1)

const reads = {
  account: ({ ports }: World, { claim }: Person, at: Instant) => ports.sessions.account(claim, at),
  findWithPasskeys: ({ ports }: World, { claim }: Person, at: Instant) => ports.sessions.findWithPasskeys(claim, at),
  findWithRoles: ({ ports }: World, { claim }: Person, at: Instant) => ports.sessions.findWithRoles(claim, at),
}

export const idling: Cases = {
  'a session that nobody used for an hour is none, for whatever asks': async (world) => {
    const person = await newPerson(world)
    const { sessions, credentials } = world.ports
    const at = now + idle
    expect(await sessions.find(person.claim, at - 1)).toEqual(person.user)
    expect(await sessions.find(person.claim, at)).toBeUndefined()
    expect(await world.ports.factors.find(person.claim, at)).toBeUndefined()
    expect(await world.ports.deviceCodes.look(person.claim, 'BCDF-GHJK', at)).toBeUndefined()
    for (const read of Object.values(reads)) expect(await read(world, person, at)).toBeUndefined()
    const event = newEvent('passkey.add', { at, userId: person.user.id })
    await expectRefused(world, 'session_missing', () => credentials.add(addingOf(person, { event })))
    const end = () => sessions.end(person.claim, person.claim.id, newEvent('session.end', { at }))
    await expectRefused(world, 'session_missing', end)
  },

  'a request moves the last one on, and so the end': async (world) => {
    for (const [verb, read] of Object.entries(reads)) {
      const person = await newPerson(world)
      const at = now + idle - 1
      expect(await changes(world.store, () => read(world, person, at)), verb).toEqual({
        [`~sessions ${person.claim.id}`]: { lastSeenAt: at },
      })
      expect(await world.ports.sessions.find(person.claim, at + idle - 1), verb).toEqual(person.user)
    }
  },

  'requests within a minute write nothing': async (world) => {
    for (const [verb, read] of Object.entries(reads)) {
      const person = await newPerson(world)
      expect(await changes(world.store, () => read(world, person, now + minutes(1) - 1)), verb).toEqual({})
      expect(await changes(world.store, () => read(world, person, now + minutes(1))), verb).not.toEqual({})
    }
  },

  'nobody wakes a session with the id alone, nor one that has ended': async (world) => {
    const person = await newPerson(world)
    const wrong = { ...person.claim, secretHash: new Uint8Array(32) }
    const ended = await storeSession(world, person.credential, { endedAt: now })
    for (const claim of [wrong, { id: ended.id, secretHash: ended.secretHash }]) {
      const done = () => world.ports.sessions.account(claim, now + minutes(5))
      expect(await changes(world.store, done)).toEqual({})
    }
  },

  'an idle session is listed nowhere, and cannot be ended from another one': async (world) => {
    const person = await newPerson(world)
    const at = now + idle
    const busy = await storeSession(world, person.credential, { lastSeenAt: at - 1 })
    const claim = { id: busy.id, secretHash: busy.secretHash }
    expect((await world.ports.sessions.account(claim, at))?.sessions.map(({ id }) => id)).toEqual([busy.id])
    expect((await world.ports.logins.list({}, at)).map(({ id }) => id)).toEqual([busy.id])
    const end = () => world.ports.sessions.end(claim, person.claim.id, newEvent('session.end', { at }))
    await expectRefused(world, 'not_found', end)
  },
}
