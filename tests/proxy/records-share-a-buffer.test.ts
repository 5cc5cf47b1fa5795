/** The records of a TLS connection are gathered in a buffer that is used again: all of them arrive, in their order and unchanged, and no more are read than are taken. */
import { connect as dial, type Socket } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { expect, test } from 'vitest'
import { flow } from '../../proxy/flow.ts'
import { giveBack, takeBuffer } from '../../proxy/read-buffers.ts'
import { readingOf, readingWith } from '../../proxy/reading.ts'
import { issue } from '../cli/certificates.ts'
import { courseOf, echoing, hashOf, listening, ofItsOwn } from './courses.ts'
import { atEnd, until } from './proxy.ts'

const name = 'plane.test'
const certificate = await issue(name, { names: [name] })

interface Handle {
  useUserBuffer?: ((buffer: Buffer) => void) | undefined
}
const handleOf = (socket: Socket) => (socket as unknown as { _handle: Handle })._handle

/** TLS ends here, and all goes on in the clear. `prepare`: the connection before its bytes are taken. */
async function ending(port: number, prepare: (client: TLSSocket) => void = () => undefined) {
  const tls = createServer({ cert: certificate.pem, key: certificate.key, allowHalfOpen: true }, (client) => {
    client.on('error', () => undefined)
    prepare(client)
    const upstream = readingWith((onread) => dial({ port, host: '127.0.0.1', allowHalfOpen: true, onread }))
    upstream.on('error', () => client.destroy())
    flow(client, upstream, () => undefined)
    flow(upstream, client, () => undefined)
  })
  const own = await listening((accepted) => {
    tls.emit(
      'connection',
      readingOf(accepted).on('error', () => undefined),
    )
  }, true)
  return (opened: () => void = () => undefined) =>
    connect({ port: own, host: '127.0.0.1', servername: name, ca: certificate.pem }, opened)
}

/** Whether its bytes are read into a buffer that is given. */
function counting(count: () => void) {
  return (client: TLSSocket) => {
    const handle = handleOf(client)
    const use = handle.useUserBuffer
    if (!use) throw new Error('Node reads in another way than it did')
    handle.useUserBuffer = (buffer) => {
      count()
      use.call(handle, buffer)
    }
  }
}

test('forty at once: each gets back what it has sent', { timeout: 60_000 }, async () => {
  let given = 0
  const prepare = counting(() => {
    given++
  })
  const reach = await ending(await echoing(), prepare)
  const all = Array.from({ length: 40 }, (_, at) => ofItsOwn(at, 100_000 + at * 31_111))
  const back = await Promise.all(all.map((bytes) => courseOf(reach, bytes)))
  expect(back.map(hashOf)).toEqual(all.map(hashOf))
  expect(given).toBe(40)
})

test('as Node reads, where it should keep its ways in another place', { timeout: 60_000 }, async () => {
  const reach = await ending(await echoing(), (client) => {
    handleOf(client).useUserBuffer = undefined
  })
  const bytes = ofItsOwn(1, 3_000_000)
  expect(hashOf(await courseOf(reach, bytes))).toBe(hashOf(bytes))
})

test.each([0, 1, 4095, 4096, 16_383, 16_384, 16_385, 65_536, 262_144, 270_000, 1_000_000])(
  '%i bytes and their end at once, to somebody who begins to read late and reads slowly',
  { timeout: 60_000 },
  async (length) => {
    const bytes = ofItsOwn(length, length)
    const got: Buffer[] = []
    let isOver = false
    const port = await listening((socket) => {
      socket.on('data', (piece: Buffer) => {
        got.push(piece)
        socket.pause()
        setTimeout(() => socket.resume(), 2)
      })
      socket.once('end', () => {
        isOver = true
      })
      socket.pause()
      setTimeout(() => socket.resume(), 100)
    })
    const socket = (await ending(port))(() => void socket.end(bytes))
    await until(() => isOver, 30_000)
    expect(hashOf(Buffer.concat(got))).toBe(hashOf(bytes))
    socket.destroy()
  },
)

