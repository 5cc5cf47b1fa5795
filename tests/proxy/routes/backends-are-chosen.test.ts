/** Which backend gets a connection: those that answer, as the route balances them; where none does, it fails at once. */
import { createServer, type Server } from 'node:net'
import { expect, test } from 'vitest'
import type { HealthCheck } from '../../../proxy/health.ts'
import { message, records, sni } from '../../core/hello-writer.ts'
import { freePort } from '../../runtime/launch.ts'
import { atEnd, until } from '../proxy.ts'
import { type Client, connectTo, endsOf, startHanging, startRoutes } from './routes.ts'

const hello = records(message(sni('a.test')))
const quick: HealthCheck = { interval: 50, timeout: 50, rise: 2, fall: 3 }

/** Greets with its name whoever says something, so what only looks whether it is there is not greeted. */
function serverOf(name: string): Server {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.write(name))
    atEnd(() => socket.destroy())
  })
  atEnd(() => new Promise((done) => server.close(done)))
  return server
}

async function listen(server: Server, port = 0): Promise<string> {
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done))
  return `127.0.0.1:${(server.address() as { port: number }).port}`
}

type Routed = Awaited<ReturnType<typeof startRoutes>>

async function greeted(proxy: Routed): Promise<{ readonly name: string; readonly client: Client }> {
  const client = await connectTo(proxy)
  client.socket.write(hello)
  await until(() => client.said() !== '' || client.socket.closed)
  return { name: client.said(), client }
}

const ups = ({ serving }: Routed) => serving.routing.choices.get('a')?.backends.map(({ isUp }) => isUp)

test('the first that is down costs no connection its refusal; once it is back it is the first again', async () => {
  const port = await freePort()
  const proxy = await startRoutes([{ backends: [`127.0.0.1:${port}`, await listen(serverOf('two'))], health: quick }])
  await until(() => ups(proxy)?.[0] === false)
  for (let n = 0; n < 3; n++) expect((await greeted(proxy)).name).toBe('two')
  expect(proxy.log.filter(({ message: text }) => text === 'backend not reached')).toEqual([])
  expect(proxy.log).toMatchObject([{ level: 'warn', message: 'backend down', backend: `127.0.0.1:${port}` }])
  await listen(serverOf('one'), port)
  await until(() => ups(proxy)?.[0] === true)
  expect((await greeted(proxy)).name).toBe('one')
})

test('all down: a reset at once, nothing is dialled, and log and metrics say why', async () => {
  const backends = [`127.0.0.1:${await freePort()}`, await startHanging()]
  const proxy = await startRoutes([{ backends, health: quick }])
  await until(() => ups(proxy)?.includes(true) === false)
  const client = await connectTo(proxy)
  client.socket.write(hello)
  expect(await client.closed).toBe('ECONNRESET')
  const line = proxy.log.find(({ message: text }) => text === 'connection ended')
  expect(line).toMatchObject({ route: 'a', code: 'no_healthy_backend', closed_by: 'upstream', up: 0, down: 0 })
  expect(Number(line?.['ms'])).toBeLessThan(1000)
  expect(proxy.metrics()).toContain('code="no_healthy_backend",route="a"} 1\n')
})

test('one that dies while it serves goes after as many failures as are allowed, those of connections counted too', async () => {
  const one = serverOf('one')
  const backends = [await listen(one), await listen(serverOf('two'))]
  // Only the first look comes in the time of this test.
  const proxy = await startRoutes([{ backends, health: { ...quick, interval: 60_000, timeout: 1000 } }])
  expect((await greeted(proxy)).name).toBe('one')
  // It listens no more.
  one.close()
  for (let n = 0; n < 4; n++) expect((await greeted(proxy)).name).toBe('two')
  const failed = proxy.log.filter(({ message: text }) => text === 'backend not reached')
  expect(failed).toHaveLength(3)
  await until(() => ups(proxy)?.[0] === false)
  expect(ups(proxy)?.[1]).toBe(true)
})

test('round_robin: in turn', async () => {
  const backends = [await listen(serverOf('one')), await listen(serverOf('two')), await listen(serverOf('three'))]
  const proxy = await startRoutes([{ backends, balance: 'round_robin' }])
  const names: string[] = []
  for (let n = 0; n < 6; n++) names.push((await greeted(proxy)).name)
  expect(names).toEqual(['one', 'two', 'three', 'one', 'two', 'three'])
})

test('least_connections: whoever has the fewest that are open', async () => {
  const backends = [await listen(serverOf('one')), await listen(serverOf('two'))]
  const proxy = await startRoutes([{ backends, balance: 'least_connections' }])
  const [first, second, third] = [await greeted(proxy), await greeted(proxy), await greeted(proxy)]
  expect([first.name, second.name].toSorted()).toEqual(['one', 'two'])
  const [kept, freed] = third.name === first.name ? [first, second] : [second, first]
  // Two are open to the one, and now none to the other.
  freed.client.socket.resetAndDestroy()
  await until(() => endsOf(proxy).length === 1)
  for (let n = 0; n < 2; n++) expect((await greeted(proxy)).name).toBe(freed.name)
  expect(kept.name).not.toBe(freed.name)
})

test('one alone is dialled whatever it did before, unless it is asked for', async () => {
  const port = await freePort()
  const proxy = await startRoutes([{ backends: [`127.0.0.1:${port}`] }])
  expect((await greeted(proxy)).name).toBe('')
  await listen(serverOf('one'), port)
  expect((await greeted(proxy)).name).toBe('one')
})

test('the next is tried only before the first byte: what has begun is not begun again', async () => {
  const breaks = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.resetAndDestroy())
  })
  atEnd(() => new Promise((done) => breaks.close(done)))
  const proxy = await startRoutes([{ backends: [await listen(breaks), await listen(serverOf('two'))] }])
  const { name, client } = await greeted(proxy)
  expect(name).toBe('')
  expect(await client.closed).toBe('ECONNRESET')
  expect(endsOf(proxy)).toMatchObject([{ code: 'upstream_reset', closed_by: 'upstream' }])
})
