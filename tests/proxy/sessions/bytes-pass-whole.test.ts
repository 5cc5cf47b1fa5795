/** Half-close, slow readers, and the limits of a session. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { putDocuments, readerRole } from '../../proxies.ts'
import { until } from '../proxy.ts'
import { message, startDatabase, welcome } from './database.ts'
import { eventsOf, newWorld, openSession } from './world.ts'

/** Lets in, and then does as the test says. */
const after = (then: (socket: import('node:net').Socket) => void) => {
  return (socket: import('node:net').Socket): void => {
    socket.once('data', () => {
      socket.write('N')
      socket.once('data', () => {
        socket.write(welcome)
        then(socket)
      })
    })
  }
}

test('an answer that comes after the client has ended its side arrives', async () => {
  const then = after((socket) => {
    socket.on('end', () => void setTimeout(() => socket.end(message('D', 'late')), 100))
  })
  const database = await startDatabase(then, { allowHalfOpen: true })
  const tunnel = await openSession(await newWorld({ tap: false, database }))
  tunnel.socket.allowHalfOpen = true
  tunnel.socket.end(message('X'))
  await until(() => tunnel.ended)
  expect(tunnel.said).toContain('late')
})

test('ten megabytes with an end at once pass whole to a slow reader', async () => {
  const size = 10 * 1024 * 1024
  let received = 0
  const then = after((socket) => {
    socket.on('data', (bytes: Buffer) => {
      received += bytes.length
      socket.pause()
      setTimeout(() => socket.resume(), 1)
    })
  })
  const database = await startDatabase(then)
  const tunnel = await openSession(await newWorld({ tap: false, database }))
  tunnel.socket.end(Buffer.alloc(size, 'x'))
  await tunnel.closed
  await until(() => received === size)
})

test('a client that reads nothing is waited for: the proxy buffers next to nothing', async () => {
  const piece = message('D', Buffer.alloc(64 * 1024, 'x'))
  let written = 0
  const then = after((socket) => {
    const more = () => {
      while (written < 512 * 1024 * 1024) {
        written += piece.length
        if (!socket.write(piece)) return void socket.once('drain', more)
      }
    }
    socket.once('data', more)
  })
  const database = await startDatabase(then)
  const world = await newWorld({ tap: false, database })
  const tunnel = await openSession(world)
  tunnel.socket.pause()
  tunnel.socket.write(message('Q', 'select\0'))
  let before = -1
  await until(() => {
    const isStill = written > 0 && written === before
    before = written
    return isStill
  }, 20_000)
  await sleep(500)
  // What kernels hold on both ways, and a buffer or two.
  expect(written).toBeLessThan(48 * 1024 * 1024)
  tunnel.socket.destroy()
  await until(() => world.proxy.serving.sessions.count === 0)
})

test('a session that is idle ends, and says so', async () => {
  const world = await newWorld({ tap: false, limits: { sessionIdleMs: 400 } })
  const tunnel = await openSession(world)
  expect(await tunnel.until((said) => said.includes('57P01'))).toContain('The session was idle')
  await tunnel.closed
  await until(() => eventsOf(world.edge).length === 2)
  expect(String(eventsOf(world.edge)[1]?.['detail'])).toContain('session_idle')
})

test('the shortest life that a role of its user names ends it, however busy it is', async () => {
  const world = await newWorld({ tap: false })
  const role = readerRole('db-reader', false)
  if (role.kind !== 'role') throw new Error('no role')
  const options = { ...role.spec.options, max_session_ttl: '30m' }
  await putDocuments(world.admin, { ...role, spec: { ...role.spec, options } })
  await world.proxy.serving.trust.ask()
  const tunnel = await openSession(world)
  const busy = setInterval(() => tunnel.socket.write(message('Q', 'select\0')), 100)
  world.edge.advance(1_800_000)
  expect(await tunnel.until((said) => said.includes('57P01'))).toContain('A session lives 30 minutes at most')
  clearInterval(busy)
  await tunnel.closed
})

test('bytes in either direction keep it', async () => {
  const world = await newWorld({ tap: false, limits: { sessionIdleMs: 400 } })
  const tunnel = await openSession(world)
  for (let round = 0; round < 8; round++) {
    tunnel.socket.write(message('Q', 'select\0'))
    await sleep(100)
  }
  expect(tunnel.said).not.toContain('57P01')
})

test('where one side has ended and nothing comes, it is not waited for', async () => {
  const database = await startDatabase(
    after(() => undefined),
    { allowHalfOpen: true },
  )
  const world = await newWorld({ tap: false, database, limits: { halfCloseIdleMs: 300 } })
  const tunnel = await openSession(world)
  tunnel.socket.allowHalfOpen = true
  tunnel.socket.end(message('X'))
  await until(() => world.proxy.serving.sessions.count === 0)
})
