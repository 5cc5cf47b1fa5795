/** CONNECT over HTTP/2 (RFC 9113 section 8.5) by Node's own client: each stream a tunnel of its own. */
import { randomBytes } from 'node:crypto'
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { expect, test } from 'vitest'
import type { SessionAsk } from '../../../core/access/request-session.ts'
import { base64url } from '../../../core/lib/bytes.ts'
import { lockOn, putDocuments } from '../../people.ts'
import { proofOf } from '../../program.ts'
import { atEnd, type Reachable, until } from '../proxy.ts'
import { startDatabase } from '../sessions/database.ts'
import { askOf, put, samples, sha, startEcho } from '../sessions/kinds.ts'
import { eventsOf, grantFor, type World } from '../sessions/world.ts'
import { basicCredential, wordOf, wordWorld } from './words.ts'

interface Client {
  readonly session: ClientHttp2Session
  readonly socket: TLSSocket
}

async function open({ port, ca }: Reachable, maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3'): Promise<Client> {
  const socket = connectTls({ port, host: '127.0.0.1', ca, servername: 'localhost', ALPNProtocols: ['h2'], maxVersion })
  await new Promise<void>((done, fail) => void socket.once('secureConnect', done).once('error', fail))
  const session = connect('https://localhost', { createConnection: () => socket })
  session.on('error', () => undefined)
  atEnd(() => session.destroy())
  return { session, socket }
}

interface Tunnel {
  readonly stream: ClientHttp2Stream
  readonly status: Promise<number>
  readonly headers: () => Readonly<Record<string, unknown>>
  readonly said: () => Buffer
  readonly ended: () => boolean
  /** The code of its end. */
  readonly closed: Promise<number | undefined>
}

function tunnelTo({ session }: Client, name: string, fields: Readonly<Record<string, string>>): Tunnel {
  const stream = session.request({ ':method': 'CONNECT', ':authority': `${name}:443`, ...fields }, { endStream: false })
  let given: Record<string, unknown> = {}
  let ended = false
  const pieces: Buffer[] = []
  stream.on('error', () => undefined)
  const status = new Promise<number>((done) => {
    stream.once('response', (headers) => {
      given = { ...headers }
      done(Number(headers[':status']))
    })
    stream.once('close', () => done(0))
  })
  stream.on('data', (piece: Buffer) => void pieces.push(piece))
  stream.on('end', () => {
    ended = true
  })
  const closed = new Promise<number | undefined>((done) => stream.once('close', () => done(stream.rstCode)))
  return { stream, status, headers: () => given, said: () => Buffer.concat(pieces), ended: () => ended, closed }
}

const credential = (word: string) => ({ 'proxy-authorization': basicCredential(word) })

async function shown(world: World, { socket }: Client, name: string, ask: SessionAsk, nonce?: string) {
  const { program } = world.lea
  const exporter = base64url(socket.exportKeyingMaterial(32, 'EXPORTER-sallyport', Buffer.alloc(0)))
  const url = `sallyport://${world.proxy.identity.id}/${name}`
  const dpop = await proofOf(program.key, { method: 'CONNECT', url, nonce: nonce ?? exporter, iat: program.iat })
  return { 'proxy-authorization': `DPoP ${await grantFor(world, world.lea, ask)}`, dpop }
}

async function openTunnel(world: World, client: Client): Promise<Tunnel> {
  const tunnel = tunnelTo(client, 'wiki', credential(await wordOf(world)))
  expect(await tunnel.status).toBe(200)
  return tunnel
}

test('a word opens a stream, once', async () => {
  const world = await wordWorld()
  const client = await open(world.proxy)
  const word = await wordOf(world)
  const tunnel = tunnelTo(client, 'wiki', credential(word))
  expect(await tunnel.status).toBe(200)
  tunnel.stream.write('hello')
  await until(() => String(tunnel.said()) === 'hello')
  const again = tunnelTo(client, 'wiki', credential(word))
  expect(await again.status).toBe(403)
  await again.closed
  expect(JSON.parse(String(again.said()))).toMatchObject({ error: 'grant_invalid' })
  tunnel.stream.write(' again')
  await until(() => String(tunnel.said()) === 'hello again')
})

