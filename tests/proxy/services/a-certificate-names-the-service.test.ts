/** Under `sallyport-…` the client's certificate says which session, and the service's own bytes follow at once. */
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { putDocuments } from '../../proxies.ts'
import { until } from '../proxy.ts'
import { startDatabase } from '../sessions/database.ts'
import { sha } from '../sessions/kinds.ts'
import { eventsOf } from '../sessions/world.ts'
import { certifyFor, databaseOf, dialService, ownProtocol, sayTo, serviceNames, serviceWorld } from './services.ts'

const raw = serviceNames.filter((name) => name !== 'pg-1')

test('under the name of the resource and under the proxy’s own, a client of each protocol is served', async () => {
  const world = await serviceWorld()
  for (const name of raw) {
    for (const servername of [`${name}.localhost`, 'localhost', `${name.toUpperCase()}.LocalHost.`]) {
      const certified = await certifyFor(world, name)
      const client = await sayTo(world.proxy, { certified, servername, alpn: ownProtocol[name] })
      await client.until((said) => said === 'ping')
      client.socket.end()
      await client.closed
    }
  }
  await until(() => eventsOf(world.edge).length === 6 * raw.length)
  const starts = eventsOf(world.edge).filter(({ kind }) => kind === 'session.start')
  expect(starts.map(({ detail }) => JSON.parse(String(detail)).resource)).toEqual(
    raw.flatMap((name) => [name, name, name]),
  )
})

test('a client that names no server is taken for one that names the proxy', async () => {
  const world = await serviceWorld()
  const certified = await certifyFor(world, 'wiki')
  const client = await sayTo(world.proxy, { certified, servername: '', alpn: 'sallyport-tcp' })
  await client.until((said) => said === 'ping')
})

test('sallyport-tcp is for all of them', async () => {
  const world = await serviceWorld()
  for (const name of raw) {
    const certified = await certifyFor(world, name)
    const client = await sayTo(world.proxy, { certified, servername: `${name}.localhost`, alpn: 'sallyport-tcp' })
    await client.until((said) => said === 'ping')
    client.socket.destroy()
  }
})

test('ten megabytes pass whole, and the end of one side is not the end of the other', async () => {
  const world = await serviceWorld({ tap: false })
  const certified = await certifyFor(world, 'web-1')
  const socket = await dialService(world.proxy, { certified, alpn: 'sallyport-ssh' })
  const sent = randomBytes(10 << 20)
  const came: Buffer[] = []
  socket.on('data', (piece: Buffer) => came.push(piece)).end(sent)
  await new Promise<void>((done) => socket.once('end', () => done()))
  expect(sha(Buffer.concat(came))).toBe(sha(sent))
})

test('a server that speaks first is heard, and one that resets is told as a reset', async () => {
  const server = await startDatabase((socket) => {
    socket.write('SSH-2.0-first\r\n')
    socket.once('data', () => socket.resetAndDestroy())
  })
  const world = await serviceWorld({ tap: false })
  await putDocuments(world.admin, databaseOf('my-1', 'mysql', server.uri))
  await world.proxy.serving.trust.ask()
  const certified = await certifyFor(world, 'my-1')
  const socket = await dialService(world.proxy, { certified, alpn: 'sallyport-mysql' })
  const first = await new Promise<Buffer>((done) => socket.once('data', done))
  expect(String(first)).toBe('SSH-2.0-first\r\n')
  const code = new Promise((done) => socket.once('error', (error: { code?: string }) => done(error.code)))
  socket.write('x')
  expect(await code).toBe('ECONNRESET')
})

test('what does not answer behind it ends in a close, with the reason in log and audit', async () => {
  const world = await serviceWorld({ tap: false })
  await putDocuments(world.admin, databaseOf('redis-1', 'redis', '127.0.0.1:1'))
  await world.proxy.serving.trust.ask()
  const certified = await certifyFor(world, 'redis-1')
  const client = await sayTo(world.proxy, { certified, servername: 'redis-1.localhost', alpn: 'sallyport-redis' })
  expect(await client.closed).toBe('')
  expect(world.proxy.log.findLast(({ message }) => message === 'service refused')).toMatchObject({
    code: 'upstream_unreachable',
  })
  await until(() => eventsOf(world.edge).some(({ code }) => code === 'upstream_unreachable'))
})

test('the connection has one line, with what it reached and why it ended', async () => {
  const world = await serviceWorld()
  const client = await sayTo(world.proxy, { certified: await certifyFor(world, 'k8s'), alpn: 'sallyport-kube' })
  await client.until((said) => said === 'ping')
  client.socket.end()
  await client.closed
  await until(() => world.proxy.log.some(({ message }) => message === 'connection ended'))
  expect(world.proxy.log.filter(({ message }) => message === 'connection ended')).toMatchObject([
    {
      ...{ route: 'sallyport-services', alpn: 'sallyport-kube', resource: 'k8s', code: 'ended', up: 4, down: 4 },
      closed_by: 'client',
    },
  ])
})
