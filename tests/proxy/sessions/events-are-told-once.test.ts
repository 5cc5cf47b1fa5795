/** What happened is told until it is acknowledged, and written once. */
import { expect, test } from 'vitest'
import { until } from '../proxy.ts'
import { message } from './database.ts'
import { eventsOf, grantFor, newWorld, openSession, Tunnel } from './world.ts'

test('also when the edge is away meanwhile', async () => {
  const world = await newWorld({ tap: false })
  const { edge, line, proxy } = world
  const tunnel = await openSession(world)
  line.cut()
  tunnel.socket.end(message('X'))
  await tunnel.closed
  await until(() => proxy.serving.events.waiting > 0)
  line.bringBack()
  await until(() => proxy.serving.events.waiting === 0, 15_000)
  expect(eventsOf(edge).map(({ kind }) => kind)).toEqual(['session.start', 'session.stop'])
})

test('also when the acknowledgement is lost', async () => {
  const world = await newWorld({ tap: false })
  const { edge, line, proxy } = world
  let lost = 0
  line.tamper = (path, answer) => (path === '/v1/proxy/events' && lost++ < 2 ? undefined : answer)
  const tunnel = await openSession(world)
  tunnel.socket.end(message('X'))
  await tunnel.closed
  await until(() => proxy.serving.events.waiting === 0 && lost > 2, 20_000)
  expect(eventsOf(edge).map(({ kind }) => kind)).toEqual(['session.start', 'session.stop'])
})

test('what cannot be told opens no session', async () => {
  const world = await newWorld({ tap: false, limits: { events: 4 } })
  const { lea, line, proxy } = world
  const grants = [await grantFor(world, lea), await grantFor(world, lea), await grantFor(world, lea)]
  line.tamper = (path, answer) => (path === '/v1/proxy/events' ? undefined : answer)
  const statuses: number[] = []
  for (const grant of grants) statuses.push((await (await Tunnel.open(proxy)).connect(grant, lea)).status)
  expect(statuses).toEqual([200, 200, 503])
})
