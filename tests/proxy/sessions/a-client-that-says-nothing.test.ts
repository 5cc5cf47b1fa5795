/** client_idle_timeout: what the other side says does not keep a session, and who is waiting to be read is not silent. */
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { newPerson, putDocuments } from '../../people.ts'
import { until } from '../proxy.ts'
import { echo, message, politely, startDatabase } from './database.ts'
import { eventsOf, grantFor, limitReaders, newWorld, openSession, Tunnel } from './world.ts'

/** Longer than the proxy takes to look once more. */
const aLook = 1500

test('a client that says nothing for so long is cut, however much the database says', async () => {
  let talking: NodeJS.Timeout | undefined
  const database = await startDatabase(
    politely((socket) => {
      talking = setInterval(() => socket.write(message('N', 'a notice\0')), 50)
    }),
  )
  const world = await newWorld({ tap: false, database })
  await limitReaders(world, { client_idle_timeout: '2m' })
  const tunnel = await openSession(world)
  tunnel.socket.write(message('Q', 'talk\0'))
  await tunnel.until((said) => said.includes('a notice'))
  await sleep(aLook)
  world.edge.advance(120_000)
  const said = await tunnel.until((text) => text.includes('57P01'))
  clearInterval(talking)
  expect(said).toContain('Nothing has come from your side for 2 minutes')
  await tunnel.closed
  await until(() => eventsOf(world.edge).length === 2)
  expect(String(eventsOf(world.edge)[1]?.['detail'])).toContain('client_idle')
})

test('one that speaks now and then goes on', async () => {
  const world = await newWorld({ tap: false })
  await limitReaders(world, { client_idle_timeout: '2m' })
  const tunnel = await openSession(world)
  for (let round = 0; round < 3; round++) {
    tunnel.socket.write(message('Q', `word ${round}\0`))
    await tunnel.until((said) => said.includes(`word ${round}`))
    await sleep(aLook)
    world.edge.advance(100_000)
  }
  await sleep(aLook)
  expect(tunnel.said).not.toContain('57P01')
  world.edge.advance(20_000)
  await tunnel.until((said) => said.includes('57P01'))
})

test('a role that says so meanwhile holds for open sessions; the proxy’s own limit stands beside it', async () => {
  const world = await newWorld({ tap: false, limits: { sessionIdleMs: 3000 } })
  const tunnel = await openSession(world)
  await limitReaders(world, { client_idle_timeout: '2m' })
  world.edge.advance(120_000)
  expect(await tunnel.until((said) => said.includes('57P01'))).toContain('Nothing has come from your side')
  const other = await openSession(world)
  expect(await other.until((said) => said.includes('57P01'))).toContain('The session was idle for 3 seconds')
})

test('a clock that is set back gives it no more time', async () => {
  const world = await newWorld({ tap: false })
  await limitReaders(world, { client_idle_timeout: '2m' })
  const tunnel = await openSession(world)
  await sleep(aLook)
  world.edge.advance(-600_000)
  await sleep(aLook)
  world.edge.advance(120_000)
  await tunnel.until((said) => said.includes('57P01'))
})

test('who is not read is not silent', async () => {
  const stuck: Socket[] = []
  const database = await startDatabase(
    politely((socket) => {
      socket.pause()
      stuck.push(socket)
    }),
  )
  const world = await newWorld({ tap: false, database })
  await limitReaders(world, { client_idle_timeout: '2m' })
  const tunnel = await openSession(world)
  const piece = message('d', Buffer.alloc(256 * 1024))
  let isFull = false
  for (let sent = 0; sent < 400 && !isFull; sent++) {
    isFull = !tunnel.socket.write(piece) && (await Promise.race([drained(tunnel), sleep(500, true)]))
  }
  expect(isFull).toBe(true)
  for (let round = 0; round < 2; round++) {
    await sleep(aLook)
    world.edge.advance(120_000)
  }
  await sleep(aLook)
  expect(world.proxy.serving.sessions.count).toBe(1)
  expect(tunnel.socket.destroyed).toBe(false)
  for (const socket of stuck) socket.destroy()
})

const drained = ({ socket }: Tunnel): Promise<false> => new Promise((done) => socket.once('drain', () => done(false)))

test('a host’s session is reset, without a word', async () => {
  const database = await startDatabase((socket) => socket.on('data', (bytes) => echo(socket, bytes)))
  const world = await newWorld({ tap: false, database })
  const { admin, edge, proxy } = world
  const node = {
    kind: 'node',
    version: 'v2',
    metadata: { name: 'web-1', labels: { env: 'dev' } },
    spec: { addr: database.uri },
  }
  const options = { client_idle_timeout: '2m' }
  const spec = { options, allow: { node_labels: { '*': '*' }, logins: ['root'] } }
  const role = { kind: 'role', version: 'v7', metadata: { name: 'ssh' }, spec }
  expect((await putDocuments(admin, [node, role])).status).toBe(200)
  const sam = await newPerson(admin, 'Sam', ['access', 'ssh'])
  await proxy.serving.trust.ask()
  const { id, boot } = proxy.identity
  const ask = { resource: { kind: 'node', name: 'web-1' }, principal: { login: 'root' }, proxy: { id, boot } } as const
  const tunnel = await Tunnel.open(proxy)
  expect((await tunnel.connect(await grantFor(world, sam, ask), sam, { name: 'web-1' })).status).toBe(200)
  await sleep(aLook)
  edge.advance(120_000)
  expect(await tunnel.closed).toBe('ECONNRESET')
  expect(tunnel.said).toBe('')
})
