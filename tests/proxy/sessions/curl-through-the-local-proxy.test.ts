/** Programs as people run them, through the real local proxy: curl to a web server. What the command does between the two, the test does. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type LocalProxy, listenForBytes, type Opened } from '../../../proxy/local.ts'
import { atEnd, until } from '../proxy.ts'
import { askOf, put, samples, sha, startEcho, worldOf } from './kinds.ts'
import { grantFor, Tunnel, type World } from './world.ts'

/** Says the SHA-256 of what it is sent, and answers with bytes of its own. */
async function startWeb(answer: Buffer): Promise<string> {
  const server = createServer(async (asked, reply) => {
    reply.setHeader('x-heard', sha(await buffer(asked)))
    reply.end(answer)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  atEnd(() => new Promise<void>((done) => void server.close(() => done()).closeAllConnections()))
  return `127.0.0.1:${(server.address() as { port: number }).port}`
}

async function open(world: World): Promise<Opened> {
  const tunnel = await Tunnel.open(world.proxy)
  const grant = await grantFor(world, world.lea, askOf(world, 'app'))
  tunnel.socket.removeAllListeners('data')
  const { status, json } = await new Tunnel(world.proxy, tunnel.socket).connect(grant, world.lea, { name: 'wiki' })
  if (status !== 200) return { kind: 'refused', state: 'connectionFailure', message: String(json['message']) }
  tunnel.socket.removeAllListeners('data').pause()
  tunnel.socket.allowHalfOpen = true
  return { kind: 'tunnel', stream: tunnel.socket }
}

async function listen(opens: (gone: AbortSignal, ended: AbortSignal) => Promise<Opened>): Promise<LocalProxy> {
  const local = await listenForBytes(0, { open: opens, tell: () => undefined })
  atEnd(local.close)
  return local
}

async function curl(...args: string[]) {
  const child = spawn('curl', ['-sS', '-i', '--noproxy', '*', ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  atEnd(() => child.kill('SIGKILL'))
  child.stdin.on('error', () => undefined)
  const said = buffer(child.stdout)
  const ended = new Promise<number | null>((done) => child.once('close', done))
  return { child, code: () => ended, said: () => said }
}

test('a megabyte to a web server and a megabyte from it are whole, one session a connection', async () => {
  const [sent, answer] = [randomBytes(1 << 20), randomBytes(1 << 20)]
  const world = await worldOf('app', { tap: true })
  await put(world, samples.app.document(await startWeb(answer)))
  await world.proxy.serving.trust.ask()
  const local = await listen(() => open(world))
  for (let round = 0; round < 2; round++) {
    const run = await curl('--data-binary', '@-', '-H', 'Expect:', `http://127.0.0.1:${local.port}/`)
    run.child.stdin.end(sent)
    const said = await run.said()
    expect(await run.code()).toBe(0)
    const head = said.subarray(0, said.indexOf('\r\n\r\n') + 4).toString('latin1')
    expect(head).toContain(`x-heard: ${sha(sent)}`)
    expect(sha(said.subarray(head.length))).toBe(sha(answer))
  }
})

test('what is refused is a reset, not an empty answer', async () => {
  const local = await listen(async () => {
    // curl has sent its request by then.
    await sleep(200)
    return { kind: 'refused', state: 'connectionFailure', message: 'no' }
  })
  const run = await curl(`http://127.0.0.1:${local.port}/`)
  // 56: the connection was reset; 52 would be an empty answer.
  expect(await run.code()).toBe(56)
})

test('a client that ends its side before the session is open gets its answer', async () => {
  const world = await worldOf('app', { server: await startEcho() })
  const { promise: mayOpen, resolve: letOpen } = Promise.withResolvers<void>()
  let signals: readonly boolean[] = []
  const local = await listen(async (gone, ended) => {
    await until(() => ended.aborted)
    signals = [gone.aborted, ended.aborted]
    await mayOpen
    return open(world)
  })
  const sent = randomBytes(50_000)
  const socket = connect({ port: local.port, host: '127.0.0.1', allowHalfOpen: true })
  const said = buffer(socket)
  socket.end(sent)
  await until(() => signals.length > 0)
  expect(signals).toEqual([false, true])
  letOpen()
  expect(sha(await said)).toBe(sha(sent))
})

test.for([
  ['ends without a word', ''],
  ['breaks off after some', 'reset'],
] as const)('nobody waits for a session whose client %s', async ([, how]) => {
  const { promise: left, resolve } = Promise.withResolvers<void>()
  const local = await listen(async (gone) => {
    gone.addEventListener('abort', () => resolve())
    await left
    return { kind: 'refused', state: 'connectionFailure', message: 'gone' }
  })
  const socket = connect({ port: local.port, host: '127.0.0.1' })
  socket.on('error', () => undefined)
  await new Promise<void>((done) => socket.once('connect', done))
  if (how === '') socket.end()
  else socket.write('some', () => setTimeout(() => socket.resetAndDestroy(), 50))
  await left
})

test('megabytes that come before a session is open are whole', async () => {
  const world = await worldOf('app', { server: await startEcho() })
  const { promise: mayOpen, resolve: letOpen } = Promise.withResolvers<void>()
  const local = await listen(async () => {
    await mayOpen
    return open(world)
  })
  const sent = randomBytes(8 << 20)
  const socket = connect({ port: local.port, host: '127.0.0.1', allowHalfOpen: true })
  const said = buffer(socket)
  socket.end(sent)
  await sleep(300)
  letOpen()
  expect(sha(await said)).toBe(sha(sent))
})