test('of fifty that show one word on fifty connections, one is in', async () => {
  const world = await wordWorld()
  const word = await wordOf(world)
  const clients = await Promise.all(Array.from({ length: 50 }, () => open(world.proxy)))
  const answers = await Promise.all(clients.map((client) => tunnelTo(client, 'wiki', credential(word)).status))
  expect(answers.filter((status) => status === 200)).toHaveLength(1)
  expect(world.upstream.connections).toHaveLength(1)
})

test('a grant opens one too, with a proof over this very connection', async () => {
  const world = await wordWorld({ role: { bearer_grants: false } })
  const [client, other] = [await open(world.proxy), await open(world.proxy)]
  const ask = askOf(world, 'app')
  const tunnel = tunnelTo(client, 'wiki', await shown(world, client, 'wiki', ask))
  expect(await tunnel.status).toBe(200)
  tunnel.stream.write('hello')
  await until(() => String(tunnel.said()) === 'hello')
  const elsewhere = tunnelTo(client, 'wiki', await shown(world, other, 'wiki', ask))
  expect(await elsewhere.status).toBe(403)
  await elsewhere.closed
  expect(JSON.parse(String(elsewhere.said()))).toMatchObject({ error: 'invalid_dpop_proof' })
})

test('before TLS 1.3 a grant opens nothing, and a word does', async () => {
  const world = await wordWorld()
  const client = await open(world.proxy, 'TLSv1.2')
  const refused = tunnelTo(client, 'wiki', await shown(world, client, 'wiki', askOf(world, 'app')))
  expect(await refused.status).toBe(403)
  await openTunnel(world, client)
})

test.each([
  ['no credential', {}, 407],
  ['a word that nobody gave', credential('A'.repeat(43)), 403],
  ['two hosts', { host: 'other:443' }, 400],
  ['a body', { 'content-length': '5' }, 400],
] as const)('%s is answered on its stream alone', async (_, fields, status) => {
  const world = await wordWorld()
  const client = await open(world.proxy)
  const open1 = await openTunnel(world, client)
  const refused = tunnelTo(client, 'wiki', fields)
  expect(await refused.status).toBe(status)
  if (status === 407) expect(refused.headers()['proxy-authenticate']).toBe('Basic realm="sallyport"')
  expect(await refused.closed).toBe(constants.NGHTTP2_NO_ERROR)
  open1.stream.write('on')
  await until(() => String(open1.said()) === 'on')
})

test('no port is 400', async () => {
  const world = await wordWorld()
  const { session } = await open(world.proxy)
  const stream = session.request({ ':method': 'CONNECT', ':authority': 'wiki' }, { endStream: false })
  stream.on('error', () => undefined)
  const status = new Promise((done) => stream.once('response', (headers) => done(headers[':status'])))
  expect(await status).toBe(400)
})

test('whoever is refused again and again is let go', async () => {
  const world = await wordWorld()
  const client = await open(world.proxy)
  for (let count = 0; count < 40 && !client.session.destroyed; count++) {
    await tunnelTo(client, 'wiki', credential('A'.repeat(43))).status
  }
  await until(() => client.session.destroyed)
  await expect.poll(world.proxy.codes).toContain('too_many_refused')
})

test('eight megabytes each way on four streams at once are whole, beside an ordinary request', async () => {
  const world = await wordWorld()
  const client = await open(world.proxy)
  const tunnels = await Promise.all(Array.from({ length: 4 }, () => openTunnel(world, client)))
  const sent = tunnels.map(() => randomBytes(2 << 20))
  for (const [at, { stream }] of tunnels.entries()) stream.end(sent[at])
  const asked = client.session.request({ ':path': '/.well-known/sallyport', ':authority': 'localhost' })
  const status = await new Promise((done) => asked.once('response', (headers) => done(headers[':status'])))
  expect(status).toBe(200)
  await Promise.all(tunnels.map(({ closed }) => closed))
  expect(tunnels.map(({ said }) => sha(said()))).toEqual(sent.map((bytes) => sha(bytes)))
})

