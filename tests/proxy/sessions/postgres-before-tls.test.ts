/** What a Postgres client says in the clear, and where its TLS goes then. */
import { createServer, connect as dialTcp, type Socket } from 'node:net'
import { connect, TLSSocket } from 'node:tls'
import { expect, test } from 'vitest'
import { issue, newCa } from '../../cli/certificates.ts'
import { message as handshake, join, pieces, records, sni } from '../../core/hello-writer.ts'
import { atEnd, until } from '../proxy.ts'
import { listening, startRoutes } from '../routes/routes.ts'
import {
  certify,
  dialPlain,
  dialPostgres,
  gssRequest,
  listenTo,
  nextBytes,
  sslRequest,
  startDirect,
} from './certificate.ts'
import { startup } from './database.ts'
import { newWorld } from './world.ts'

const hello = join(records(handshake(sni('pg-1.localhost')), 50))

test('GSSENCRequest is answered no, and SSLRequest may follow', async () => {
  const world = await newWorld({ tap: false })
  const socket = await dialPlain(world.proxy)
  socket.write(gssRequest)
  expect(String(await nextBytes(socket))).toBe('N')
  socket.write(sslRequest)
  expect(String(await nextBytes(socket))).toBe('S')
})

test.for([
  ['a hello behind SSLRequest', Buffer.concat([sslRequest, hello]), 'postgres_early_bytes'],
  [
    'a startup message behind SSLRequest',
    Buffer.concat([sslRequest, startup({ user: 'reader' })]),
    'postgres_early_bytes',
  ],
  ['SSLRequest behind GSSENCRequest', Buffer.concat([gssRequest, sslRequest]), 'postgres_early_bytes'],
  ['a request of another length', Buffer.from('0000000904d2162f00', 'hex'), undefined],
  [
    'a cancel request with more behind it',
    Buffer.from('0000001004d2162e000000010000000200', 'hex'),
    'postgres_early_bytes',
  ],
] as const)('%s is refused without an answer', async ([, bytes, code]) => {
  const world = await newWorld({ tap: false })
  const client = listenTo(await dialPlain(world.proxy))
  client.socket.write(bytes)
  expect(await client.closed).toBe('')
  if (code) expect(world.proxy.codes()).toContain(code)
})

test('GSSENCRequest a second time is refused', async () => {
  const world = await newWorld({ tap: false })
  const socket = await dialPlain(world.proxy)
  socket.write(gssRequest)
  await nextBytes(socket)
  const client = listenTo(socket)
  socket.resume()
  socket.write(gssRequest)
  expect(await client.closed).toBe('')
})

test('a startup message in the clear is told to use TLS', async () => {
  const world = await newWorld({ tap: false })
  const client = listenTo(await dialPlain(world.proxy))
  client.socket.write(startup({ user: 'reader', database: 'orders' }))
  expect(await client.closed).toMatch(/^E.*SFATAL.*C28000.*sslmode=verify-full/s)
})

test('whoever asks for TLS and sends none is not waited for', async () => {
  const world = await newWorld({ tap: false, limits: { handshakeMs: 300 } })
  const client = listenTo(await dialPlain(world.proxy))
  client.socket.write(sslRequest)
  expect(await client.closed).toBe('S')
  await expect.poll(world.proxy.codes).toContain('handshake_too_slow')
})

test.for([1, 5, 100])('a hello that comes in pieces of %s bytes after SSLRequest is a hello', async (size) => {
  const world = await newWorld({ tap: false })
  const { cert, key } = await certify(world)
  const raw = await dialPlain(world.proxy)
  raw.write(sslRequest)
  await nextBytes(raw)
  const { a, b } = await cutting(raw, size)
  const socket = connect({ socket: a, ca: world.proxy.ca, servername: 'pg-1.localhost', cert, key })
  atEnd(() => b.destroy())
  const client = listenTo(socket)
  socket.write(startup({ user: 'reader', database: 'orders' }))
  await client.until((said) => said.endsWith('Z\0\0\0\x05I'))
})

