/** Of several addresses of one name the first that answers is taken (RFC 8305), and nothing of the others is left. */
import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { splitHostPort } from '../../core/access/host-port.ts'
import { type Attempt, race } from '../../proxy/race.ts'
import { dialOne, interleaved } from '../../proxy/upstream.ts'
import { freePort } from '../runtime/launch.ts'
import { atEnd, until } from './proxy.ts'
import { listening, startHanging } from './routes/routes.ts'

const never = new AbortController().signal
const dialling =
  (uri: string): Attempt<Socket> =>
  (over) =>
    dialOne(splitHostPort(uri), 5000, over)

async function accepting(): Promise<{ readonly uri: string; readonly open: Set<Socket>; readonly server: Server }> {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket)).resume()
  })
  return { uri: await listening(server), open, server }
}

async function reached(uris: readonly string[], stagger = 100) {
  const from = performance.now()
  const outcome = await race(uris.map(dialling), stagger, never)
  if (outcome instanceof Error || !outcome) return { outcome, ms: performance.now() - from }
  atEnd(() => outcome.destroy())
  return { outcome: `${outcome.remoteAddress}:${outcome.remotePort}`, ms: performance.now() - from }
}

test('one that hangs costs one step, and not its whole time', async () => {
  const { uri } = await accepting()
  const { outcome, ms } = await reached([await startHanging(), uri])
  expect(outcome).toBe(uri)
  expect(ms).toBeGreaterThan(95)
  expect(ms).toBeLessThan(4000)
})

test('one that is refused costs nothing: the next begins at once', async () => {
  const { uri } = await accepting()
  const { outcome, ms } = await reached([`127.0.0.1:${await freePort()}`, uri], 10_000)
  expect(outcome).toBe(uri)
  expect(ms).toBeLessThan(5000)
})

test('one that is slow may win still: an attempt is not given up when the next begins', async () => {
  const winner = await accepting()
  const slow: Attempt<Socket> = async (over) => {
    await sleep(150)
    return dialling(winner.uri)(over)
  }
  const outcome = await race([slow, dialling(await startHanging())], 20, never)
  expect((outcome as Socket).remotePort).toBe(splitHostPort(winner.uri).port)
  ;(outcome as Socket).destroy()
})

test('of two that get there together one is closed', async () => {
  const { uri, open } = await accepting()
  const gate = Promise.withResolvers<void>()
  const ready: Attempt<Socket> = async (over) => {
    const socket = await dialling(uri)(new AbortController().signal)
    await gate.promise
    expect(over.aborted).toBe(false)
    return socket
  }
  const racing = race([ready, ready], 1, never)
  await until(() => open.size === 2)
  await sleep(20)
  gate.resolve()
  const outcome = (await racing) as Socket
  await until(() => open.size === 1)
  expect(outcome.destroyed).toBe(false)
  outcome.destroy()
})

test('none: the last failure; and none to try at all', async () => {
  const { outcome } = await reached([`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`])
  expect(outcome).toMatchObject({ code: 'ECONNREFUSED' })
  expect(await race([], 1, never)).toBeUndefined()
})

test('called off, it ends at once and opens nothing more', async () => {
  const off = new AbortController()
  let begun = 0
  const hanging = await startHanging()
  const counted: Attempt<Socket> = (over) => {
    begun += 1
    return dialling(hanging)(over)
  }
  const racing = race([counted, counted, counted], 10_000, off.signal)
  off.abort()
  expect(await racing).toBeInstanceOf(Error)
  expect(begun).toBe(1)
})

test.each([
  [
    ['::1', '::2', '1.1.1.1', '2.2.2.2'],
    ['::1', '1.1.1.1', '::2', '2.2.2.2'],
  ],
  [
    ['1.1.1.1', '::1', '::2', '::3'],
    ['1.1.1.1', '::1', '::2', '::3'],
  ],
  [
    ['1.1.1.1', '2.2.2.2'],
    ['1.1.1.1', '2.2.2.2'],
  ],
  [['::1'], ['::1']],
  [[], []],
])('%j is tried as %j', (addresses, order) => {
  expect(interleaved(addresses)).toEqual(order)
})
