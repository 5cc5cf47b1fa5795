/** 504 is what does not answer in time, 502 what refuses: whoever shows the word is told which. */
import { expect, test } from 'vitest'
import { freePort } from '../../runtime/launch.ts'
import { until } from '../proxy.ts'
import { startHanging } from '../routes/routes.ts'
import { put, samples } from '../sessions/kinds.ts'
import { eventsOf } from '../sessions/world.ts'
import { answerIn, basic, connecting, wordOf, wordWorld } from './words.ts'

test.each([
  ['hangs', startHanging, 504, 'upstream_too_slow'],
  ['refuses', async () => `127.0.0.1:${await freePort()}`, 502, 'upstream_unreachable'],
] as const)('a server that %s', async (_, at, status, code) => {
  const world = await wordWorld({ limits: { dialMs: 1500 } })
  await put(world, samples.app.document(await at()))
  await world.proxy.serving.trust.ask()
  const word = await wordOf(world)
  const wire = await connecting(world.proxy, [basic(word)])
  await wire.closed
  expect(answerIn(wire.said())).toMatchObject({ status, error: 'upstream_failed' })
  await expect.poll(world.proxy.codes).toContain(code)
  await until(() => eventsOf(world.edge).length > 0)
  // Used up all the same.
  const again = await connecting(world.proxy, [basic(word)])
  await again.closed
  expect(answerIn(again.said())).toMatchObject({ status: 403, error: 'grant_invalid' })
})
