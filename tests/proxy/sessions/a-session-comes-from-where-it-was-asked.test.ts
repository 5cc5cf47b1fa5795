/** pin_source_ip: the connection comes from the address that the program asked from, which the tap has signed, or there is no session. */
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { until } from '../proxy.ts'
import { eventsOf, grantFor, limitReaders, newWorld, openSession, Tunnel, type World } from './world.ts'

const pinned = { pin_source_ip: true }

/** Where the edge sees her program. The proxy sees every test at 127.0.0.1. */
const asksFrom = ({ lea }: World, address: string) => void Object.assign(lea.program.visitor, { address })

const connecting = async (world: World) =>
  (await Tunnel.open(world.proxy)).connect(await grantFor(world, world.lea), world.lea)

test('a grant that was asked for from another address opens nothing, and both ends are told which', async () => {
  const world = await newWorld({ tap: false })
  await limitReaders(world, pinned)
  asksFrom(world, '203.0.113.7')
  const { status, json } = await connecting(world)
  expect([status, json['error']]).toEqual([403, 'access_denied'])
  expect(json['message']).toMatch(/asked from \(203\.0\.113\.7\), and this connection comes from 127\.0\.0\.1/)
  expect(world.database.connections).toHaveLength(0)
  await until(() => eventsOf(world.edge).length === 1)
  expect(eventsOf(world.edge)[0]).toMatchObject({ kind: 'session.refuse', code: 'session_refused' })
  expect(String(eventsOf(world.edge)[0]?.['detail'])).toMatch(/another_address.*203\.0\.113\.7.*127\.0\.0\.1/)
})

test('with a tap it is the address in the intent: the exchange from the right one helps nobody', async () => {
  const world = await newWorld()
  await limitReaders(world, { ...pinned, require_session_mfa: true })
  asksFrom(world, '203.0.113.7')
  const { lea } = world
  const page = lea.visitor.post.bind(lea.visitor)
  // Asked from elsewhere, tapped, and then fetched from here.
  Object.assign(lea.visitor, {
    post: (...given: Parameters<typeof page>) => {
      asksFrom(world, '127.0.0.1')
      return page(...given)
    },
  })
  const grant = await grantFor(world, lea)
  expect(decodeJwt<{ session: { address: string } }>(grant).session.address).toBe('203.0.113.7')
  expect((await (await Tunnel.open(world.proxy)).connect(grant, lea)).status).toBe(403)
})

test.for(['127.0.0.1', '::1', '::ffff:127.0.0.1', '127.8.8.8'])(
  'asked from %s, which is this machine as well, it opens',
  async (address) => {
    const world = await newWorld({ tap: false })
    await limitReaders(world, pinned)
    asksFrom(world, address)
    await openSession(world)
  },
)

test.for(['unknown', ''])('where the edge cannot tell the address ("%s") it signs no grant', async (address) => {
  const world = await newWorld({ tap: false })
  asksFrom(world, address)
  await openSession(world)
  await limitReaders(world, pinned)
  await expect(grantFor(world, world.lea)).rejects.toThrow('the edge cannot see yours')
  asksFrom(world, '127.0.0.1')
  await openSession(world)
})

test('a role that says so meanwhile cuts what came from elsewhere, and nothing else', async () => {
  const world = await newWorld({ tap: false })
  asksFrom(world, '203.0.113.7')
  const elsewhere = await openSession(world)
  asksFrom(world, '127.0.0.1')
  const here = await openSession(world)
  await limitReaders(world, pinned)
  expect(await elsewhere.until((said) => said.includes('57P01'))).toContain('this connection comes from 127.0.0.1')
  await elsewhere.closed
  expect(here.socket.destroyed).toBe(false)
  expect(world.proxy.serving.sessions.count).toBe(1)
})
