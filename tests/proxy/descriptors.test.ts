/** Limits that follow from how many descriptors there are. */
import { expect, test } from 'vitest'
import { descriptorLimit, withinDescriptors } from '../../proxy/descriptors.ts'
import { limits } from '../../proxy/limits.ts'

test.each([65, 100, 128, 256, 1024, 4096, 20_000, 30_000, 1_048_576])(
  'with %i, all of them together stay below',
  (most) => {
    const { connections, edgeSockets, sessions, relays, relaysOfOneNetwork } = withinDescriptors(limits, most)
    expect(connections + edgeSockets + 2 * (sessions + relays)).toBeLessThanOrEqual(Math.max(most - 64, 64))
    expect(Math.min(connections, edgeSockets, sessions, relays, relaysOfOneNetwork)).toBeGreaterThan(0)
  },
)

test('with many, and where nobody knows, nothing is less than it is', () => {
  expect(withinDescriptors(limits, 1_048_576)).toEqual(limits)
  expect(withinDescriptors(limits, undefined)).toEqual(limits)
  expect(withinDescriptors(limits, 1024)).toMatchObject({ connections: 240, sessions: 150, relays: 150 })
})

test('Linux tells how many', (context) => {
  if (process.platform !== 'linux') return context.skip('only Linux tells')
  expect(descriptorLimit()).toBeGreaterThan(64)
})
