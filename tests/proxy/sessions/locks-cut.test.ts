/** What is allowed no longer ends, in whatever state it is; and nothing opens in between. */
import { expect, test } from 'vitest'
import { call, lockOf, putDocuments } from '../../people.ts'
import { until } from '../proxy.ts'
import { message, politely, startDatabase } from './database.ts'
import { eventsOf, grantFor, newWorld, openSession, Tunnel, type World } from './world.ts'

const lock = async ({ admin }: World, text = 'gone for good') => {
  const { status } = await putDocuments(admin, [lockOf('Lea', { message: text })])
  expect(status).toBe(200)
}

test('a lock ends an open session within five seconds, with its message in Postgres words', async () => {
  const world = await newWorld({ askEvery: 2000 })
  const tunnel = await openSession(world)
  const begun = Date.now()
  await lock(world)
  const said = await tunnel.until((text) => text.includes('57P01'), 5000)
  expect(Date.now() - begun).toBeLessThan(5000)
  expect(said).toMatch(/^E.*FATAL.*57P01.*gone for good/s)
  await tunnel.closed
  const [served] = world.database.connections
  await served?.closed
  await until(() => eventsOf(world.edge).length === 2)
  expect(String(eventsOf(world.edge)[1]?.['detail'])).toContain('session_cut')
})

test('in the middle of a message nothing is said: both sides are reset', async () => {
  const half = message('D', 'x'.repeat(100)).subarray(0, 50)
  const database = await startDatabase(politely((socket) => void socket.write(half)))
  const world = await newWorld({ database })
  const tunnel = await openSession(world)
  tunnel.socket.write(message('Q', 'select\0'))
  await tunnel.until((said) => said.length === 50)
  await lock(world)
  await tunnel.closed
  expect(tunnel.said).toHaveLength(50)
  await database.connections[0]?.closed
})

test('a user who is removed, and a role that is taken, end it too', async () => {
  const world = await newWorld()
  const tunnel = await openSession(world)
  expect((await call(world.admin, 'DELETE', '/v1/users/Lea')).status).toBe(200)
  expect(await tunnel.until((said) => said.includes('57P01'))).toContain('The user was removed')
})

test('a locked user opens nothing, and is told why', async () => {
  const world = await newWorld({ tap: false })
  const grant = await grantFor(world, world.lea)
  await lock(world)
  await world.proxy.serving.trust.ask()
  const { status, json } = await (await Tunnel.open(world.proxy)).connect(grant, world.lea)
  expect(status).toBe(403)
  expect(json['message']).toContain('gone for good')
})
