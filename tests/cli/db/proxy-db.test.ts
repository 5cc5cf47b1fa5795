/** `sallyport proxy db` from a client's first byte to its last, against the real edge and a strict proxy. */
import { createHash, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Running } from '../run-cli.ts'
import { answerIn, signedIn } from '../tls-edge.ts'
import { newSessionProxy, type SessionProxy } from './session-proxy.ts'
import { dial, echo, reader, serve, sslRequest, startup } from './wire.ts'

async function start(proxy: SessionProxy, ...args: string[]) {
  const cli = await signedIn(proxy.front)
  const running = cli.start(['proxy', 'db', 'orders', '--no-browser', ...args])
  const [, port = ''] = await running.seen(/^listening on 127\.0\.0\.1:(\d+)$/m)
  return { cli, running, port: Number(port) }
}

const begin = (port: number, parameters: Readonly<Record<string, string>> = reader) => {
  const wire = dial(port)
  wire.send(startup(parameters))
  return wire
}

/** The address of the page that was shown as the nth. */
const pages = ({ stderr }: Running) => stderr().match(/^http:\/\/localhost:3080\/approve\S+$/gm) ?? []

test('each connection is a session with a tap of its own, and all bytes pass both ways', async () => {
  const proxy = await newSessionProxy({ tap: true, port: await echo() })
  const { running, port } = await start(proxy)
  expect(running.stdout()).toBe(`listening on 127.0.0.1:${port}\n`)
  const shown = `psql 'host=orders hostaddr=127.0.0.1 port=${port} user=USER dbname=DATABASE sslmode=disable'\n`
  await expect.poll(running.stderr, { timeout: 15_000 }).toBe(shown)
  const wire = dial(port)
  wire.send(sslRequest)
  await wire.until(/^N$/)
  wire.send(startup(reader))
  await running.seen(/^To open orders \(user reader, database app\), open this page in a browser on this machine:$/m)
  await answerIn(running, proxy.front.person)
  await wire.until(/user\0reader\0database\0app/)
  wire.send('hello')
  await wire.until(/hello$/)
  wire.socket.end()
  expect(await wire.ended).toBe('end')
  expect({ faults: proxy.faults, sessions: proxy.sessions }).toEqual({ faults: [], sessions: ['reader@app*'] })
})

test('without a role that wants a tap nothing is asked; Ctrl-C ends everything, exit 130', async () => {
  const proxy = await newSessionProxy({ port: await echo() })
  const { running, port } = await start(proxy, '--db-user=reader', '--db-name=app')
  const [one, two] = [begin(port), begin(port)]
  await Promise.all([one.until(/reader/), two.until(/reader/)])
  expect(proxy.sessions).toEqual(['reader@app', 'reader@app'])
  running.child.kill('SIGINT')
  const { code, stderr } = await running.ended
  expect(stderr).toMatch(/^psql '.+ user=reader dbname=app .+'\nsallyport: stopped, and every session with it\n$/)
  expect(code).toBe(130)
  await Promise.all([one.ended, two.ended])
  expect(proxy.faults).toEqual([])
})

test('several at once are asked for one after the other; who went away meanwhile is not asked for', async () => {
  const proxy = await newSessionProxy({ tap: true, port: await echo() })
  const { running, port } = await start(proxy)
  const one = begin(port)
  await running.seen(/^To open/m)
  const [two, three] = [begin(port), begin(port)]
  await new Promise((next) => setTimeout(next, 300))
  expect(pages(running)).toHaveLength(1)
  two.socket.destroy()
  await answerIn(running, proxy.front.person)
  await one.until(/reader/)
  await expect.poll(() => pages(running).length).toBe(2)
  three.socket.destroy()
  await new Promise((next) => setTimeout(next, 300))
  expect(pages(running)).toHaveLength(2)
  expect({ faults: proxy.faults, sessions: proxy.sessions }).toEqual({ faults: [], sessions: ['reader@app*'] })
})

test('who says no in the browser gets no session, and the client reads it', async () => {
  const proxy = await newSessionProxy({ tap: true, port: await echo() })
  const { running, port } = await start(proxy)
  const wire = begin(port)
  await answerIn(running, proxy.front.person, 'no')
  expect(await wire.ended).toBe('end')
  expect(wire.said()).toContain(
    '\0C28000\0Msallyport cannot open orders: it was refused in the browser. try again to approve it\0',
  )
  await running.seen(/^sallyport: error: Cannot open orders: it was refused in the browser$/m)
  expect(proxy.sessions).toEqual([])
})

const otherwise: [what: string, asks: Record<string, string>, said: string][] = [
  ['another user', { user: 'admin', database: 'app' }, 'this local proxy is for the user reader, not admin'],
  ['another database', { user: 'reader', database: 'hr' }, 'this local proxy is for the database app, not hr'],
]