test('who reads nothing stops the reading, and gets all of it unchanged while others pass theirs', {
  timeout: 60_000,
}, async () => {
  const bytes = Buffer.alloc(24 * 1024 * 1024)
  for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32BE(at, at)
  const stalled: Socket[] = []
  let isFirst = true
  const port = await listening((socket) => {
    if (isFirst) stalled.push(socket.pause())
    else socket.pipe(socket)
    isFirst = false
  })
  const reach = await ending(port)
  const socket = reach(() => void socket.end(bytes))
  let before = -1
  await until(() => {
    const isStill = stalled.length > 0 && socket.bytesWritten > 0 && socket.writableLength === before
    before = socket.writableLength
    return isStill
  }, 20_000)
  for (let at = 2; at < 8; at++) {
    const others = ofItsOwn(at, 3_000_000)
    expect(hashOf(await courseOf(reach, others))).toBe(hashOf(others))
  }
  // What the proxy and the kernel hold is less than half of it.
  expect(socket.writableLength).toBeGreaterThan(bytes.length / 2)
  const got: Buffer[] = []
  const [late] = stalled
  const over = new Promise((done) => late?.once('end', done))
  late?.on('data', (piece: Buffer) => got.push(piece)).resume()
  await over
  expect(Buffer.concat(got).equals(bytes)).toBe(true)
})

/** What Node calls with what it has read, and asks where the next is to go. */
function readerOf(socket: Socket) {
  const symbols = Object.getOwnPropertySymbols(socket)
  const found = (name: string) => {
    const symbol = symbols.find(({ description }) => description === name) as symbol
    return (socket as unknown as Record<symbol, unknown>)[symbol]
  }
  const [next, read] = [found('kBufferGen') as () => Buffer, found('kBufferCb') as (n: number, into: Buffer) => boolean]
  let into = found('kBuffer') as Buffer
  return (record: Buffer) => {
    expect(into.length).toBeGreaterThanOrEqual(record.length)
    record.copy(into)
    read(record.length, into)
    into = next()
  }
}

test.each([
  ['a large buffer', 0, 'later'],
  ['a large buffer', 0, 'at once'],
  ['a small one, as where there are many', 128, 'later'],
  ['a small one, as where there are many', 128, 'at once'],
] as const)(
  'records that come although reading was stopped stand behind the others: %s, %i taken, the end %s',
  async (_, taken, end) => {
    const buffers = Array.from({ length: taken }, takeBuffer)
    atEnd(() => buffers.forEach(giveBack))
    const got: Buffer[] = []
    const stalled: Socket[] = []
    const port = await listening((socket) => void stalled.push(socket.pause()))
    const clients: TLSSocket[] = []
    const reach = await ending(port, (client) => void clients.push(client))
    const socket = reach()
    await until(() => clients.length > 0 && stalled.length > 0)
    const [client] = clients as [TLSSocket]
    const give = readerOf(client)
    const records = Array.from({ length: 2000 }, (_, at) => Buffer.alloc(16 * 1024, at % 251).fill(String(at), 0, 8))
    // In turns of three until nobody takes them, and then as many again as no Node would give.
    let at = 0
    for (; !client.isPaused(); await new Promise((next) => setImmediate(next)))
      for (let of = 0; of < 3; of++) give(records[at++] as Buffer)
    for (let more = 0; more < 40; more++) give(records[at++] as Buffer)
    if (end === 'at once') client.push(null)
    const [late] = stalled as [Socket]
    const over = new Promise((done) => late.once('end', done))
    let length = 0
    late.on('data', (piece: Buffer) => {
      got.push(piece)
      length += piece.length
    })
    late.resume()
    if (end === 'later') {
      await until(() => length >= at * 16 * 1024, 20_000)
      client.push(null)
    }
    await over
    expect(Buffer.concat(got).equals(Buffer.concat(records.slice(0, at)))).toBe(true)
    socket.destroy()
  },
)

test('a buffer of its own is given back when little comes', async () => {
  const reach = await ending(await echoing())
  const socket = reach()
  let came = 0
  socket.on('data', ({ length }: Buffer) => {
    came += length
  })
  const many = ofItsOwn(1, 1_000_000)
  socket.write(many)
  await until(() => came === many.length, 20_000)
  for (let little = 1; little <= 5; little++) {
    socket.write('x')
    await until(() => came === many.length + little)
  }
  const all = Array.from({ length: 128 }, takeBuffer)
  atEnd(() => all.forEach(giveBack))
  expect(all.filter(({ length }) => length === all[0]?.length)).toHaveLength(128)
  socket.destroy()
})
