/** deviceCodes.poll and redeem: from an answer to the login of a program. */
import { expect } from 'vitest'
import type { NewDeviceCode } from '../../../core/device-flow-ports.ts'
import { type Holder, hours, seconds } from '../../../core/model.ts'
import { audit, clientSessions, credentials, documents, userRoles } from '../../../storage/schema.ts'
import { changes, expectRefused, race } from './changes.ts'
import {
  approvingOf,
  interval,
  newHeadlessPerson,
  pollingOf,
  redeemingOf,
  rowOf,
  storeDeviceCode,
} from './device-flows.ts'
import { giveRoles, lockOut, roleOf, storeDocuments } from './editors.ts'
import { twelveHours } from './programs.ts'
import { type Cases, from, newEvent, now, type World } from './world.ts'

const at = (instant: number) => newEvent('client.login', { at: instant })

/** Everything that differs in one thing from what the code was made for. */
const strange = (code: NewDeviceCode): Record<string, NewDeviceCode> => ({
  unknown: { ...code, hash: 'another' },
  'of another client': { ...code, clientId: 'another' },
  'of another key': { ...code, jkt: 'another' as Holder },
})

async function approved(world: World) {
  const person = await newHeadlessPerson(world)
  const code = await storeDeviceCode(world)
  const approving = approvingOf(person, code)
  await world.ports.deviceCodes.approve(approving)
  return { person, code, intentId: approving.intentId }
}

