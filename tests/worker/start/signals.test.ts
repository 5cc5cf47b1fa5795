/** Ctrl-C and SIGTERM: out at once, whoever holds a connection, and not before requests are answered. */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { launchServe, type Running } from '../../runtime/launch.ts'
import { newHome } from './start.ts'

const signals = ['SIGINT', 'SIGTERM'] as const
/** Well before the grace that whoever holds a connection has is over (5 s, worker/serve.ts). */
const soon = 3000

interface Wire {
  readonly socket: Socket
  /** What came so far. */
  readonly said: () => string
  readonly closed: Promise<void>
}

async function dial({ origin }: Running): Promise<Wire> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(origin).port) })
  let said = ''
  socket.setEncoding('utf8').on('data', (part: string) => {
    said += part
  })
  socket.on('error', () => undefined)
  const closed = new Promise<void>((done) => socket.once('close', () => done()))
  await new Promise<void>((done) => socket.once('connect', () => done()))
  return { socket, said: () => said, closed }
}

const request = ({ origin }: Running, line: string, ...headers: string[]) =>
  [`${line} HTTP/1.1`, `Host: ${new URL(origin).host}`, ...headers, '', ''].join('\r\n')

async function until(holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 5000; !holds(); await sleep(5)) {
    if (Date.now() > deadline) throw new Error('it did not come to that')
  }
}

async function end({ child }: Running, signal: NodeJS.Signals): Promise<{ code: number | null; ms: number }> {
  const ended = new Promise<number | null>((done) => child.once('exit', (code) => done(code)))
  const from = performance.now()
  child.kill(signal)
  const code = await ended
  return { code, ms: performance.now() - from }
}

const story = (name: string, work: (signal: NodeJS.Signals, edge: Running) => Promise<void>) =>
  test.for(signals)(`%s ${name}`, async (signal, context) => {
    if (process.platform === 'win32') return context.skip('Windows has no signals')
    const edge = await launchServe('node', { home: newHome() })
    try {
      await work(signal, edge)
    } finally {
      edge.child.kill('SIGKILL')
    }
  })

story('ends an idle edge with exit 0 at once', async (signal, edge) => {
  const { code, ms } = await end(edge, signal)
  expect(code).toBe(0)
  expect(ms).toBeLessThan(soon)
})

story('does not wait for a browser that keeps its connection for later', async (signal, edge) => {
  const wire = await dial(edge)
  wire.socket.write(request(edge, 'GET /healthz'))
  await until(() => wire.said().endsWith('}'))
  const { code, ms } = await end(edge, signal)
  expect(code).toBe(0)
  expect(ms).toBeLessThan(soon)
  await wire.closed
})

story('does not wait for a browser that opened a connection and asked nothing yet', async (signal, edge) => {
  const wire = await dial(edge)
  await sleep(50)
  const { code, ms } = await end(edge, signal)
  expect(code).toBe(0)
  expect(ms).toBeLessThan(soon)
  await wire.closed
})

story('answers the request in flight, takes no new one, then ends at once', async (signal, edge) => {
  const wire = await dial(edge)
  const headers = [`Origin: ${edge.origin}`, 'Content-Type: application/json', 'Content-Length: 2']
  wire.socket.write(`${request(edge, 'POST /v1/login/begin', ...headers)}{`)
  await sleep(100)
  const ending = end(edge, signal)
  await sleep(200)
  await expect(fetch(`${edge.origin}/healthz`)).rejects.toThrow()
  wire.socket.write('}')
  const { code, ms } = await ending
  await wire.closed
  expect(wire.said()).toMatch(/^HTTP\/1\.1 200 /)
  expect(wire.said()).toContain('"ticket"')
  expect(code).toBe(0)
  expect(ms).toBeLessThan(soon)
})
