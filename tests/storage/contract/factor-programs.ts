/** factors.changeBy, of and withPassword: what a program and an administrator ask of what somebody signs in with. */
import { expect } from 'vitest'
import type { Factors } from '../../../core/factor-ports.ts'
import type { TotpId } from '../../../core/model.ts'
import type { RefusalCode } from '../../../core/refusal.ts'
import { totps } from '../../../storage/schema.ts'
import { changes, expectRefused, race } from './changes.ts'
import { lockOut, newEditor } from './editors.ts'
import { counted, newEquipped } from './factor-world.ts'
import { bytes, type Cases, newEvent, newPerson, newSpend, now, tapOf, unique, type World } from './world.ts'

type Changing = Parameters<Factors['changeBy']>[1]

const adding = (name = `App ${unique(6)}`) =>
  ({ kind: 'add totp', id: unique() as TotpId, name, sealed: bytes(48), step: 7 }) as const

async function newOwner(world: World) {
  const person = await newEquipped(world, await newEditor(world))
  const actor = { ...person.actor, role: undefined }
  const changing = (effect: Changing['effect'], more: Partial<Changing> = {}): Changing => ({
    ...{ spend: newSpend(), tapped: tapOf(person.credential), was: counted(1, 1), effect },
    event: newEvent('totp.add', { userId: person.user.id }),
    ...more,
  })
  return { person, actor, changing }
}

export const factorPrograms: Cases = {
  'factors.changeBy adds an app by a tap: it spends, moves the counter, and opens and ends no session': async (
    world,
  ) => {
    const { person, actor, changing } = await newOwner(world)
    const effect = adding()
    const change = changing(effect)
    const done = await changes(world.store, () => world.ports.factors.changeBy(actor, change))
    expect(done).toEqual({
      [`+spent ${change.spend.id}`]: change.spend,
      [`~credentials ${person.credential.id}`]: { lastUsedAt: now },
      [`+totps ${effect.id}`]: expect.objectContaining({ userId: person.user.id, name: effect.name, lastStep: 7 }),
      '+audit totp.add done': expect.objectContaining({ userId: person.user.id }),
    })
  },

  'factors.changeBy refuses what is not so any more, and has then written nothing': async (world) => {
    const { person, actor, changing } = await newOwner(world)
    const { factors } = world.ports
    const [app] = await world.store.db.select().from(totps)
    const refused = (change: Changing, code: RefusalCode, by = actor) =>
      expectRefused(world, code, () => factors.changeBy(by, change))
    await refused(changing(adding(), { was: counted(1, 0) }), 'factors_changed')
    await refused(changing(adding(app?.name)), 'name_taken')
    await refused(changing({ kind: 'remove totp', id: unique() as TotpId }), 'not_found')
    const tapped = { ...tapOf(person.credential), preference: 'another' }
    await refused(changing(adding(), { tapped }), 'preference_changed')
    await refused(changing(adding()), 'token_invalid', { ...actor, sessionId: unique() as typeof actor.sessionId })
    await lockOut(world, person)
    await refused(changing(adding()), 'user_locked')
  },

  'factors.changeBy: of fifty with one tap one comes through': async (world) => {
    const { actor, changing } = await newOwner(world)
    const spend = newSpend()
    const outcome = await race(50, () => world.ports.factors.changeBy(actor, changing(adding(), { spend })))
    expect(outcome).toEqual({ done: 1, ticket_spent: 49 })
    expect(await world.store.db.$count(totps)).toBe(2)
  },

  'factors.of and withPassword tell what somebody has, and of nobody who is not there': async (world) => {
    const { person } = await newOwner(world)
    await newPerson(world)
    expect(await world.ports.factors.of(person.user.id)).toMatchObject({
      user: person.user,
      credentials: [{ id: person.credential.id }],
      totps: [{ id: person.totp }],
      recoveryCodes: 1,
    })
    expect(await world.ports.factors.of(unique() as typeof person.user.id)).toBeUndefined()
    expect(await world.ports.factors.withPassword()).toEqual([{ user: person.user.name, totps: 1 }])
  },
}