export const deviceLogins: Cases = {
  'deviceCodes.poll of one that waits spends the proof, remembers when, and does nothing else': async (world) => {
    const code = await storeDeviceCode(world)
    await storeDeviceCode(world)
    const polling = pollingOf(code, { at: now + 1 })
    const { poll } = world.ports.deviceCodes
    const done = await changes(world.store, async () => expect(await poll(polling)).toBe('pending'))
    expect(done).toEqual({
      [`+spent ${polling.spend.id}`]: polling.spend,
      [`~deviceCodes ${code.hash}`]: { polledAt: now + 1 },
    })
    await expectRefused(world, 'dpop_replayed', () => poll(polling))
  },

  'deviceCodes.poll too soon makes the interval five seconds longer, each time': async (world) => {
    const code = await storeDeviceCode(world)
    const { poll } = world.ports.deviceCodes
    const asked = (instant: number) => poll(pollingOf(code, { at: instant }))
    expect(await asked(now)).toBe('pending')
    expect(await asked(now + interval - 1)).toBe('slow_down')
    expect((await rowOf(world, code))?.interval).toBe(seconds(10))
    expect(await asked(now + interval + seconds(10) - 2)).toBe('slow_down')
    expect(await asked(now + interval + seconds(25) - 2)).toBe('pending')
    expect((await rowOf(world, code))?.interval).toBe(seconds(15))
  },

  'deviceCodes.poll by 50 at once: one is in time, and each other makes the interval longer': async (world) => {
    const code = await storeDeviceCode(world)
    const answers = await Promise.all(Array.from({ length: 50 }, () => world.ports.deviceCodes.poll(pollingOf(code))))
    expect(answers.filter((answer) => answer === 'pending')).toHaveLength(1)
    expect(answers.filter((answer) => answer === 'slow_down')).toHaveLength(49)
    expect((await rowOf(world, code))?.interval).toBe(interval + 49 * seconds(5))
  },

  'deviceCodes.poll says what became of a code, and changes nothing of it': async (world) => {
    const { code } = await approved(world)
    const [refused, expired] = [await storeDeviceCode(world), await storeDeviceCode(world)]
    const other = await newHeadlessPerson(world)
    const { poll, refuse, redeem } = world.ports.deviceCodes
    await refuse(other.claim, refused.hash, newEvent('client.refuse'))
    const asked = async (one: NewDeviceCode, instant = now) => {
      const before = await rowOf(world, one)
      const answer = await poll(pollingOf(one, { at: instant }))
      expect(await rowOf(world, one)).toEqual(before)
      return answer
    }
    expect(await asked(code)).toBe('approved')
    expect(await asked(code, code.expiresAt - 1)).toBe('approved')
    expect(await asked(code, code.expiresAt)).toBe('expired')
    expect(await asked(refused)).toBe('refused')
    expect(await asked(expired, expired.expiresAt)).toBe('expired')
    await redeem(redeemingOf(code))
    expect(await asked(code)).toBe('used')
  },

  'deviceCodes.poll tells another key, another client and a wrong code apart, and leaves the interval alone': async (
    world,
  ) => {
    const code = await storeDeviceCode(world)
    for (const [why, one] of Object.entries(strange(code)))
      expect(await world.ports.deviceCodes.poll(pollingOf(one))).toBe(why)
    expect(await rowOf(world, code)).toMatchObject({ polledAt: null, interval })
  },

  'deviceCodes.redeem opens the login for 12 hours from the tap, marked, writes one audit row, and nothing else':
    async (world) => {
      const { person, code, intentId } = await approved(world)
      await storeDeviceCode(world)
      const { clientId, jkt, scope, clientSessionId: id } = code
      const expiresAt = now + twelveHours
      const via = 'device_flow'
      const redeeming = redeemingOf(code, { event: at(now + 5) })
      const done = await changes(world.store, async () =>
        expect(await world.ports.deviceCodes.redeem(redeeming)).toStrictEqual({
          user: person.user,
          session: { id, clientId, scope, via, tapped: true, authenticatedAt: now, expiresAt },
          generation: 1,
        }),
      )
      const owned = { userId: person.user.id, credentialId: person.credential.id }
      expect(done).toEqual({
        [`~deviceCodes ${code.hash}`]: { usedAt: now + 5 },
        [`+clientSessions ${id}`]: {
          ...{ id, ...owned, clientId, jkt, scope, via, authenticatedAt: now, generation: 1, rotatedAt: now + 5 },
          ...{ totpId: null, expiresAt, endedAt: null, endReason: null, endedBy: null, ...from },
        },
        '+audit client.login done': expect.objectContaining({ ...owned, sessionId: id, intentId }),
      })
    },

  'deviceCodes.redeem ends sooner where a role says so': async (world) => {
    const { person, code } = await approved(world)
    await storeDocuments(world, roleOf('short', { max_session_ttl: '1h' }))
    await giveRoles(world, person, 'short')
    const { session } = await world.ports.deviceCodes.redeem(redeemingOf(code))
    expect(session.expiresAt).toBe(now + hours(1))
  },

  'deviceCodes.redeem refuses a code that waits, was refused, has expired, is used, or is not this program’s': async (
    world,
  ) => {
    const { code } = await approved(world)
    const [waiting, refused] = [await storeDeviceCode(world), await storeDeviceCode(world)]
    const { redeem, refuse } = world.ports.deviceCodes
    await refuse((await newHeadlessPerson(world)).claim, refused.hash, newEvent('client.refuse'))
    const invalid = (one: NewDeviceCode, event = at(now)) =>
      expectRefused(world, 'device_code_invalid', () => redeem(redeemingOf(one, { event })))
    for (const one of [waiting, refused, ...Object.values(strange(code))]) await invalid(one)
    await invalid(code, at(code.expiresAt))
    await redeem(redeemingOf(code, { event: at(code.expiresAt - 1) }))
    await invalid(code)
  },

  'deviceCodes.redeem of one code by 50: one login': async (world) => {
    const { code } = await approved(world)
    const [logins, rows] = [await world.store.db.$count(clientSessions), await world.store.db.$count(audit)]
    const outcome = await race(50, () => world.ports.deviceCodes.redeem(redeemingOf(code)))
    expect(outcome).toEqual({ done: 1, device_code_invalid: 49 })
    expect(await world.store.db.$count(clientSessions)).toBe(logins + 1)
    expect(await world.store.db.$count(audit)).toBe(rows + 1)
  },

  'deviceCodes.redeem opens nothing when the passkey that approved was removed meanwhile': async (world) => {
    const { code } = await approved(world)
    await world.store.db.update(credentials).set({ removedAt: now })
    await expectRefused(world, 'credential_changed', () => world.ports.deviceCodes.redeem(redeemingOf(code)))
  },

  'deviceCodes.redeem opens nothing for a user who was locked meanwhile, and tells the lock’s words': async (world) => {
    const { person, code } = await approved(world)
    await lockOut(world, person, { message: 'Ask the help desk' })
    const { redeem } = world.ports.deviceCodes
    await expectRefused(world, 'user_locked', () => redeem(redeemingOf(code)))
    await expect(redeem(redeemingOf(code))).rejects.toMatchObject({ told: 'This user is locked: Ask the help desk' })
  },

  'deviceCodes.redeem opens nothing when the role was taken away meanwhile, or allows it no more': async (world) => {
    const { code } = await approved(world)
    const { redeem } = world.ports.deviceCodes
    await world.store.db.update(documents).set({ deviceFlow: false })
    await expectRefused(world, 'device_flow_off', () => redeem(redeemingOf(code)))
    await world.store.db.update(documents).set({ deviceFlow: true })
    await world.store.db.delete(userRoles)
    await expectRefused(world, 'device_flow_off', () => redeem(redeemingOf(code)))
  },
}
