/** Connections of static routes: where they count, how many there may be, and how they end when the proxy stops. */
import { expect, test } from 'vitest'
import { message, records, sni } from '../../core/hello-writer.ts'
import { ask, until } from '../proxy.ts'
import { startDatabase as startService } from '../sessions/database.ts'
import { connectTo, endsOf, startHanging, startRoutes } from './routes.ts'

const hello = records(message(sni('a.test')))

async function opened(limits = {}) {
  const service = await startService(() => undefined, { allowHalfOpen: true })
  const proxy = await startRoutes([{ backends: [service.uri] }], { limits })
  const open = async () => {
    const client = await connectTo(proxy)
    client.socket.once('end', () => client.socket.end())
    client.socket.write(hello)
    return client
  }
  return { service, proxy, open }
}

test('they leave the places of those that are undecided', async () => {
  const { proxy, open } = await opened({ connections: 1, connectionsOfOneNetwork: 1 })
  for (const count of [1, 2, 3]) {
    await open()
    await until(() => proxy.serving.relays.count === count)
  }
  expect((await ask(proxy, '/.well-known/sallyport')).status).toBe(200)
})

test.each([
  [{ relays: 2 }, 'too_many_connections'],
  [{ relaysOfOneNetwork: 2 }, 'too_many_of_one_network'],
])('with %j the third is closed, and has its place when another one ends', async (limits, code) => {
  const { proxy, open, service } = await opened(limits)
  const [first] = [await open(), await open()]
  await until(() => proxy.serving.relays.count === 2)
  await (await open()).closed
  await expect.poll(proxy.codes).toEqual([code])
  expect(service.connections).toHaveLength(2)
  first.socket.resetAndDestroy()
  await until(() => proxy.serving.relays.count === 1)
  await open()
  await until(() => proxy.serving.relays.count === 2)
  // They take no room from sessions.
  expect(proxy.serving.sessions.count).toBe(0)
})

test('a proxy that stops lets them go on, then ends them, and resets who does not end', async () => {
  const { proxy, open, service } = await opened({ drainMs: 400 })
  const [quick, slow] = [await open(), await open()]
  const deaf = await connectTo(proxy)
  deaf.socket.write(hello)
  await until(() => service.connections.length === 3 && proxy.serving.relays.count === 3)
  const from = performance.now()
  const stopped = proxy.stop()
  quick.socket.write('last words')
  await until(() => service.connections.some((one) => one.said().endsWith('last words')))
  quick.socket.end()
  for (const one of service.connections) if (one.said().endsWith('last words')) one.socket.end()
  expect(await quick.closed).toBeUndefined()
  await until(() => slow.ended() && deaf.ended())
  expect(performance.now() - from).toBeGreaterThan(350)
  expect(await slow.closed).toBeUndefined()
  expect(deaf.socket.closed).toBe(false)
  // Who has read an end hears of a reset when he writes.
  await until(() => {
    deaf.socket.write('x')
    return deaf.socket.closed
  }, 10_000)
  await stopped
  expect(endsOf(proxy).map(({ code }) => code)).toEqual(['ended', 'proxy_stopping', 'proxy_stopping'])
})

test('one that is still dialling is cut too', async () => {
  const proxy = await startRoutes([{ backends: [await startHanging()] }], { limits: { drainMs: 100, dialMs: 20_000 } })
  const client = await connectTo(proxy)
  client.socket.write(hello)
  await until(() => proxy.serving.relays.count === 1)
  await proxy.stop()
  expect(await client.closed).toBe('ECONNRESET')
  expect(endsOf(proxy)).toMatchObject([{ code: 'proxy_stopping' }])
})
