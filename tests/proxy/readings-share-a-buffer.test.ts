/** Many sockets read into one buffer: none ever passes on what another has read, however slowly somebody takes it. */
import { connect, type Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import { flow } from '../../proxy/flow.ts'
import { readingOf, readingWith } from '../../proxy/reading.ts'
import { courseOf, echoing, hashOf, listening, ofItsOwn } from './courses.ts'
import { atEnd, until } from './proxy.ts'

/** A proxy without anything but its plane. */
const passing = (port: number, take: (accepted: Socket) => Socket) =>
  listening((accepted) => {
    const client = take(accepted).on('error', () => undefined)
    const upstream = readingWith((onread) => connect({ port, host: '127.0.0.1', allowHalfOpen: true, onread }))
    upstream.on('error', () => client.destroy())
    flow(client, upstream, () => undefined)
    flow(upstream, client, () => undefined)
  }, true)

const through = (port: number) => (opened: () => void) =>
  connect({ port, host: '127.0.0.1', allowHalfOpen: true }, opened)

test.each([
  ['a handle of its own', readingOf],
  // As where Node would keep it in another place.
  ['as Node made it', (accepted: Socket) => accepted],
] as const)('forty at once, %s: each gets back what it has sent', { timeout: 60_000 }, async (_, take) => {
  const port = await passing(await echoing(), take)
  // More than there are large buffers would be as good; what matters is that small and large reads of all are mixed.
  const all = Array.from({ length: 40 }, (_, at) => ofItsOwn(at, 200_000 + at * 61_111))
  const back = await Promise.all(all.map((bytes) => courseOf(through(port), bytes)))
  expect(back.map(hashOf)).toEqual(all.map(hashOf))
})

test('who does not read keeps his bytes while others pass theirs', { timeout: 60_000 }, async () => {
  const bytes = ofItsOwn(1, 24 * 1024 * 1024)
  const port = await passing(await echoing(), readingOf)
  const stalled = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).pause()
  stalled.end(bytes)
  let before = -1
  await until(() => {
    const isStill = stalled.bytesWritten > 0 && stalled.writableLength === before
    before = stalled.writableLength
    return isStill
  }, 20_000)
  for (let at = 2; at < 8; at++) {
    const others = ofItsOwn(at, 3_000_000)
    expect(hashOf(await courseOf(through(port), others))).toBe(hashOf(others))
  }
  const got: Buffer[] = []
  stalled.on('data', (piece: Buffer) => got.push(piece)).resume()
  await new Promise((done) => stalled.once('end', done))
  expect(hashOf(Buffer.concat(got))).toBe(hashOf(bytes))
})

test('a stream that holds what it has called written holds it unchanged', { timeout: 60_000 }, async () => {
  const bytes = Buffer.alloc(2 * 1024 * 1024)
  for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32BE(at, at)
  // Pieces that are less than a pair waits for, so that it asks for more while it still holds them.
  const step = 20 * 1024
  const send = async (socket: Socket) => {
    for (let at = 0; at < bytes.length && !socket.destroyed; at += step) {
      socket.write(bytes.subarray(at, at + step))
      await new Promise((next) => setTimeout(next, 1))
    }
    socket.end()
  }
  const port = await listening((socket) => void send(socket))
  const upstream = readingWith((onread) => connect({ port, host: '127.0.0.1', allowHalfOpen: true, onread }))
  atEnd(() => void upstream.destroy())
  const [ours, theirs] = duplexPair()
  flow(upstream, theirs, () => undefined)
  const got: Buffer[] = []
  ours.on('data', (piece: Buffer) => {
    got.push(Buffer.from(piece))
    ours.pause()
    setTimeout(() => ours.resume(), 10)
  })
  await new Promise((done) => ours.once('end', done))
  expect(Buffer.concat(got).equals(bytes)).toBe(true)
})

test('who reads slowly gets what was read before the plane was stopped, and nothing of what came later', async () => {
  const bytes = Buffer.alloc(32 * 1024 * 1024)
  for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32BE(at, at)
  const source = await listening((socket) => void socket.end(bytes))
  const stops: (() => void)[] = []
  let [passed, before] = [0, 0]
  const port = await listening((accepted) => {
    const client = readingOf(accepted).on('error', () => undefined)
    const upstream = readingWith((onread) => connect({ port: source, host: '127.0.0.1', allowHalfOpen: true, onread }))
    stops.push(
      () => client.end(),
      flow(upstream, client, ({ length }) => {
        passed += length
      }),
    )
  }, true)
  const slow = connect({ port, host: '127.0.0.1' }).pause()
  await until(() => {
    const isStill = passed > 0 && passed === before
    before = passed
    return isStill
  }, 20_000)
  for (const stop of stops.toReversed()) stop()
  // Time for what is read later to be written over what still waits.
  await new Promise((done) => setTimeout(done, 500))
  const got: Buffer[] = []
  slow.on('data', (piece: Buffer) => got.push(piece)).resume()
  await new Promise((done) => slow.once('end', done))
  const all = Buffer.concat(got)
  expect(all.length).toBeGreaterThan(0)
  expect(all.length).toBeLessThan(bytes.length)
  expect(all.equals(bytes.subarray(0, all.length))).toBe(true)
})

test('what Node keeps of a socket is where it is looked for, and a socket without it is used as it is', async () => {
  const accepted = Promise.withResolvers<Socket>()
  const port = await listening((socket) => accepted.resolve(socket), true)
  const client = connect({ port, host: '127.0.0.1' })
  const socket = await accepted.promise
  const own = readingOf(socket)
  // Otherwise every figure of the plane would be that of another.
  expect(own).not.toBe(socket)
  expect(own.remotePort).toBe(client.localPort)
  // Its handle is gone by now.
  expect(readingOf(socket)).toBe(socket)
  own.destroy()
  await until(() => socket.destroyed)
  client.destroy()
})
