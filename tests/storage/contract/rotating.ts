/** signingKeys.list, begin and rotate. */
import { expect } from 'vitest'
import { changes, expectRefused } from './changes.ts'
import { beginKeys, heldBy, newEditor, newKey } from './editors.ts'
import { staleClientSessions } from './programs.ts'
import { bytes, type Cases, newEvent, now } from './world.ts'

const rotated = newEvent('keys.rotate', { at: now + 5 })

export const rotating: Cases = {
  'signingKeys.begin stores the first two, oldest first, and nothing else; a second begin changes nothing': async (
    world,
  ) => {
    const { list, begin } = world.ports.signingKeys
    expect(await list()).toEqual([])
    const keys = [newKey(1, { activatedAt: now }), newKey(2)] as const
    const done = await changes(world.store, () => begin(keys))
    expect(Object.keys(done).sort()).toEqual(['+signingKeys 1', '+signingKeys 2'])
    expect(await list()).toStrictEqual(keys)
    const others = [newKey(1, { activatedAt: now }), newKey(2)] as const
    expect(await changes(world.store, () => begin(others))).toEqual({})
  },

  'signingKeys.list answers a sealed half as the bytes that it was, in a buffer of its own': async (world) => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i)
    const view = new Uint8Array(bytes(64).buffer, 8, 32)
    await world.ports.signingKeys.begin([newKey(1, { activatedAt: now, sealed: all }), newKey(2, { sealed: view })])
    const [first, second] = await world.ports.signingKeys.list()
    expect(first?.sealed).toEqual(all)
    expect(second?.sealed).toEqual(new Uint8Array(view))
    expect(second?.sealed?.constructor).toBe(Uint8Array)
  },

  'signingKeys.rotate retires one without its private half, activates the next, adds another, writes one audit row, and nothing else':
    async (world) => {
      const { actor } = await newEditor(world)
      const [first, second] = await beginKeys(world)
      const third = newKey(3, { createdAt: now + 5 })
      const rotate = () => world.ports.signingKeys.rotate(actor, 1, third, rotated)
      expect(await changes(world.store, rotate)).toEqual({
        '~signingKeys 1': { retiredAt: now + 5, sealed: null },
        '~signingKeys 2': { activatedAt: now + 5 },
        '+signingKeys 3': { ...third, activatedAt: null, retiredAt: null },
        '+audit keys.rotate done': expect.anything(),
      })
      expect(await world.ports.signingKeys.list()).toStrictEqual([
        { ...first, sealed: undefined, retiredAt: now + 5 },
        { ...second, activatedAt: now + 5 },
        third,
      ])
    },

  'signingKeys.rotate refuses a key that is not the current one: retired, next, or not there': async (world) => {
    const { actor } = await newEditor(world)
    await beginKeys(world)
    await world.ports.signingKeys.rotate(actor, 1, newKey(3), rotated)
    for (const current of [0, 1, 3, 4]) {
      const rotate = () => world.ports.signingKeys.rotate(actor, current, newKey(current + 2), rotated)
      await expectRefused(world, 'keys_rotated', rotate)
    }
    await world.ports.signingKeys.rotate(actor, 2, newKey(4), rotated)
  },

  'signingKeys.rotate refuses where there are no keys yet, and a generation that is taken': async (world) => {
    const { actor } = await newEditor(world)
    const { rotate } = world.ports.signingKeys
    await expectRefused(world, 'keys_rotated', () => rotate(actor, 1, newKey(3), rotated))
    await beginKeys(world)
    await expectRefused(world, 'keys_rotated', () => rotate(actor, 1, newKey(2), rotated))
  },

  'signingKeys.rotate refuses a caller whose login does not run, or who lacks the role': async (world) => {
    const { actor, credential } = await newEditor(world)
    await beginKeys(world)
    const refused = (code: 'token_invalid' | 'role_missing', more: object) =>
      expectRefused(world, code, () =>
        world.ports.signingKeys.rotate({ ...actor, ...more }, 1, newKey(3), newEvent('keys.rotate')),
      )
    for (const { id: sessionId } of Object.values(await staleClientSessions(world, credential)))
      await refused('token_invalid', { sessionId })
    await refused('role_missing', { by: heldBy('auditor') })
  },
}
