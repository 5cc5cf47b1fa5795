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
    const done = await changes(world.store, async () => end(world, claim, claim.id))
    expect(done).toEqual({
      [`~sessions ${claim.id}`]: { endedAt: now },
      '+audit session.end done': expect.objectContaining({ userId: user.id, sessionId: claim.id }),
    })
    expect(await world.ports.sessions.find(claim, now)).toBeUndefined()
  },

  'sessions.end ends another session of the same user, and leaves the claimed one running': async (world) => {
    const { claim, user, credential } = await newPerson(world)
    const other = await storeSession(world, credential)
    const done = await changes(world.store, async () => end(world, claim, other.id))
    expect(done).toEqual({
      [`~sessions ${other.id}`]: { endedAt: now },
      '+audit session.end done': expect.objectContaining({ userId: user.id, sessionId: other.id }),
    })
  },

  'sessions.end refuses one that has ended or expired, is of somebody else or of nobody, and writes nothing': async (
    world,
  ) => {
    const [{ claim, credential }, other] = [await newPerson(world), await newPerson(world)]
    const ended = await storeSession(world, credential, { endedAt: now - 1 })
    const expired = await storeSession(world, credential, { expiresAt: now })
    for (const id of [ended.id, expired.id, other.session.id, 'none' as SessionId]) {
      await expectRefused(world, 'not_found', () => end(world, claim, id))
    }
    expect(await world.ports.sessions.find(other.claim, now)).toEqual(other.user)
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
