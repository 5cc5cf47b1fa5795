/** An end is passed on as an end and a reset as a reset, both ways; nobody's buffers grow. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { message, records, sni } from '../../core/hello-writer.ts'
import { until } from '../proxy.ts'
import { startDatabase as startService } from '../sessions/database.ts'
import { connectTo, endsOf, startRoutes } from './routes.ts'

const hello = records(message(sni('a.test')))

async function opened(onConnection: Parameters<typeof startService>[0], limits = {}) {
  const service = await startService(onConnection, { allowHalfOpen: true })
  const proxy = await startRoutes([{ backends: [service.uri] }], { limits })
  const client = await connectTo(proxy)
  client.socket.write(hello)
  await until(() => (service.connections[0]?.said().length ?? 0) >= hello.length)
  const [connection] = service.connections
  if (!connection) throw new Error('no connection')
  return { proxy, client, service: connection }
}

test('an answer that comes after the client has ended its side arrives', async () => {
  const { client, service } = await opened((socket) => {
    socket.on('end', () => void setTimeout(() => socket.end('late'), 100))
  })
  client.socket.end('last')
  expect(await client.closed).toBeUndefined()
  expect(client.said()).toBe('late')
  expect(service.said()).toMatch(/last$/)
})

test('a client goes on after the service has ended its side', async () => {
  const { client, service } = await opened((socket) => void socket.end('bye'))
  await until(() => client.ended())
  client.socket.end('still here')
  expect(await service.closed).toBeUndefined()
  expect(service.said()).toMatch(/still here$/)
})

test('where one side has ended and nothing comes, it is not waited for', async () => {
  const { client, proxy } = await opened(() => undefined, { halfCloseIdleMs: 200 })
  client.socket.end()
  expect(await client.closed).toBe('ECONNRESET')
  expect(endsOf(proxy)).toMatchObject([{ code: 'half_closed_too_long' }])
})

test('one that is idle is closed', async () => {
  const { client, proxy } = await opened(() => undefined, { sessionIdleMs: 200 })
  expect(await client.closed).toBe('ECONNRESET')
  expect(endsOf(proxy)).toMatchObject([{ code: 'session_idle' }])
})

test('a reset of the service is a reset for the client', async () => {
  const { client, service, proxy } = await opened(() => undefined)
  service.socket.resetAndDestroy()
  expect(await client.closed).toBe('ECONNRESET')
  expect(endsOf(proxy)).toMatchObject([{ code: 'upstream_reset', up: hello.length, down: 0 }])
})

test('a reset of the client is a reset for the service', async () => {
  const { client, service, proxy } = await opened(() => undefined)
  client.socket.resetAndDestroy()
  expect(await service.closed).toBe('ECONNRESET')
  expect(endsOf(proxy)).toMatchObject([{ code: 'client_reset' }])
})

const piece = Buffer.alloc(64 * 1024, 'x')

/** Writes as fast as it may, until nothing more is taken for half a second; answers how much was. */
async function flood(write: (bytes: Buffer, taken: () => void) => boolean): Promise<number> {
  let [written, lastAt] = [0, Date.now()]
  const more = (): void => {
    while (written < 256 * 1024 * 1024) {
      written += piece.length
      lastAt = Date.now()
      if (!write(piece, more)) return
    }
  }
  more()
  while (Date.now() - lastAt < 500) await sleep(50)
  return written
}

const writer =
  (socket: import('node:net').Socket) =>
  (bytes: Buffer, again: () => void): boolean => {
    const isTaken = socket.write(bytes)
    if (!isTaken) socket.once('drain', again)
    return isTaken
  }

/** What the kernels hold on both ways, and a buffer or two. */
const mostHeld = 48 * 1024 * 1024

test('a client that reads nothing holds the service back, and then gets all of it', async () => {
  const { client, service, proxy } = await opened(() => undefined)
  client.socket.pause()
  const before = process.memoryUsage().rss
  const written = await flood(writer(service.socket))
  expect(written).toBeLessThan(mostHeld)
  expect(process.memoryUsage().rss - before).toBeLessThan(mostHeld)
  service.socket.end()
  client.socket.resume().end()
  expect(await client.closed).toBeUndefined()
  expect(client.said().length).toBe(written)
  await until(() => endsOf(proxy).length === 1)
  expect(endsOf(proxy)).toMatchObject([{ code: 'ended', up: hello.length, down: written }])
})

test('a service that reads nothing holds the client back', async () => {
  const { client, service } = await opened((socket) => void socket.once('data', () => socket.pause()))
  expect(await flood(writer(client.socket))).toBeLessThan(mostHeld)
  expect(service.socket.isPaused()).toBe(true)
})
