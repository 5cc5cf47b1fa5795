/** Discovery with a token, a tap, a grant, CONNECT, and the database's own protocol behind it. */
import { expect, test } from 'vitest'
import { until } from '../proxy.ts'
import { message } from './database.ts'
import { eventsOf, grantFor, newWorld, Tunnel } from './world.ts'

test('a tap opens one session on one database, and the edge is told of its beginning and its end', async () => {
  const world = await newWorld()
  const { edge, lea, proxy, database } = world
  const tunnel = await Tunnel.open(proxy)
  const { id, boot } = proxy.identity
  const told = await tunnel.discover(lea, edge.ports.now)
  expect(told).toMatchObject({ status: 200, json: { issuer: edge.site.origin, id, boot } })
  const grant = await grantFor(world, lea)
  expect(await tunnel.connect(grant, lea)).toMatchObject({ status: 200, json: {} })
  tunnel.start()
  await tunnel.until((said) => said.endsWith('Z\0\0\0\x05I'))
  tunnel.take()
  tunnel.socket.write(message('Q', 'select 1\0'))
  expect(await tunnel.until((said) => said.endsWith('I'))).toContain('select 1')
  tunnel.socket.end(message('X'))
  expect(await tunnel.closed).toBeUndefined()
  expect(database.connections[0]?.said()).toContain('user\0reader\0database\0orders')
  await until(() => eventsOf(edge).length === 2)
  expect(eventsOf(edge).map(({ kind }) => kind)).toEqual(['session.start', 'session.stop'])
  expect(proxy.serving.sessions.count).toBe(0)
})
