/** `npm start` is three processes: the launcher, the edge, the proxy. The end of one is the end of all. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { freePort, ready, root } from '../../runtime/launch.ts'
import { endOf, newHome } from './start.ts'

async function settings() {
  const [edgePort, proxyPort] = [await freePort(), await freePort()]
  const env = { SALLYPORT_HOME: newHome(), SALLYPORT_EDGE_PORT: `${edgePort}`, SALLYPORT_PROXY_PORT: `${proxyPort}` }
  return { edgePort, proxyPort, env }
}

const spawnLauncher = (env: Readonly<Record<string, string>>): ChildProcess =>
  spawn(process.execPath, [join(root, 'start.ts')], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })

async function launch() {
  const { edgePort, proxyPort, env } = await settings()
  const child = spawnLauncher(env)
  const running = await ready(child, env.SALLYPORT_HOME, `http://localhost:${edgePort}`)
  for (const deadline = Date.now() + 15_000; !running.stdout().includes('proxy ready'); await sleep(20)) {
    if (Date.now() > deadline || child.exitCode !== null) throw new Error(running.stderr())
  }
  return { ...running, ports: [edgePort, proxyPort] }
}

const isOpen = (port: number) =>
  new Promise<boolean>((done) => {
    const socket = connect(port, '127.0.0.1', () => done(true))
    socket.on('error', () => done(false)).on('connect', () => socket.destroy())
  })

async function expectClosed(ports: readonly number[]): Promise<void> {
  const open = async () => (await Promise.all(ports.map(isOpen))).includes(true)
  for (const deadline = Date.now() + 5000; Date.now() < deadline && (await open()); ) await sleep(20)
  expect(await open()).toBe(false)
}

/** The process ids of edge and proxy. */
const childrenOf = ({ pid }: ChildProcess): number[] =>
  execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
    .trim()
    .split(/\s+/)
    .map(Number)

const exitOf = (child: ChildProcess) =>
  new Promise<number | string | null>((done) => child.once('exit', (code, by) => done(by ?? code)))

test('the lines have one order, and the two know each other', async () => {
  const { child, ports, stdout, origin, secret } = await launch()
  const ended = exitOf(child)
  expect(stdout()).toBe(
    `edge ready ${origin}\nfirst administrator: ${origin}/first-administrator#${secret}\nproxy ready localhost:${ports[1]}\n`,
  )
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
})

test.for(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('%s of start.ts ends edge and proxy', async (signal, context) => {
  if (process.platform === 'win32') return context.skip('Windows has no signals')
  const { child, ports } = await launch()
  const ended = exitOf(child)
  expect(await Promise.all(ports.map(isOpen))).toEqual([true, true])
  child.kill(signal)
  child.kill(signal)
  expect(await ended).toBe(signal === 'SIGKILL' ? 'SIGKILL' : 0)
  await expectClosed(ports)
})

test.for([
  [0, 'SIGTERM', 0],
  [1, 'SIGTERM', 0],
  [0, 'SIGKILL', 1],
  [1, 'SIGKILL', 1],
] as const)('child %i ended by %s ends all with exit %i', async ([which, signal, code], context) => {
  if (process.platform !== 'linux') return context.skip('only here ps tells the children of a process')
  const { child, ports } = await launch()
  const ended = exitOf(child)
  const children = childrenOf(child)
  expect(children).toHaveLength(2)
  process.kill(children[which] ?? 0, signal)
  expect(await ended).toBe(code)
  await expectClosed(ports)
})

test.for(['edgePort', 'proxyPort'] as const)(
  'a start whose %s is in use fails, says so and leaves nobody behind',
  async (taken) => {
    const { env, ...ports } = await settings()
    const server = createServer()
    await new Promise<void>((done) => server.listen(ports[taken], '127.0.0.1', done))
    try {
      const { code, stderr } = await endOf(spawnLauncher(env))
      expect(code).toBe(1)
      expect(stderr).toContain(`sallyport: error: Cannot start: port ${ports[taken]} is in use\nhint: `)
      await expectClosed([taken === 'edgePort' ? ports.proxyPort : ports.edgePort])
    } finally {
      server.close()
    }
  },
)

test('a signal in the middle of the start ends it in order', async (context) => {
  if (process.platform === 'win32') return context.skip('Windows has no signals')
  const { env, edgePort, proxyPort } = await settings()
  const child = spawnLauncher(env)
  const ended = exitOf(child)
  for (const deadline = Date.now() + 15_000; Date.now() < deadline; await sleep(10)) {
    if (readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ').length === 2) break
  }
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
  await expectClosed([edgePort, proxyPort])
})
