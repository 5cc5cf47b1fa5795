/** Each connection has one line in the log when it is over, whatever it was: who, what for, how much, how long, and who ended it. */
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { lockOf, putDocuments } from '../../people.ts'
import { dial, head, until } from '../proxy.ts'
import { startDirect } from './certificate.ts'
import { message } from './database.ts'
import { grantFor, newWorld, openSession, Tunnel } from './world.ts'

type World = Awaited<ReturnType<typeof newWorld>>
const endsOf = ({ proxy }: Pick<World, 'proxy'>) => proxy.log.filter((line) => line.message === 'connection ended')

test('a session: user, resource, the session’s id and its bytes, and the client has ended it', async () => {
  const world = await newWorld({ tap: false })
  const tunnel = await openSession(world)
  tunnel.socket.end(message('X'))
  await tunnel.closed
  await until(() => endsOf(world).length === 1)
  const [line] = endsOf(world)
  expect(line).toMatchObject({
    level: 'info',
    code: 'ended',
    closed_by: 'client',
    sni: 'localhost',
    alpn: 'sallyport',
    route: 'sallyport',
    address: '127.0.0.1',
    resource: 'pg-1',
    user: world.edge.rows("select id from users where name = 'Lea'")[0]?.['id'],
  })
  expect(line?.['session']).toBe(world.proxy.log.find(({ message: text }) => text === 'session started')?.['session'])
  expect(line?.['connection']).toMatch(/^[0-9a-f-]{36}$/)
  for (const figure of ['up', 'down', 'ms', 'route_ms', 'dial_ms']) expect(line?.[figure], figure).toBeTypeOf('number')
  expect(Number(line?.['up'])).toBeGreaterThan(0)
})

test('a session whose client breaks off: the reason, and the bytes that were inside TLS', async () => {
  const world = await newWorld({ tap: false })
  const raw = connect({ port: world.proxy.port, host: '127.0.0.1' })
  const tunnel = await openSession(world, world.lea, raw)
  tunnel.socket.write(message('Q', 'x\0'))
  await tunnel.until((said) => said.includes('x'))
  raw.resetAndDestroy()
  await until(() => endsOf(world).length === 1)
  expect(endsOf(world)).toMatchObject([{ code: 'client_reset', closed_by: 'client', up: 7 }])
})

test('a session that is cut: the proxy has ended it', async () => {
  const world = await newWorld({ tap: false })
  const tunnel = await openSession(world)
  await putDocuments(world.admin, [lockOf('Lea')])
  await tunnel.closed
  await until(() => endsOf(world).length === 1)
  expect(endsOf(world)).toMatchObject([{ code: 'session_cut', closed_by: 'proxy', resource: 'pg-1' }])
})

test('one that was refused: the reason stands in the same line', async () => {
  const world = await newWorld({ tap: false })
  const grant = await grantFor(world, world.lea)
  const first = await Tunnel.open(world.proxy)
  expect((await first.connect(grant, world.lea)).status).toBe(200)
  const second = await Tunnel.open(world.proxy)
  expect((await second.connect(grant, world.lea)).status).toBe(403)
  await second.closed
  await until(() => endsOf(world).length === 1)
  expect(endsOf(world)).toMatchObject([{ code: 'grant_spent', closed_by: 'proxy', route: 'sallyport' }])
})

test('a Postgres client that was refused: the same', async () => {
  const world = await newWorld({ tap: false })
  const said = await (await startDirect(world.proxy)).closed
  expect(said).toContain('sallyport db login')
  await until(() => endsOf(world).length === 1)
  expect(endsOf(world)).toMatchObject([{ code: 'grant_invalid', closed_by: 'proxy', route: 'sallyport-resources' }])
})

test('a web page’s: the bytes on the wire; one that says nothing and goes; and one that is no hello', async () => {
  const world = await newWorld({ tap: false })
  const { proxy } = world
  const page = await dial(proxy)
  page.send(head('GET /.well-known/sallyport HTTP/1.1', 'Host: localhost'))
  await until(() => page.said().startsWith('HTTP/1.1 200'))
  page.socket.end()
  await page.closed
  await until(() => endsOf(world).length === 1)
  expect(endsOf(world)).toMatchObject([{ code: 'ended', closed_by: 'client', sni: 'localhost', route: 'sallyport' }])
  for (const figure of ['up', 'down']) expect(Number(endsOf(world)[0]?.[figure])).toBeGreaterThan(300)
  connect({ port: proxy.port, host: '127.0.0.1' }, function (this: import('node:net').Socket) {
    this.end()
  })
  await until(() => endsOf(world).length === 2)
  expect(endsOf(world)[1]).toMatchObject({ code: 'client_gone', closed_by: 'client', up: 0 })
  const scan = connect({ port: proxy.port, host: '127.0.0.1' }, () => scan.write('SSH-2.0-x\r\n'))
  scan.on('error', () => undefined)
  await until(() => endsOf(world).length === 3)
  expect(endsOf(world)[2]).toMatchObject({ code: 'plain_ssh', closed_by: 'proxy', up: 11 })
  expect(endsOf(world)[2]).not.toHaveProperty('route')
})