test.each(otherwise)('%s than the command was given is refused before anybody is asked', async (_, asks, said) => {
  const proxy = await newSessionProxy({ tap: true, port: await echo() })
  const { running, port } = await start(proxy, '--db-user=reader', '--db-name=app')
  const wire = begin(port, asks)
  expect(await wire.ended).toBe('end')
  expect(wire.said()).toContain(`\0C28000\0Msallyport cannot open orders: ${said}. Connect to `)
  expect(pages(running)).toEqual([])
})

test('what no role allows: the edge says what would be, and the client reads it', async () => {
  const proxy = await newSessionProxy({ port: await echo() })
  const { port } = await start(proxy)
  const wire = begin(port, { user: 'admin', database: 'app' })
  expect(await wire.ended).toBe('end')
  expect(wire.said()).toContain('\0C28000\0M')
  expect(wire.said()).toContain('No role of yours allows orders (user admin, database app).')
  expect(proxy.sessions).toEqual([])
})

test.each([
  [403, 'access_denied', 'This user is locked: Call the office.', '28000'],
  [502, 'upstream_unreachable', 'The database does not answer.', '08006'],
  [504, 'upstream_slow', 'The database took too long.', '08006'],
])('a proxy that answers %i %s: its sentence reaches the client', async (status, error, said, state) => {
  const proxy = await newSessionProxy({ port: await echo() })
  const { port } = await start(proxy)
  proxy.refusal = { status, error, message: said }
  const wire = begin(port)
  expect(await wire.ended).toBe('end')
  expect(wire.said()).toContain(`\0C${state}\0M`)
  expect(wire.said()).toContain(said)
  proxy.refusal = undefined
  await begin(port).until(/reader/)
})

test('a proxy that starts again while a tap is waited for: the client is told, and the next one works', async () => {
  const proxy = await newSessionProxy({ tap: true, port: await echo() })
  const { running, port } = await start(proxy)
  const wire = begin(port)
  await running.seen(/^To open/m)
  proxy.restart()
  expect(await wire.ended).toBe('end')
  expect(wire.said()).toContain('\0C08006\0Msallyport cannot open orders: the proxy ended the connection. try again\0')
  const again = begin(port)
  await expect.poll(() => pages(running).length).toBe(2)
  const shown = {
    ...running,
    seen: async (pattern: RegExp) => pattern.exec(`${pages(running)[1] ?? ''}\n`) as RegExpExecArray,
  }
  await answerIn(shown, proxy.front.person)
  await again.until(/reader/)
  expect(proxy.faults).toEqual([])
})

test('a proxy that is away: an error and no hang; the local proxy goes on', async () => {
  const proxy = await newSessionProxy({ port: await echo() })
  const { running, port } = await start(proxy)
  proxy.front.close()
  const wire = begin(port)
  expect(await wire.ended).toBe('end')
  expect(wire.said()).toMatch(/\0C08006\0Msallyport cannot open orders: localhost:\d+ cannot be reached/)
  expect(running.child.exitCode).toBe(null)
})

test('a half-close of the client lets the answer through; a session that is cut ends the client', async () => {
  const late = await serve((socket) => {
    socket.resume().on('end', () => setTimeout(() => socket.end('the last word'), 100))
  })
  const proxy = await newSessionProxy({ port: late })
  const { port } = await start(proxy)
  const one = begin(port)
  await expect.poll(() => proxy.sessions.length).toBe(1)
  one.socket.end()
  expect(await one.ended).toBe('end')
  expect(one.said()).toBe('the last word')
  const two = begin(port)
  await expect.poll(() => proxy.sessions.length).toBe(2)
  proxy.cutSessions()
  await two.ended
})

test('a client that breaks off ends its session', async () => {
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  const server = await serve(
    (socket) =>
      void socket
        .resume()
        .once('close', () => resolve())
        .once('end', () => resolve()),
  )
  const proxy = await newSessionProxy({ port: server })
  const { port } = await start(proxy)
  const wire = begin(port)
  await expect.poll(() => proxy.sessions.length).toBe(1)
  wire.socket.resetAndDestroy()
  await ended
})

test('50 MB come through whole to a client that reads slowly', async () => {
  const part = randomBytes(1 << 20)
  const wanted = createHash('sha256')
  for (let i = 0; i < 50; i++) wanted.update(part)
  const server = await serve(async (socket) => {
    socket.resume()
    for (let i = 0; i < 50; i++) if (!socket.write(part)) await new Promise((next) => socket.once('drain', next))
    socket.end()
  })
  const proxy = await newSessionProxy({ port: server })
  const { port } = await start(proxy)
  const wire = begin(port)
  const seen = createHash('sha256')
  wire.socket.removeAllListeners('data').on('data', (text: string) => {
    seen.update(text, 'latin1')
    if (Math.random() < 0.02) {
      wire.socket.pause()
      setTimeout(() => wire.socket.resume(), 5)
    }
  })
  expect(await wire.ended).toBe('end')
  expect(seen.digest('hex')).toBe(wanted.digest('hex'))
})
