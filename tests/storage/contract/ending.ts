/** sessions.end: logging out, and ending another of one's own sessions. */
import { expect } from 'vitest'
import type { SessionId } from '../../../core/model.ts'
import type { SessionClaim } from '../../../core/ports.ts'
import { changes, expectRefused } from './changes.ts'
import { staleClaims } from './reading.ts'
import { type Cases, newEvent, newPerson, now, storeSession, type World } from './world.ts'

const end = ({ ports }: World, claim: SessionClaim, id: SessionId) =>
  ports.sessions.end(claim, id, newEvent('session.end', { sessionId: id }))

export const ending: Cases = {
  'sessions.end ends the claimed session, names its user in one audit row, and does nothing else': async (world) => {
    await newPerson(world)
    const { claim, user, credential } = await newPerson(world)
    await storeSession(world, credential)
    const done = await changes(world.store, async () => expect(await end(world, claim, claim.id)).toBe(true))
    expect(done).toEqual({
      [`~sessions ${claim.id}`]: { endedAt: now },
      '+audit session.end done': expect.objectContaining({ userId: user.id, sessionId: claim.id }),
    })
    expect(await world.ports.sessions.find(claim, now)).toBeUndefined()
  },

  'sessions.end ends another session of the same user, and leaves the claimed one running': async (world) => {
    const { claim, user, credential } = await newPerson(world)
    const other = await storeSession(world, credential)
    const done = await changes(world.store, async () => expect(await end(world, claim, other.id)).toBe(true))
    expect(done).toEqual({
      [`~sessions ${other.id}`]: { endedAt: now },
      '+audit session.end done': expect.objectContaining({ userId: user.id, sessionId: other.id }),
    })
  },

  'sessions.end says false for a session that has ended': async (world) => {
    const { claim, credential } = await newPerson(world)
    const ended = await storeSession(world, credential, { endedAt: now - 1 })
    expect(await end(world, claim, ended.id)).toBe(false)
  },

  'sessions.end says false for a session that has expired, and leaves it as it is': async (world) => {
    const { claim, credential } = await newPerson(world)
    const expired = await storeSession(world, credential, { expiresAt: now })
    const done = await changes(world.store, async () => expect(await end(world, claim, expired.id)).toBe(false))
    expect(done).not.toHaveProperty(`~sessions ${expired.id}`)
  },

  'sessions.end says false for the session of somebody else and for none, and leaves them running': async (world) => {
    const [{ claim }, other] = [await newPerson(world), await newPerson(world)]
    for (const id of [other.session.id, 'none' as SessionId]) {
      expect(await end(world, claim, id)).toBe(false)
    }
    expect(await world.ports.sessions.find(other.claim, now)).toEqual(other.user)
  },

  'sessions.end writes no audit row that says "done" when nothing was ended': async (world) => {
    const [{ claim }, other] = [await newPerson(world), await newPerson(world)]
    expect(await changes(world.store, () => end(world, claim, other.session.id))).toEqual({})
  },

  'sessions.end refuses a stale claim': async (world) => {
    const person = await newPerson(world)
    const target = await storeSession(world, person.credential)
    for (const claim of Object.values(await staleClaims(world, person))) {
      await expectRefused(world, 'session_missing', () => end(world, claim, target.id))
      await expectRefused(world, 'session_missing', () => end(world, claim, claim.id))
    }
  },
}
