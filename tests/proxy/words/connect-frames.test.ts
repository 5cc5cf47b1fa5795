/** CONNECT over HTTP/2, frame by frame (RFC 9113): what well-behaved clients do not send. */
import { constants } from 'node:http2'
import { expect, test } from 'vitest'
import { dial, until, type Wire } from '../proxy.ts'
import { basicCredential, type WordWorld, wordOf, wordWorld } from './words.ts'

const [DATA, HEADERS, RST_STREAM, SETTINGS] = [0, 1, 3, 4]
const [END_STREAM, END_HEADERS] = [1, 4]

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)])
/** A field that no table has (RFC 7541 section 6.2.2). */
const field = (name: string, value: string) => Buffer.concat([Buffer.from([0]), text(name), text(value)])
const preface = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame(SETTINGS, 0, 0, new Uint8Array()),
])
const rst = (stream: number) => frame(RST_STREAM, 0, stream, Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL]))

function connectFrame(stream: number, credential: string, more: readonly Buffer[] = []): Buffer {
  const fields = [field(':method', 'CONNECT'), field(':authority', 'wiki:443')]
  return frame(
    HEADERS,
    END_HEADERS,
    stream,
    Buffer.concat([...fields, ...more, field('proxy-authorization', credential)]),
  )
}

async function begin(world: WordWorld): Promise<Wire> {
  const wire = await dial(world.proxy, { ALPNProtocols: ['h2'] })
  wire.socket.write(preface)
  return wire
}

async function openStream(world: WordWorld, wire: Wire, stream: number): Promise<void> {
  const before = world.upstream.connections.length
  wire.socket.write(connectFrame(stream, basicCredential(await wordOf(world))))
  await until(() => world.upstream.connections.length > before)
}

const ends = (world: WordWorld) => world.proxy.log.filter(({ message }) => message === 'tunnel ended')

test.each([
  ['before the service has said anything', ''],
  ['behind some bytes', 'some'],
])('a stream that is reset resets its service, which sees no end, and no other: %s', async (_, bytes) => {
  const world = await wordWorld()
  const wire = await begin(world)
  await openStream(world, wire, 1)
  await openStream(world, wire, 3)
  wire.socket.write(frame(DATA, 0, 1, Buffer.from(bytes)))
  await until(() => world.upstream.connections[0]?.said() === bytes)
  wire.socket.write(rst(1))
  const [left] = world.upstream.connections
  expect(await left?.closed).toBe('ECONNRESET')
  expect(left?.ended()).toBe(false)
  wire.socket.write(frame(DATA, 0, 3, Buffer.from('still here')))
  await until(() => wire.said().includes('still here'))
  await expect.poll(() => ends(world)).toMatchObject([{ code: 'client_reset', closed_by: 'client', resource: 'wiki' }])
})

test('one that is reset behind the end of its service is no end either', async () => {
  const world = await wordWorld()
  const wire = await begin(world)
  await openStream(world, wire, 1)
  world.upstream.connections[0]?.socket.end('bye')
  await until(() => wire.said().includes('bye'))
  wire.socket.write(rst(1))
  await world.upstream.connections[0]?.closed
  expect(world.upstream.connections[0]?.ended()).toBe(false)
})

test('what comes before the answer waits for it, and then goes on', async () => {
  const world = await wordWorld()
  const wire = await begin(world)
  const word = basicCredential(await wordOf(world))
  wire.socket.write(Buffer.concat([connectFrame(1, word), frame(DATA, END_STREAM, 1, Buffer.from('early'))]))
  await until(() => wire.said().includes('early'))
  expect(world.upstream.connections[0]?.said()).toBe('early')
})

test('what comes before a refusal goes nowhere', async () => {
  const world = await wordWorld()
  const wire = await begin(world)
  wire.socket.write(Buffer.concat([connectFrame(1, 'Basic x'), frame(DATA, 0, 1, Buffer.from('early'))]))
  await until(() => wire.said().includes('proxy_credential_missing'))
  expect(world.upstream.connections).toEqual([])
})

test.each([
  ['a path', [field(':path', '/')]],
  ['a scheme', [field(':scheme', 'https')]],
  ['a protocol (RFC 8441)', [field(':protocol', 'websocket')]],
])('with %s it is none, and uses no word up', async (_, more) => {
  const world = await wordWorld()
  const wire = await begin(world)
  const word = basicCredential(await wordOf(world))
  wire.socket.write(connectFrame(1, word, more))
  wire.socket.write(connectFrame(3, word))
  await until(() => world.upstream.connections.length === 1)
})

test('a flood of CONNECT that is reset at once ends the connection, and dials nothing', async () => {
  const world = await wordWorld()
  const wire = await begin(world)
  wire.socket.on('error', () => undefined)
  for (let stream = 1; stream < 20_000 && !wire.socket.destroyed; stream += 2) {
    wire.socket.write(Buffer.concat([connectFrame(stream, basicCredential('A'.repeat(43))), rst(stream)]))
    if (stream % 100 === 1) await new Promise(setImmediate)
  }
  await wire.closed
  expect(world.upstream.connections).toEqual([])
  // A hundred at once, and ten a second.
  expect(world.proxy.log.filter(({ message }) => message === 'proxy request').length).toBeLessThan(300)
  await until(() => world.proxy.serving.sessions.count === 0)
})

test('a flood of words that open nothing ends the connection too', async () => {
  const world = await wordWorld()
  const wire = await begin(world)
  wire.socket.on('error', () => undefined)
  for (let stream = 1; stream < 2000 && !wire.socket.destroyed; stream += 2) {
    wire.socket.write(connectFrame(stream, basicCredential('A'.repeat(43))))
    await new Promise(setImmediate)
  }
  await wire.closed
  await expect.poll(world.proxy.codes).toContain('too_many_refused')
  expect(world.proxy.log.filter(({ message }) => message === 'proxy request').length).toBeLessThan(40)
})