test('the end of one side is not the end of the other', async () => {
  const server = await startDatabase((socket) => void socket.end('bye'), { allowHalfOpen: true })
  const world = await wordWorld({ server })
  const tunnel = await openTunnel(world, await open(world.proxy))
  await until(() => tunnel.ended())
  expect(String(tunnel.said())).toBe('bye')
  tunnel.stream.end('the last word')
  await until(() => server.connections[0]?.ended() === true)
  expect(server.connections[0]?.said()).toBe('the last word')
  expect(await tunnel.closed).toBe(constants.NGHTTP2_NO_ERROR)
})

test('a client that is gone resets all of them', async () => {
  const world = await wordWorld()
  const client = await open(world.proxy)
  await openTunnel(world, client)
  await openTunnel(world, client)
  client.socket.destroy()
  await Promise.all(world.upstream.connections.map(({ closed }) => closed))
  expect(world.upstream.connections.map(({ ended }) => ended())).toEqual([false, false])
  await until(() => world.proxy.serving.sessions.count === 0)
})

test('a service that breaks off is a stream error, and no other stream’s', async () => {
  const server = await startDatabase((socket) =>
    socket.on('data', (bytes: Buffer) => (String(bytes) === 'break' ? socket.resetAndDestroy() : socket.write(bytes))),
  )
  const world = await wordWorld({ server })
  const client = await open(world.proxy)
  const [broken, kept] = [await openTunnel(world, client), await openTunnel(world, client)]
  broken.stream.write('break')
  expect(await broken.closed).toBe(constants.NGHTTP2_CONNECT_ERROR)
  kept.stream.write('on')
  await until(() => String(kept.said()) === 'on')
})

test('a lock cuts the one that it covers', async () => {
  const world = await wordWorld()
  const second = await startEcho()
  await put(world, samples.app.document(second.uri, 'wiki-2'))
  await world.proxy.serving.trust.ask()
  const client = await open(world.proxy)
  const locked = await openTunnel(world, client)
  const kept = tunnelTo(client, 'wiki-2', credential(await wordOf(world, askOf(world, 'app', 'wiki-2'))))
  expect(await kept.status).toBe(200)
  expect((await putDocuments(world.admin, [lockOn({ app: 'wiki' }, 'Closed today.')])).status).toBe(200)
  expect(await locked.closed).toBe(constants.NGHTTP2_CONNECT_ERROR)
  kept.stream.write('on')
  await until(() => String(kept.said()) === 'on')
  await until(() => eventsOf(world.edge).some(({ kind }) => kind === 'session.stop'))
})

test('a stream that nobody reads holds up no other, and little is kept for it', async () => {
  const flood = Buffer.alloc(1 << 20, 'x')
  let pushed = 0
  const server = await startDatabase((socket) => {
    socket.once('data', (bytes: Buffer) => {
      if (String(bytes) !== 'flood') return void socket.write(bytes)
      const push = () => {
        while (pushed < 256 << 20 && socket.write(flood, () => undefined)) pushed += flood.length
      }
      socket.on('drain', push)
      push()
    })
  })
  const world = await wordWorld({ server })
  const client = await open(world.proxy)
  const [stalled, moving] = [await openTunnel(world, client), await openTunnel(world, client)]
  stalled.stream.pause()
  stalled.stream.write('flood')
  await until(() => pushed > 0)
  moving.stream.write('on')
  await until(() => String(moving.said()) === 'on')
  // The kernel's buffers and ours, and not what the service would send.
  expect(pushed).toBeLessThan(64 << 20)
  stalled.stream.close(constants.NGHTTP2_CANCEL)
  await server.connections[0]?.closed
})

test('as many as there may be sessions, and no more', async () => {
  const world = await wordWorld({ limits: { sessions: 2 } })
  const client = await open(world.proxy)
  await openTunnel(world, client)
  await openTunnel(world, client)
  expect(await tunnelTo(client, 'wiki', credential(await wordOf(world))).status).toBe(503)
})

test('a connection without a tunnel or a request ends, one with a tunnel does not', async () => {
  const world = await wordWorld({ limits: { idleMs: 200, headMs: 4000 } })
  const client = await open(world.proxy)
  const tunnel = await openTunnel(world, client)
  await new Promise((done) => setTimeout(done, 4500))
  tunnel.stream.write('still')
  await until(() => String(tunnel.said()) === 'still')
  tunnel.stream.end()
  await tunnel.closed
  await until(() => client.session.destroyed)
  await expect.poll(world.proxy.codes).toContain('head_too_slow')
})
