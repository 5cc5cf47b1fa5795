/** deviceCodes.issue, look, approve and refuse: from the program that asks to the answer of a person. */
import { expect } from 'vitest'
import { minutes } from '../../../core/model.ts'
import { purge } from '../../../storage/cluster.ts'
import { credentials, deviceCodes as table } from '../../../storage/schema.ts'
import { changes, expectRefused, race } from './changes.ts'
import {
  approvingOf,
  issuingOf,
  newDeviceCode,
  newHeadlessPerson,
  programFrom,
  rowOf,
  storeDeviceCode,
} from './device-flows.ts'
import { giveRoles, lockOut, roleOf, storeDocuments } from './editors.ts'
import { staleClaims } from './reading.ts'
import { type Cases, claimOf, ends, newEvent, newPerson, newSpend, now, tapOf } from './world.ts'

const unanswered = {
  ...{ polledAt: null, userId: null, refusedAt: null, authenticatedAt: null },
  ...{ credentialId: null, totpId: null, passwordId: null, intentId: null, usedAt: null },
}
const refusing = newEvent('client.refuse')

export const deviceCodes: Cases = {
  'deviceCodes.issue stores the code, spends the proof that came with it, and does nothing else': async (world) => {
    const [code, spend] = [newDeviceCode(), newSpend()]
    const { from, ...row } = code
    const done = await changes(world.store, () => world.ports.deviceCodes.issue(issuingOf(code, { spend })))
    expect(done).toEqual({
      [`+spent ${spend.id}`]: spend,
      [`+deviceCodes ${code.hash}`]: { ...row, ...from, ...unanswered },
    })
    const another = issuingOf(newDeviceCode(), { spend })
    await expectRefused(world, 'dpop_replayed', () => world.ports.deviceCodes.issue(another))
  },

  'deviceCodes.issue refuses a user code that another program shows': async (world) => {
    const { userCode } = await storeDeviceCode(world)
    const another = issuingOf(newDeviceCode({ userCode }))
    await expectRefused(world, 'device_flow_busy', () => world.ports.deviceCodes.issue(another))
  },

  'deviceCodes.issue keeps so many and no more, and has room again when the oldest are forgotten': async (world) => {
    const old = await storeDeviceCode(world, { expiresAt: now + 1 })
    await storeDeviceCode(world)
    const third = (askedAt: number) =>
      issuingOf(newDeviceCode({ askedAt, expiresAt: askedAt + minutes(10) }), { most: 2, keepFor: minutes(1) })
    const { issue } = world.ports.deviceCodes
    await expectRefused(world, 'device_flow_busy', () => issue(third(now + minutes(1))))
    const done = await changes(world.store, () => issue(third(now + minutes(1) + 1)))
    expect(done).toHaveProperty([`-deviceCodes ${old.hash}`])
    expect(await world.store.db.$count(table)).toBe(2)
  },

  'deviceCodes.issue by 50 at once: no more than there is room for': async (world) => {
    const { issue } = world.ports.deviceCodes
    const outcome = await race(50, () => issue(issuingOf(newDeviceCode(), { most: 3 })))
    expect(outcome).toEqual({ done: 3, device_flow_busy: 47 })
  },

  'purge removes a code an hour after it expired, and not before': async (world) => {
    const code = await storeDeviceCode(world)
    await purge(world.store, code.expiresAt + minutes(60))
    expect(await rowOf(world, code)).toBeDefined()
    await purge(world.store, code.expiresAt + minutes(60) + 1)
    expect(await rowOf(world, code)).toBeUndefined()
  },

  'deviceCodes.look shows who looks, with his passkeys, and the request as it was made; it writes nothing': async (
    world,
  ) => {
    const person = await newHeadlessPerson(world)
    await newHeadlessPerson(world)
    const code = await storeDeviceCode(world)
    await storeDeviceCode(world)
    const { hash, userCode, clientId, jkt, scope, askedAt } = code
    const done = await changes(world.store, async () => {
      const view = await world.ports.deviceCodes.look(person.claim, userCode, now)
      expect(view).toMatchObject({ user: person.user, mayUse: true })
      expect(view?.credentials.map(({ id }) => id)).toEqual([person.credential.id])
      expect(view?.ask).toStrictEqual({
        ...{ hash, userCode, clientId, jkt, scope, askedAt, from: programFrom, state: 'waiting' },
      })
    })
    expect(done).toEqual({})
  },

  'deviceCodes.look shows no request that expired, is unknown, or that somebody else has answered': async (world) => {
    const [person, other] = [await newHeadlessPerson(world), await newHeadlessPerson(world)]
    const [code, answered] = [await storeDeviceCode(world), await storeDeviceCode(world)]
    await world.ports.deviceCodes.approve(approvingOf(other, answered))
    const askAt = async (userCode: string, at = now) =>
      (await world.ports.deviceCodes.look(person.claim, userCode, at))?.ask
    expect(await askAt(code.userCode, code.expiresAt - 1)).toBeDefined()
    expect(await askAt(code.userCode, code.expiresAt)).toBeUndefined()
    expect(await askAt('')).toBeUndefined()
    expect(await askAt(answered.userCode)).toBeUndefined()
  },

  'deviceCodes.look shows nothing at all to a session that is none, has ended, or is of somebody locked': async (
    world,
  ) => {
    const person = await newHeadlessPerson(world)
    const { userCode } = await storeDeviceCode(world)
    const { look } = world.ports.deviceCodes
    for (const claim of Object.values(await staleClaims(world, person)))
      expect(await look(claim, userCode, now)).toBeUndefined()
    await lockOut(world, person)
    expect(await look(person.claim, userCode, now)).toBeUndefined()
  },

  'a role allows the device flow only with device_flow: true, and only to who holds it': async (world) => {
    const person = await newPerson(world)
    const { look } = world.ports.deviceCodes
    const mayUse = async () => (await look(person.claim, '', now))?.mayUse
    await storeDocuments(
      world,
      roleOf('on', { device_flow: true }),
      roleOf('off', { device_flow: false }),
      roleOf('none'),
    )
    await giveRoles(world, person, 'access', 'editor', 'off', 'none', 'gone')
    expect(await mayUse()).toBe(false)
    await giveRoles(world, person, 'on')
    expect(await mayUse()).toBe(true)
  },

  'deviceCodes.approve spends, moves the counter, gives the code to the user, exchanges the session, writes one audit row, and nothing else':
    async (world) => {
      const person = await newHeadlessPerson(world)
      const code = await storeDeviceCode(world)
      await storeDeviceCode(world)
      const tapped = tapOf(person.credential, { counter: 9, backedUp: true })
      const approving = approvingOf(person, code, { tapped })
      const { session, spend, intentId } = approving
      const done = await changes(world.store, async () =>
        expect(await world.ports.deviceCodes.approve(approving)).toStrictEqual({ expiresAt: ends }),
      )
      const owned = { userId: person.user.id, credentialId: person.credential.id }
      expect(done).toEqual({
        [`+spent ${spend.id}`]: spend,
        [`~credentials ${person.credential.id}`]: { counter: 9, backedUp: true, lastUsedAt: now },
        [`~sessions ${person.session.id}`]: { endedAt: now },
        [`+sessions ${session.id}`]: expect.objectContaining({ ...owned, expiresAt: ends, endedAt: null }),
        [`~deviceCodes ${code.hash}`]: { ...owned, intentId, authenticatedAt: now },
        '+audit client.approve done': expect.objectContaining({ userId: person.user.id }),
      })
    },

  'deviceCodes.approve refuses whom no role allows it, a removed passkey, a spent id, and a session that is not the tapping user’s':
    async (world) => {
      const [person, other, without] = [
        await newHeadlessPerson(world),
        await newHeadlessPerson(world),
        await newPerson(world),
      ]
      const code = await storeDeviceCode(world)
      const { approve } = world.ports.deviceCodes
      await expectRefused(world, 'device_flow_off', () => approve(approvingOf(without, code)))
      for (const claim of Object.values({ ...(await staleClaims(world, person)), other: other.claim }))
        await expectRefused(world, 'session_missing', () => approve(approvingOf(person, code, { claim })))
      const first = approvingOf(other, await storeDeviceCode(world))
      await approve(first)
      await expectRefused(world, 'ticket_spent', () => approve(approvingOf(person, code, { spend: first.spend })))
      await world.store.db.update(credentials).set({ removedAt: now })
      await expectRefused(world, 'credential_changed', () => approve(approvingOf(person, code)))
    },

  'deviceCodes.approve and refuse answer a code that waits, once, until the instant of its end': async (world) => {
    const person = await newHeadlessPerson(world)
    const [approved, refused, late] = [
      await storeDeviceCode(world),
      await storeDeviceCode(world),
      await storeDeviceCode(world),
    ]
    const { approve, refuse } = world.ports.deviceCodes
    const first = approvingOf(person, approved)
    await approve(first)
    const claim = claimOf(first.session)
    await refuse(claim, refused.hash, refusing)
    for (const code of [approved, refused, newDeviceCode()]) {
      await expectRefused(world, 'device_code_answered', () => approve(approvingOf(person, code, { claim })))
      await expectRefused(world, 'device_code_answered', () => refuse(claim, code.hash, refusing))
    }
    const at = (instant: number) => newEvent('client.refuse', { at: instant, userId: person.user.id })
    const atEnd = approvingOf(person, late, { claim, event: at(late.expiresAt) })
    await expectRefused(world, 'device_code_answered', () => approve(atEnd))
    await expectRefused(world, 'device_code_answered', () => refuse(claim, late.hash, at(late.expiresAt)))
    await approve(approvingOf(person, late, { claim, event: at(late.expiresAt - 1) }))
  },

  'deviceCodes.refuse says who refused and when, with one audit row, and nothing else': async (world) => {
    const person = await newPerson(world)
    const code = await storeDeviceCode(world)
    await storeDeviceCode(world)
    const { look, refuse } = world.ports.deviceCodes
    const done = await changes(world.store, () => refuse(person.claim, code.hash, refusing))
    expect(done).toEqual({
      [`~deviceCodes ${code.hash}`]: { userId: person.user.id, refusedAt: now },
      '+audit client.refuse done': expect.objectContaining({ userId: person.user.id }),
    })
    expect((await look(person.claim, code.userCode, now))?.ask?.state).toBe('refused')
    const another = await storeDeviceCode(world)
    for (const claim of Object.values(await staleClaims(world, person)))
      await expectRefused(world, 'session_missing', () => refuse(claim, another.hash, refusing))
  },

  'deviceCodes.approve of one code by 50 people: one has it': async (world) => {
    const code = await storeDeviceCode(world)
    const people = [await newHeadlessPerson(world), await newHeadlessPerson(world), await newHeadlessPerson(world)]
    const outcome = await race(51, (way) => {
      const person = people[way % 3] ?? people[0]
      if (!person) throw new Error('nobody')
      return world.ports.deviceCodes.approve(approvingOf(person, code))
    })
    expect(outcome['done']).toBe(1)
    // Whoever had it once asks again with a session that was exchanged.
    expect((outcome['device_code_answered'] ?? 0) + (outcome['session_missing'] ?? 0)).toBe(50)
  },

  'deviceCodes.approve and refuse at once: one of them': async (world) => {
    const person = await newHeadlessPerson(world)
    const code = await storeDeviceCode(world)
    const { approve, refuse } = world.ports.deviceCodes
    const outcome = await race(2, async (way) =>
      way === 0 ? approve(approvingOf(person, code)) : refuse(person.claim, code.hash, refusing),
    )
    expect(outcome['done']).toBe(1)
    const row = await rowOf(world, code)
    expect([row?.refusedAt, row?.authenticatedAt].filter((at) => at !== null)).toEqual([now])
  },
}
