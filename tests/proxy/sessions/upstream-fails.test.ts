/** A database that is down, slow, or none: the client is told before the tunnel is one, and nothing hangs. */
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { missingPostgres } from '../../postgres.ts'
import { pgDocument, putDocuments } from '../../proxies.ts'
import { freePort } from '../../runtime/launch.ts'
import { until } from '../proxy.ts'
import { type Database, message, politely, startDatabase } from './database.ts'
import { startPsql } from './psql.ts'
import { eventsOf, grantFor, newWorld, openSession, silentPort, Tunnel } from './world.ts'

const at = (port: number): Database => ({
  uri: `127.0.0.1:${port}`,
  port,
  connections: [],
  stop: async () => undefined,
})

async function connectTo(database: Database, limits = {}) {
  const world = await newWorld({ tap: false, database, limits })
  const tunnel = await Tunnel.open(world.proxy)
  const answer = await tunnel.connect(await grantFor(world, world.lea), world.lea)
  await tunnel.closed
  expect(world.proxy.serving.sessions.count).toBe(0)
  return { ...world, ...answer }
}

test('down: 502 says that the connection is refused, and the edge is told', async () => {
  const { status, json, edge } = await connectTo(at(await freePort()))
  expect(status).toBe(502)
  expect(json['message']).toMatch(/cannot be reached at 127\.0\.0\.1:\d+: the connection is refused/)
  await until(() => eventsOf(edge).length === 1)
  expect(eventsOf(edge)).toMatchObject([{ kind: 'session.refuse', code: 'upstream_unreachable' }])
})

test('silent: 504 when the time is over', async () => {
  const { status, json } = await connectTo(at(await silentPort()), { dialMs: 300 })
  expect(status).toBe(504)
  expect(json['message']).toContain('does not answer in time')
})

test('down, silent, or breaking off in the middle: psql says so, and does not hang', async (context) => {
  const missing = missingPostgres()
  if (missing) return context.skip(missing)
  const breaking = await startDatabase(politely((socket) => void socket.resetAndDestroy()))
  const failures = [
    [at(await freePort()), /FATAL: .*the connection is refused/],
    [at(await silentPort()), /FATAL: .*does not answer in time/],
    [breaking, /server closed the connection unexpectedly|Connection reset by peer/],
  ] as const
  for (const [database, words] of failures) {
    const world = await newWorld({ tap: false, database, limits: { dialMs: 300 } })
    const psql = await startPsql(world, world.lea, 'psql')
    psql.type('select 1;')
    expect(await psql.ended).not.toBe(0)
    expect(psql.stderr()).toMatch(words)
    await until(() => world.proxy.serving.sessions.count === 0)
  }
})

test('no Postgres: 502', async () => {
  const { status, json } = await connectTo(await startDatabase((socket) => void socket.end('SSH-2.0-x\r\n')))
  expect(status).toBe(502)
  expect(json['message']).toMatch(/no Postgres server|speaks before it is asked/)
})

test('it hangs up at once: 502', async () => {
  const { status } = await connectTo(await startDatabase((socket) => void socket.resetAndDestroy()))
  expect(status).toBe(502)
})

test.each(['N', 'S'])('what came with the answer %s to SSLRequest is not taken for the server’s', async (answer) => {
  const stuffed = `${answer}R\0\0\0\x08\0\0\0\0`
  const { status, json } = await connectTo(await startDatabase((socket) => void socket.write(stuffed)))
  expect(status).toBe(502)
  expect(json['message']).toContain('speaks before it is asked')
})

test('a server without TLS, where the resource wants its certificate verified: 502', async () => {
  const database = await startDatabase()
  const world = await newWorld({ tap: false, database })
  const { admin, lea, proxy } = world
  const document = pgDocument('pg-1', { uri: database.uri })
  if (document.kind !== 'db') throw new Error('no db')
  const spec = { ...document.spec, tls: { mode: 'verify-full' as const } }
  await putDocuments(admin, { ...document, spec })
  await proxy.serving.trust.ask()
  const { status, json } = await (await Tunnel.open(proxy)).connect(await grantFor(world, lea), lea)
  expect(status).toBe(502)
  expect(json['message']).toContain('offers no TLS')
})

test('the proxy’s own port is not dialled', async () => {
  const world = await newWorld({ tap: false })
  const { admin, lea, proxy } = world
  await putDocuments(admin, pgDocument('pg-1', { uri: `localhost:${proxy.port}` }))
  await proxy.serving.trust.ask()
  const { status, json } = await (await Tunnel.open(proxy)).connect(await grantFor(world, lea), lea)
  expect(status).toBe(502)
  expect(json['message']).toContain('is this proxy itself')
})

test('a client that leaves while the database is dialled leaves nothing behind', async () => {
  const world = await newWorld({ tap: false, database: at(await silentPort()) })
  const { lea, proxy } = world
  const tunnel = await Tunnel.open(proxy)
  tunnel.send(...(await tunnel.connectLines(await grantFor(world, lea), lea.program.key, lea.program.iat)))
  await until(() => proxy.serving.sessions.count === 1)
  tunnel.socket.destroy()
  await until(() => proxy.serving.sessions.count === 0)
})

test('a reset of the server is a reset for the client: what broke off does not look complete', async () => {
  const database = await startDatabase(politely((socket) => void socket.resetAndDestroy()))
  const world = await newWorld({ tap: false, database })
  const tunnel = await openSession(world)
  tunnel.socket.write(message('Q', 'select\0'))
  expect(await tunnel.closed).toBe('ECONNRESET')
})

test('a reset of the client is a reset for the server', async () => {
  const world = await newWorld({ tap: false })
  const raw = connect({ port: world.proxy.port, host: '127.0.0.1' })
  await openSession(world, world.lea, raw)
  raw.resetAndDestroy()
  expect(await world.database.connections[0]?.closed).toBe('ECONNRESET')
})
