/** max_connections and max_sessions: how many sessions of one user there are at once, at this proxy; however they end, they make room. */
import { expect, test } from 'vitest'
import { lockOf, newPerson, type Person, putDocuments } from '../../people.ts'
import { askFor } from '../../proxies.ts'
import { until } from '../proxy.ts'
import { politely, startDatabase } from './database.ts'
import {
  eventsOf,
  grantFor,
  limitReaders,
  nameOf,
  newWorld,
  openSession,
  silentPort,
  Tunnel,
  type World,
} from './world.ts'

async function connecting(world: World, person: Person = world.lea, name = 'pg-1') {
  const tunnel = await Tunnel.open(world.proxy)
  const answer = await tunnel.connect(await grantFor(world, person, askFor(nameOf(world.proxy), name)), person, {
    name,
  })
  return { ...answer, tunnel }
}

test('max_connections counts the sessions of one user, whatever they are on; the refusal says how many and what to do', async () => {
  const world = await newWorld({ tap: false })
  await limitReaders(world, { max_connections: 2 })
  const first = await openSession(world)
  expect((await connecting(world, world.lea, 'pg-2')).status).toBe(200)
  const { status, json } = await connecting(world)
  expect([status, json['error']]).toEqual([403, 'access_denied'])
  expect(json['message']).toBe(
    '2 sessions are open at this proxy in your name, and a role of yours allows 2 (max_connections): end one, and connect again.',
  )
  await until(() => eventsOf(world.edge).some(({ kind }) => kind === 'session.refuse'))
  const refused = eventsOf(world.edge).find(({ kind }) => kind === 'session.refuse')
  expect(refused?.['code']).toBe('session_refused')
  expect(String(refused?.['detail'])).toContain('max_connections')

  const bob = await newPerson(world.admin, 'Bob', ['access', 'db-reader'])
  expect((await connecting(world, bob)).status).toBe(200)
  first.socket.end()
  await until(() => world.proxy.serving.sessions.count === 2)
  expect((await connecting(world)).status).toBe(200)
})

test('max_sessions counts those of one user on one resource', async () => {
  const world = await newWorld({ tap: false })
  await limitReaders(world, { max_sessions: 1 })
  expect((await connecting(world)).status).toBe(200)
  const { status, json } = await connecting(world)
  expect(status).toBe(403)
  expect(json['message']).toContain('1 session is open on pg-1 at this proxy in your name')
  expect((await connecting(world, world.lea, 'pg-2')).status).toBe(200)
  const bob = await newPerson(world.admin, 'Bob', ['access', 'db-reader'])
  expect((await connecting(world, bob)).status).toBe(200)
})

test('of 50 that come together no more get in than there may be', async () => {
  // None is done before all have come: a database that keeps them waiting.
  const database = await startDatabase(politely(() => undefined))
  const world = await newWorld({ tap: false, database })
  await limitReaders(world, { max_connections: 7, max_sessions: 5 })
  const { lea, proxy } = world
  const each = await Promise.all(
    Array.from({ length: 50 }, async () => ({ grant: await grantFor(world, lea), tunnel: await Tunnel.open(proxy) })),
  )
  let most = 0
  const counting = setInterval(() => {
    most = Math.max(most, proxy.serving.sessions.count)
  })
  const statuses = await Promise.all(each.map(async ({ grant, tunnel }) => (await tunnel.connect(grant, lea)).status))
  clearInterval(counting)
  expect(statuses.filter((status) => status === 200)).toHaveLength(5)
  expect(statuses.filter((status) => status === 403)).toHaveLength(45)
  expect(most).toBeLessThanOrEqual(5)
  expect(proxy.serving.sessions.count).toBe(5)
})

const ends: Readonly<Record<string, (world: World, tunnel: Tunnel) => unknown>> = {
  'the client ends': (_, tunnel) => tunnel.socket.end(),
  'the client breaks off': (_, tunnel) => tunnel.socket.destroy(),
  'the database breaks off': ({ database }) => database.connections.at(-1)?.socket.resetAndDestroy(),
  'a lock comes': async ({ admin, edge, proxy }) => {
    await putDocuments(admin, [lockOf('Lea', { expires: new Date(edge.ports.now() + 60_000).toISOString() })])
    await proxy.serving.trust.ask()
    edge.advance(60_000)
  },
  'another user is named to the database': (_, tunnel) => tunnel.start({ user: 'owner', database: 'orders' }),
}

test.for(Object.entries(ends))('%s: there is room again', async ([, end]) => {
  const world = await newWorld({ tap: false })
  await limitReaders(world, { max_connections: 1 })
  const { tunnel } = await connecting(world)
  expect((await connecting(world)).status).toBe(403)
  await end(world, tunnel)
  await tunnel.closed
  await until(() => world.proxy.serving.sessions.count === 0)
  expect((await connecting(world)).status).toBe(200)
})

test('what never opened takes no room: a database that is away, a client that leaves meanwhile', async () => {
  const port = await silentPort()
  const database = { uri: `127.0.0.1:${port}`, port, connections: [], stop: async () => undefined }
  const world = await newWorld({ tap: false, database, limits: { dialMs: 300 } })
  await limitReaders(world, { max_connections: 1 })
  const { lea, proxy } = world
  expect((await connecting(world)).status).toBe(504)
  const leaving = await Tunnel.open(proxy)
  leaving.send(...(await leaving.connectLines(await grantFor(world, lea), lea.program.key, lea.program.iat)))
  await until(() => proxy.serving.sessions.count === 1)
  leaving.socket.destroy()
  await until(() => proxy.serving.sessions.count === 0)
  expect((await connecting(world)).status).toBe(504)
})
