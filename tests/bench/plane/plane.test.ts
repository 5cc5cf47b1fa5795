/** Load and backend with nobody between them: what is counted is what passed. */
import { connect, createServer, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { Child } from './child.ts'
import type { Load } from './contender.ts'
import type { Asked, Done } from './load-process.ts'
import { pieceLength, receipt, welcome } from './wire.ts'

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})

async function newLoad(port: number): Promise<Load> {
  const load = new Child<Asked, Done>('load-process')
  endings.push(() => load.stop())
  await load.ask({ what: 'reach', reach: { by: 'hello', port } })
  return load
}

async function newBackend(): Promise<number> {
  const backend = new Child<never, number>('backend')
  endings.push(() => backend.stop())
  return backend.next()
}

test('an upload ends when the backend has counted every piece', async () => {
  const load = await newLoad(await newBackend())
  await load.ask({ what: 'hold', part: 'sink', count: 3, atOnce: 2 })
  const { ms, bytes = 0 } = await load.ask({ what: 'upload', ms: 100 })
  expect(ms).toBeGreaterThanOrEqual(100)
  expect(bytes).toBeGreaterThan(3 * pieceLength)
  expect(bytes % pieceLength).toBe(0)
})

test('a download counts what comes, and leaves in the middle', async () => {
  const load = await newLoad(await newBackend())
  await load.ask({ what: 'hold', part: 'source', count: 2, atOnce: 2 })
  const { bytes } = await load.ask({ what: 'download', ms: 100 })
  expect(bytes).toBeGreaterThan(pieceLength)
})

test('notes go to and fro on every connection that is held, and openings are counted', async () => {
  const load = await newLoad(await newBackend())
  await load.ask({ what: 'hold', part: 'echo', count: 10, atOnce: 4 })
  const notes = await load.ask({ what: 'to_and_fro', ms: 50 })
  expect(notes.count).toBeGreaterThan(10)
  expect(notes.p99).toBeGreaterThanOrEqual(notes.p50 ?? 0)
  await load.ask({ what: 'release' })
  expect((await load.ask({ what: 'openings', ms: 50, atOnce: 4 })).count).toBeGreaterThan(4)
})

/** Once something came, `answers` it. */
async function listening(answers: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => undefined).once('data', () => answers(socket)))
  endings.push(() => server.close())
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return (server.address() as { port: number }).port
}

test('one connection that breaks ends the load: there are no figures of what did not pass', async () => {
  for (const leave of [(socket: Socket) => socket.end(), (socket: Socket) => socket.resetAndDestroy()]) {
    const load = await newLoad(await listening(leave))
    await expect(load.ask({ what: 'openings', ms: 50, atOnce: 1 })).rejects.toThrow('a connection has broken')
  }
})

test('a byte that is missing ends the load', async () => {
  const port = await listening((socket) => {
    socket.write(welcome)
    socket.once('data', () => socket.resume().write(receipt(1)))
  })
  const load = await newLoad(port)
  await load.ask({ what: 'hold', part: 'sink', count: 1, atOnce: 1 })
  await expect(load.ask({ what: 'upload', ms: 50 })).rejects.toThrow(/bytes were sent, and 1 came/)
})

test('whoever opens with something else ends the backend', async () => {
  const backend = new Child<never, number>('backend')
  endings.push(() => backend.stop())
  const socket = connect(await backend.next(), '127.0.0.1').on('error', () => undefined)
  socket.write(Buffer.alloc(8))
  await expect(backend.next()).rejects.toThrow('the backend has ended: no opening')
})
