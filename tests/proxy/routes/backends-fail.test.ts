/** A backend that is not reached: the next one is tried, and after the last the client gets a reset and the operator the reason. */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { issue, newCa } from '../../cli/certificates.ts'
import { message, records, sni } from '../../core/hello-writer.ts'
import { freePort } from '../../runtime/launch.ts'
import { dial, until } from '../proxy.ts'
import { startDatabase as startService } from '../sessions/database.ts'
import { connectTo, endsOf, filesOf, startHanging, startRoutes } from './routes.ts'

const hello = records(message(sni('a.test')))

async function said(backends: readonly string[], limits = {}) {
  const proxy = await startRoutes([{ backends }], { limits })
  const client = await connectTo(proxy)
  client.socket.write(hello)
  return { proxy, client }
}

test('down: a reset, not a single byte, and the code in log and metrics', async () => {
  const uri = `127.0.0.1:${await freePort()}`
  const { proxy, client } = await said([uri])
  expect(await client.closed).toBe('ECONNRESET')
  expect(client.said()).toBe('')
  expect(endsOf(proxy)).toMatchObject([
    { route: 'a', backend: uri, code: 'upstream_unreachable', address: '127.0.0.1', up: 0, down: 0 },
  ])
  expect(endsOf(proxy)[0]?.['ms']).toBeGreaterThanOrEqual(0)
  expect(proxy.metrics()).toContain('{message="connection ended",code="upstream_unreachable",route="a"} 1')
  expect(proxy.serving.relays.count).toBe(0)
})

test.each<[string, () => Promise<string>, string]>([
  ['down', async () => `127.0.0.1:${await freePort()}`, 'upstream_unreachable'],
  ['unknown', async () => 'nowhere.invalid:443', 'upstream_name_unknown'],
])('the first is %s: the second gets the very hello', async (_, first, code) => {
  const service = await startService((socket) => void socket.write('here'))
  const { proxy, client } = await said([await first(), service.uri])
  await until(() => client.said() === 'here')
  expect(service.connections[0]?.said()).toBe(Buffer.from(hello).toString('latin1'))
  expect(proxy.log).toMatchObject([{ message: 'backend not reached', level: 'warn', route: 'a', code }])
  client.socket.resetAndDestroy()
  await until(() => endsOf(proxy).length === 1)
  expect(endsOf(proxy)).toMatchObject([{ backend: service.uri, code: 'client_reset' }])
})

test('an unknown name', async () => {
  const { proxy, client } = await said(['nowhere.invalid:443'])
  expect(await client.closed).toBe('ECONNRESET')
  expect(endsOf(proxy)).toMatchObject([{ code: 'upstream_name_unknown' }])
})

test('the proxy itself, under a name of the machine', async () => {
  const port = await freePort()
  const proxy = await startRoutes([{ backends: [`localhost:${port}`] }], { port })
  const client = await connectTo(proxy)
  client.socket.write(hello)
  expect(await client.closed).toBe('ECONNRESET')
  expect(endsOf(proxy)).toMatchObject([{ code: 'upstream_address_refused' }])
})

test('all of them together have so much time', async () => {
  const hanging = await startHanging()
  const { proxy, client } = await said([hanging, hanging], { dialMs: 300 })
  expect(await client.closed).toBe('ECONNRESET')
  // The first took all of it: nothing is said of others.
  expect(proxy.log).toMatchObject([{ message: 'connection ended', code: 'upstream_too_slow', backend: hanging }])
  expect(endsOf(proxy)[0]?.['ms']).toBeLessThan(2000)
})

test('the second is tried when the first has not answered in its time', async () => {
  const service = await startService((socket) => void socket.write('here'))
  const { proxy, client } = await said([await startHanging(), service.uri], { dialOneMs: 300 })
  await until(() => client.said() === 'here')
  expect(proxy.log).toMatchObject([{ message: 'backend not reached', code: 'upstream_too_slow' }])
})

async function behindTls(backends: readonly string[]) {
  const ca = await newCa()
  const own = await issue('a.test', { by: ca, names: ['a.test'] })
  const certificate = filesOf({ certificate: own.pem, key: own.key })
  const proxy = await startRoutes([{ tls: 'terminate', certificate, backends }])
  const open = (socket?: Socket) => dial({ ...proxy, ca: ca.pem }, { servername: 'a.test', ...(socket && { socket }) })
  return { proxy, open }
}

test('behind TLS that ended here: a reset too', async () => {
  const { proxy, open } = await behindTls([`127.0.0.1:${await freePort()}`])
  expect(await (await open()).closed).toBe('ECONNRESET')
  expect(endsOf(proxy)).toMatchObject([{ code: 'upstream_unreachable' }])
})

test.each<[string, (raw: Socket) => unknown]>([
  ['resets', (raw) => raw.resetAndDestroy()],
  ['writes what is no record', (raw) => raw.write('GET / HTTP/1.1')],
])('a client behind TLS that %s meanwhile', async (_, leave) => {
  const { proxy, open } = await behindTls([await startHanging()])
  const raw = connect({ port: proxy.port, host: '127.0.0.1' })
  raw.on('error', () => undefined)
  await open(raw)
  await until(() => proxy.serving.relays.count === 1)
  leave(raw)
  await until(() => proxy.serving.relays.count === 0)
  expect(endsOf(proxy)).toMatchObject([{ code: 'client_reset' }])
})

test('a client that leaves meanwhile leaves nothing behind', async () => {
  const { proxy, client } = await said([await startHanging()])
  await until(() => proxy.serving.relays.count === 1)
  client.socket.resetAndDestroy()
  await until(() => proxy.serving.relays.count === 0)
  expect(endsOf(proxy)).toMatchObject([{ code: 'client_reset', up: 0 }])
})

test('for a client that has left no other backend is tried', async () => {
  const service = await startService(() => undefined)
  const { proxy, client } = await said([await startHanging(), service.uri], { dialOneMs: 300 })
  await until(() => proxy.serving.relays.count === 1)
  client.socket.resetAndDestroy()
  await sleep(500)
  expect(service.connections).toEqual([])
})
