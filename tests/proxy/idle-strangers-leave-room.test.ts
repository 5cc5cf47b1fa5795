/** Strangers who connect and say nothing, at every cap: whoever has something to say still gets in. */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import process from 'node:process'
import { expect, test } from 'vitest'
import { ask, atEnd, dial, head, startProxy, until } from './proxy.ts'
import { message } from './sessions/database.ts'
import { grantFor, newWorld, openSession, silentPort, Tunnel } from './sessions/world.ts'

const edge = 'http://localhost:1'

/** Linux and Windows have all of 127.0.0.0/8. */
const missingAddresses = process.platform === 'darwin' ? 'this machine has no 127.0.0.2' : undefined

/** Both ends of each connection are this process's. */
function missingDescriptors(wanted: number): string | undefined {
  if (process.platform !== 'linux') return undefined
  const [, most = ''] = /^Max open files +\S+ +(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
  return Number(most) < wanted ? `the limit of open files is ${most}, not ${wanted}` : undefined
}

function stranger(port: number, localAddress: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  atEnd(() => socket.destroy())
  socket.on('error', () => undefined).resume()
  return new Promise((done) => socket.once('connect', () => done(socket)).once('close', () => done(socket)))
}

/** So many from each network: as many at once as a kernel lets wait. */
async function strangers(port: number, networks: number, ofEach: number, from = 0): Promise<Socket[]> {
  const all: Socket[] = []
  for (let network = from; network < from + networks; network++) {
    const address = `127.0.${1 + Math.floor(network / 250)}.${1 + (network % 250)}`
    all.push(...(await Promise.all(Array.from({ length: ofEach }, () => stranger(port, address)))))
  }
  return all
}

const stay = (all: readonly Socket[]) => all.filter(({ closed }) => !closed)

test('one network takes its own places and no others', async (context) => {
  if (missingAddresses) return context.skip(missingAddresses)
  const proxy = await startProxy({ edge, limits: { connectionsOfOneNetwork: 3 } })
  const [first, ...others] = await strangers(proxy.port, 1, 4)
  await until(() => first?.closed === true)
  await expect
    .poll(() => proxy.log)
    .toMatchObject([{ message: 'connection ended', code: 'too_many_of_one_network', address: '127.0.1.1' }])
  expect((await ask(proxy, '/.well-known/sallyport')).status).toBe(200)
  expect(stay(others)).toHaveLength(3)
})

test('whoever asks for something has moved: a neighbour who only listens goes first', async () => {
  const proxy = await startProxy({ edge, limits: { connectionsOfOneNetwork: 2 } })
  const asking = await dial(proxy)
  const silent = await stranger(proxy.port, '127.0.0.1')
  asking.send(head('GET /.well-known/sallyport HTTP/1.1', 'Host: localhost'))
  await until(() => asking.said().includes('issuer'))
  await stranger(proxy.port, '127.0.0.1')
  await until(() => silent.closed)
  expect(asking.socket.closed).toBe(false)
})

test('who waits for a tap has shown whose he is, and a session that is dialled what it is: neither needs a place', async () => {
  const port = await silentPort()
  const database = { uri: `127.0.0.1:${port}`, port, connections: [], stop: async () => undefined }
  const world = await newWorld({ tap: false, database, limits: { connectionsOfOneNetwork: 1 } })
  const { edge, lea, proxy } = world
  const waiting = await Tunnel.open(proxy)
  expect((await waiting.discover(lea, edge.ports.now)).status).toBe(200)
  const dialling = await Tunnel.open(proxy)
  dialling.send(...(await dialling.connectLines(await grantFor(world, lea), lea.program.key, lea.program.iat)))
  await until(() => proxy.serving.sessions.count === 1)
  const [first] = [await stranger(proxy.port, '127.0.0.1'), await stranger(proxy.port, '127.0.0.1')]
  await until(() => first.closed)
  await expect.poll(proxy.codes).toEqual(['too_many_of_one_network'])
  expect([waiting.socket.closed, dialling.socket.closed]).toEqual([false, false])
})

test('2,000 idle strangers at both caps: sessions and waiting users stay, and users still get in', async (context) => {
  const missing = missingAddresses ?? missingDescriptors(6000)
  if (missing) return context.skip(missing)
  // Nobody's place is free again by a deadline.
  const world = await newWorld({ limits: { handshakeMs: 600_000 } })
  const { edge, lea, proxy } = world
  const open = await openSession(world)
  const waiting = await Tunnel.open(proxy)
  expect((await waiting.discover(lea, edge.ports.now)).status).toBe(200)
  const all = await strangers(proxy.port, 20, 100)
  await until(() => stay(all).length === 1024, 20_000)
  const count = (code: string) => proxy.codes().filter((one) => one === code).length
  expect(count('too_many_of_one_network')).toBeGreaterThan(0)
  expect(count('too_many_connections')).toBeGreaterThan(0)
  expect(all.length).toBe(2000)

  expect((await ask(proxy, '/.well-known/sallyport')).status).toBe(200)
  open.socket.write(message('Q', 'still here\0'))
  await open.until((said) => said.includes('still here'))
  expect((await waiting.connect(await grantFor(world, lea), lea)).status).toBe(200)
  const next = await openSession(world)
  next.socket.write(message('Q', 'in\0'))
  await next.until((said) => said.includes('in\0'))
  expect(stay(all).length).toBeGreaterThan(1000)
}, 60_000)

test('strangers of 1,100 networks, none of which has more than a user has: the stillest goes', async (context) => {
  const missing = missingAddresses ?? missingDescriptors(6000)
  if (missing) return context.skip(missing)
  const world = await newWorld({ tap: false, limits: { handshakeMs: 600_000 } })
  const all = await strangers(world.proxy.port, 1100, 1)
  await until(() => stay(all).length === 1024, 20_000)
  const held = all.slice(-1024)
  expect(stay(held)).toHaveLength(1024)
  // As fast as they come, whoever has got further is not the one that has stood still the longest.
  const [tunnel] = await Promise.all([openSession(world), strangers(world.proxy.port, 200, 1, 1100)])
  tunnel.socket.write(message('Q', 'in\0'))
  await tunnel.until((said) => said.includes('in\0'))
  expect(world.proxy.codes()).not.toContain('too_many_of_one_network')
}, 60_000)
