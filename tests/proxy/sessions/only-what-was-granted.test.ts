/** The database user and the database that were approved hold on the wire. */
import { expect, test } from 'vitest'
import { startup } from './database.ts'
import { grantFor, newWorld, Tunnel, type World } from './world.ts'

async function tunnelOf(world: World): Promise<Tunnel> {
  const tunnel = await Tunnel.open(world.proxy)
  expect(await tunnel.connect(await grantFor(world, world.lea), world.lea)).toMatchObject({ status: 200 })
  return tunnel
}

test.for([
  ['another user', { user: 'owner', database: 'orders' }],
  ['another database', { user: 'reader', database: 'payroll' }],
  ['no database, which is that of the user’s name', { user: 'reader' }],
  ['replication', { user: 'reader', database: 'orders', replication: 'true' }],
] as const)('%s is refused in Postgres words, and the server hears nothing', async ([, parameters]) => {
  const world = await newWorld({ tap: false })
  const tunnel = await tunnelOf(world)
  tunnel.start(parameters)
  await tunnel.closed
  expect(tunnel.said).toMatch(/^E.*SFATAL.*C28000/s)
  expect(world.database.connections[0]?.said()).not.toContain('user')
})

test.for([
  ['SSLRequest', Buffer.from('0000000804d2162f', 'hex')],
  ['no Postgres at all', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['an old protocol', Buffer.from('0000000900020000aa', 'hex')],
] as const)('%s is refused', async ([, bytes]) => {
  const world = await newWorld({ tap: false })
  const tunnel = await tunnelOf(world)
  tunnel.socket.write(bytes)
  await tunnel.closed
  expect(tunnel.said).toMatch(/^E.*SFATAL.*C08P01/s)
})

test('a request to cancel goes to the server, in a session of its own', async () => {
  const world = await newWorld({ tap: false })
  const tunnel = await tunnelOf(world)
  const cancel = Buffer.from('0000001004d2162e0000007b000001c8', 'hex')
  tunnel.socket.end(cancel)
  await tunnel.closed
  const [served] = world.database.connections
  expect(served?.said().slice(8)).toBe(cancel.toString('latin1'))
})

test('a first message that does not end is not waited for', async () => {
  const world = await newWorld({ tap: false, limits: { startupMs: 300 } })
  const tunnel = await tunnelOf(world)
  tunnel.socket.write(startup({ user: 'reader' }).subarray(0, 10))
  await tunnel.closed
  expect(tunnel.said).toContain('The startup message has not come in time')
  expect(world.proxy.serving.sessions.count).toBe(0)
})
