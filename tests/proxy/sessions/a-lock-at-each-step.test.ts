/** A lock that comes while a session opens, at each step of its way: either it never opens, or it is cut. None is left. */
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { call, lockOf, putDocuments } from '../../people.ts'
import { until } from '../proxy.ts'
import { message, startDatabase, startup, welcome } from './database.ts'
import { eventsOf, grantFor, newWorld, silentPort, Tunnel, type World } from './world.ts'

const steps = [
  'before discovery',
  'before the grant',
  'before CONNECT',
  'before the database speaks',
  'before it says N',
  'before the startup message',
  'in the middle of the startup message',
  'before the welcome',
  'in the middle of the welcome',
  'once it is ready',
] as const
type Step = (typeof steps)[number]
type At = (step: Step) => Promise<void>

const lock = async ({ admin }: World) => {
  expect((await putDocuments(admin, [lockOf('Lea', { message: 'Call the office.' })])).status).toBe(200)
}

async function unlock({ admin, proxy }: World): Promise<void> {
  expect((await call(admin, 'DELETE', '/v1/documents/lock/lock-lea')).status).toBe(200)
  await proxy.serving.trust.ask()
}

/** A database that stops at each of its steps. */
const stepping = (at: At) => (socket: Socket) => {
  const silent = at('before the database speaks')
  socket.once('data', async () => {
    await silent
    await at('before it says N')
    socket.write('N')
    socket.once('data', async () => {
      await at('before the welcome')
      socket.write(welcome.subarray(0, 3))
      await at('in the middle of the welcome')
      socket.write(welcome.subarray(3))
    })
  })
}

/** All that a client does, the next step only where the one before was answered. Whether it got to the end. */
async function goThrough(world: World, tunnel: Tunnel, at: At, early: string | undefined): Promise<boolean> {
  const { edge, lea } = world
  await at('before discovery')
  await tunnel.discover(lea, edge.ports.now)
  await at('before the grant')
  const grant = early ?? (await grantFor(world, lea))
  await at('before CONNECT')
  const { status } = await tunnel.connect(grant, lea)
  if (status !== 200) return false
  await at('before the startup message')
  const first = startup({ user: 'reader', database: 'orders' })
  tunnel.socket.write(first.subarray(0, 11))
  await at('in the middle of the startup message')
  tunnel.socket.write(first.subarray(11))
  await tunnel.until((said) => said.endsWith('Z\0\0\0\x05I'))
  return true
}

test.for(steps)('%s: ten of ten are not open afterwards', async (chosen) => {
  const what: { at: At } = { at: async () => undefined }
  const database = await startDatabase(stepping((step) => what.at(step)))
  const world = await newWorld({ tap: false, database, askEvery: 60_000 })
  const { lea, proxy } = world
  for (let round = 0; round < 10; round++) {
    const early = round % 2 === 0 ? await grantFor(world, lea) : undefined
    const tunnel = await Tunnel.open(proxy)
    let isLocked = false
    what.at = async (step) => {
      if (step !== chosen) return
      await lock(world)
      await proxy.serving.trust.ask()
      isLocked = true
    }
    const gotThrough = await goThrough(world, tunnel, what.at, early).catch(() => false)
    await what.at('once it is ready')
    expect({ isLocked, gotThrough }).toEqual({ isLocked: true, gotThrough: chosen === 'once it is ready' })
    tunnel.socket.write(message('Q', 'after the lock\0'))
    // Of its own accord, but for a connection on which nothing was granted yet.
    if (tunnel.socket.destroyed || proxy.serving.sessions.count > 0 || gotThrough) await tunnel.closed
    expect(proxy.serving.sessions.count).toBe(0)
    await Promise.all(database.connections.map(({ closed }) => closed))
    expect(database.connections.some(({ said }) => said().includes('after the lock'))).toBe(false)
    await unlock(world)
  }
  await until(() => proxy.serving.events.waiting === 0)
  const kinds = eventsOf(world.edge).map(({ kind }) => kind)
  const count = (kind: string) => kinds.filter((one) => one === kind).length
  expect(count('session.start')).toBe(count('session.stop'))
})

test('while a database that says nothing is dialled: at once, not when its time is over', async () => {
  const port = await silentPort()
  const database = { uri: `127.0.0.1:${port}`, port, connections: [], stop: async () => undefined }
  const world = await newWorld({ tap: false, database, askEvery: 60_000, limits: { dialMs: 600_000 } })
  const { lea, proxy } = world
  const tunnel = await Tunnel.open(proxy)
  const opening = tunnel.connect(await grantFor(world, lea), lea)
  await until(() => proxy.serving.sessions.count === 1)
  await lock(world)
  await proxy.serving.trust.ask()
  const { status, json } = await opening
  expect(status).toBe(403)
  expect(json['message']).toContain('Call the office.')
  expect(proxy.serving.sessions.count).toBe(0)
})

test('while its grant is checked, of what was known a moment before: nothing is dialled', async () => {
  const world = await newWorld({ tap: false, askEvery: 60_000 })
  const { database, lea, proxy } = world
  const grant = await grantFor(world, lea)
  const { trust } = proxy.serving
  const before = trust.fresh()
  await lock(world)
  await trust.ask()
  // The lock comes behind the last look of that check: then every session that is listed has been decided again, and this one is not yet.
  const fresh = trust.fresh.bind(trust)
  let looks = 0
  Object.assign(trust, { fresh: () => (++looks <= 2 ? before : fresh()) })
  expect((await (await Tunnel.open(proxy)).connect(grant, lea)).status).toBe(403)
  expect(looks).toBe(3)
  expect(database.connections).toHaveLength(0)
})

test.for([
  ['user', 'Lea'],
  ['role', 'db-reader'],
] as const)(
  '100 locks on a %s at any moment, which the proxy hears of by itself: none is open five seconds later',
  { timeout: 90_000 },
  async ([kind, name]) => {
    const world = await newWorld({ tap: false, askEvery: 20 })
    const { lea, proxy } = world
    const outcomes = new Set<string>()
    const written = { kind: 'lock', version: 'v2', metadata: { name: 'lock-lea' }, spec: { target: { [kind]: name } } }
    for (let round = 0; round < 100; round++) {
      const [grant, tunnel] = [await grantFor(world, lea), await Tunnel.open(proxy)]
      const opening = tunnel.connect(grant, lea).then(
        async ({ status }) => {
          if (status === 200) tunnel.start()
          return status === 200 ? 'cut' : 'refused'
        },
        () => 'refused',
      )
      await sleep(Math.random() * 40)
      expect((await putDocuments(world.admin, [written])).status).toBe(200)
      const late = sleep(5000, 'still open', { ref: false })
      outcomes.add(await Promise.race([late, Promise.all([opening, tunnel.closed]).then(([outcome]) => outcome)]))
      await until(() => proxy.serving.sessions.count === 0)
      await unlock(world)
    }
    expect([...outcomes].sort()).not.toContain('still open')
    await Promise.all(world.database.connections.map(({ closed }) => closed))
  },
)