/** What is written to `a` reaches `raw` in pieces, as much of it as a hello has. */
async function cutting(raw: Socket, size: number): Promise<{ a: Socket; b: Socket }> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const b = new Promise<Socket>((done) => server.once('connection', done))
  const a = dialTcp((server.address() as { port: number }).port, '127.0.0.1')
  const inner = await b
  server.close()
  let left = 400
  inner.on('data', (piece: Buffer) => {
    const cut = piece.subarray(0, left)
    left -= cut.length
    for (const part of pieces(cut, size)) raw.write(part)
    raw.write(piece.subarray(cut.length))
  })
  raw
    .setNoDelay(true)
    .on('data', (piece: Buffer) => inner.write(piece))
    .on('close', () => inner.destroy())
    .resume()
  inner.on('error', () => raw.destroy())
  return { a, b: inner }
}

test.for(['pg-9.localhost', 'a.pg-1.localhost', 'localhost', 'pg-1.example.com'])(
  'under the name %s there is no database: an alert, and no certificate',
  async (name) => {
    const world = await newWorld({ tap: false })
    await expect(dialPostgres(world.proxy, { name })).rejects.toMatchObject({ code: 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME' })
    await expect.poll(world.proxy.codes).toContain('server_name_unknown')
  },
)

test('without a server name there is no database', async () => {
  const world = await newWorld({ tap: false })
  const tls = { servername: '', host: '127.0.0.1' }
  await expect(dialPostgres(world.proxy, { tls })).rejects.toThrow(/alert/i)
  await expect.poll(world.proxy.codes).toContain('server_name_missing')
})

test('direct TLS without the protocol’s name reaches no database', async () => {
  const world = await newWorld({ tap: false })
  await expect(dialPostgres(world.proxy, { direct: true, tls: { ALPNProtocols: ['http/1.1'] } })).rejects.toThrow(
    /alert/i,
  )
})

test('the name of our own for the protocol does as well', async () => {
  const world = await newWorld({ tap: false })
  const dialling = { certified: await certify(world), direct: true, tls: { ALPNProtocols: ['sallyport-postgres'] } }
  await (await startDirect(world.proxy, dialling)).until((said) => said.endsWith('Z\0\0\0\x05I'))
})

/** Answers SSLRequest with `answer`, then ends TLS and greets. */
async function postgresService(answer: string) {
  const ca = await newCa('CA of the service')
  const own = await issue('a.test', { by: ca, names: ['a.test'] })
  const server = createServer((raw) => {
    raw.on('error', () => undefined)
    raw.once('data', () => {
      raw.pause()
      raw.write(answer)
      if (answer !== 'S') return
      const socket = new TLSSocket(raw, { isServer: true, key: own.key, cert: own.pem })
      socket.on('error', () => undefined).write('welcome')
      raw.resume()
    })
  })
  return { uri: await listening(server), ca: ca.pem }
}

const routed = async (uri: string) =>
  startRoutes([{ name: 'pg', sni: ['a.test'], protocol: 'postgres', backends: [uri] }])

test('a static route for Postgres asks its server in the same words, and TLS ends there', async () => {
  const service = await postgresService('S')
  const proxy = await routed(service.uri)
  const client = listenTo(await dialPostgres({ ...proxy, ca: service.ca }, { name: 'a.test' }))
  await client.until((said) => said === 'welcome')
})

test.for([
  ['N', 'upstream_no_tls'],
  ['E', 'upstream_no_postgres'],
  ['SS', 'upstream_no_postgres'],
] as const)('a server of a static route that answers %s ends it', async ([answer, code]) => {
  const service = await postgresService(answer)
  const proxy = await routed(service.uri)
  await expect(dialPostgres({ ...proxy, ca: service.ca }, { name: 'a.test' })).rejects.toThrow()
  await until(() => proxy.codes().includes(code))
})

test('a static route that says nothing of Postgres takes no SSLRequest', async () => {
  const service = await postgresService('S')
  const proxy = await startRoutes([{ name: 'pg', sni: ['a.test'], backends: [service.uri] }])
  await expect(dialPostgres({ ...proxy, ca: service.ca }, { name: 'a.test' })).rejects.toThrow(/alert/i)
})
