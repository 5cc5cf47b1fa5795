/** A hello reaches the service of its name, byte for byte, and TLS ends there. */
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { alpn, join, message, pieces, records, sni } from '../../core/hello-writer.ts'
import { atEnd, dial, until } from '../proxy.ts'
import { startDatabase as startService } from '../sessions/database.ts'
import { connectTo, endsOf, startRoutes, startTlsService } from './routes.ts'

async function twoServices() {
  const [one, two] = [await startTlsService('one'), await startTlsService('two', { ALPNProtocols: ['h2', 'x'] })]
  const proxy = await startRoutes([
    { name: 'one', sni: ['a.test'], backends: [one.uri] },
    { name: 'two', sni: ['*.a.test', 'b.test'], backends: [two.uri] },
  ])
  return { one, two, proxy }
}

test.each([
  ['a.test', 'one', 'one a.test false'],
  ['A.Test.', 'one', 'one A.Test. false'],
  ['b.test', 'two', 'two b.test false'],
  ['x.a.test', 'two', 'two x.a.test false'],
] as const)('%s reaches service %s, which shows its own certificate', async (servername, name, greeting) => {
  const { proxy, ...services } = await twoServices()
  const { ca } = services[name]
  const wire = await dial({ ...proxy, ca }, { servername, checkServerIdentity: () => undefined })
  expect(wire.socket.authorized).toBe(true)
  await until(() => wire.said() === `${greeting}\n`)
  wire.send('hello')
  await until(() => wire.said().endsWith('hello'))
  wire.socket.end()
  await wire.closed
  await until(() => endsOf(proxy).length === 1)
  expect(endsOf(proxy)).toMatchObject([
    { route: name, backend: services[name].uri, code: 'ended', address: '127.0.0.1' },
  ])
  expect(endsOf(proxy)[0]?.['up']).toBeGreaterThan(200)
  expect(endsOf(proxy)[0]?.['down']).toBeGreaterThan(200)
  expect(proxy.metrics()).toContain(
    `sallyport_proxy_log_total{message="connection ended",code="ended",route="${name}"} 1`,
  )
})

test('the service picks the ALPN', async () => {
  const { proxy, two } = await twoServices()
  const wire = await dial({ ...proxy, ca: two.ca }, { servername: 'b.test', ALPNProtocols: ['x', 'h2'] })
  await until(() => wire.said() === 'two b.test h2\n')
})

test('openssl s_client is served as well', async () => {
  const { proxy } = await twoServices()
  const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${proxy.port}`, '-servername', 'b.test', '-quiet'])
  atEnd(() => child.kill())
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    said += part
  })
  await until(() => said === 'two b.test false\n')
})

const hello = records(message(sni('a.test'), alpn('h2')), 50)
const behind = Buffer.from('bytes behind the hello, such as early data')

test.each([
  ['in one piece', [join(hello, behind)]],
  ['byte by byte', [...pieces(hello, 1), behind]],
  ['in records cut at their ends', [...pieces(hello, 55), behind]],
] as const)('%s, the service gets the very bytes of the client, and nothing else', async (_, parts) => {
  const service = await startService(() => undefined)
  const proxy = await startRoutes([{ backends: [service.uri] }])
  const client = await connectTo(proxy)
  for (const part of parts) {
    client.socket.write(part)
    if (parts.length > 1) await sleep(1)
  }
  const whole = Buffer.concat([hello, behind]).toString('latin1')
  await until(() => service.connections[0]?.said().length === whole.length)
  expect(service.connections[0]?.said()).toBe(whole)
  client.socket.write('more')
  await until(() => service.connections[0]?.said() === `${whole}more`)
})

test('a hello with an end right behind it', async () => {
  const service = await startService((socket) => void socket.on('end', () => socket.end('answer')), {
    allowHalfOpen: true,
  })
  const client = await connectTo(await startRoutes([{ backends: [service.uri] }]))
  client.socket.end(hello)
  expect(await client.closed).toBeUndefined()
  expect(client.said()).toBe('answer')
})

test('a route without a name takes hellos without one, and those that name an address', async () => {
  const service = await startTlsService('bare')
  const proxy = await startRoutes([{ sni: [], noSni: true, backends: [service.uri] }])
  for (const servername of ['', '192.0.2.7']) {
    const wire = await dial({ ...proxy, ca: service.ca }, { servername, checkServerIdentity: () => undefined })
    await until(() => wire.said().startsWith('bare '))
  }
})

test('without such a route they are the proxy’s own, and its names are its own besides any route', async () => {
  const service = await startTlsService('any')
  const proxy = await startRoutes([{ sni: ['*'], backends: [service.uri] }])
  for (const servername of ['', 'localhost']) {
    const wire = await dial(proxy, { servername, checkServerIdentity: () => undefined })
    wire.send('GET /.well-known/sallyport HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await until(() => wire.said().startsWith('HTTP/1.1 200'))
  }
  const wire = await dial({ ...proxy, ca: service.ca }, { servername: 'c.test', checkServerIdentity: () => undefined })
  await until(() => wire.said().startsWith('any '))
})

test('the ALPN offered chooses between two routes of one name', async () => {
  const [web, db] = [await startTlsService('web'), await startTlsService('db', { ALPNProtocols: ['postgresql'] })]
  const proxy = await startRoutes([
    { name: 'web', alpn: ['h2', ''], backends: [web.uri] },
    { name: 'db', alpn: ['postgresql'], backends: [db.uri] },
  ])
  const greeting = async (ca: string, ALPNProtocols: string[]) => {
    const wire = await dial({ ...proxy, ca }, { servername: 'a.test', ALPNProtocols })
    await until(() => wire.said() !== '')
    return wire.said()
  }
  expect(await greeting(web.ca, [])).toBe('web a.test false\n')
  expect(await greeting(db.ca, ['unknown', 'postgresql', 'h2'])).toBe('db a.test postgresql\n')
})
