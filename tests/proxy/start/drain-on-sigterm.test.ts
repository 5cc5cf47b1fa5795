/** SIGTERM and Ctrl-C: requests finish, idle connections do not matter, and nobody holds the process for longer than the grace. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { newHome } from '../../worker/start/start.ts'
import { dial, edgeThat, head, until } from '../proxy.ts'
import { startReady } from './start.ts'

async function proxyBefore(edge: string) {
  const home = newHome()
  const started = await startReady({ SALLYPORT_HOME: home, SALLYPORT_EDGE_URL: edge })
  const ca = readFileSync(join(home, 'ca.pem'), 'utf8')
  const dialed = () => dial({ ...started, ca })
  return { ...started, dialed }
}

test.for(['SIGTERM', 'SIGINT'] as const)(
  '%s lets a request finish, takes no new one, and ends the idle',
  async (signal, context) => {
    if (process.platform === 'win32') return context.skip('Windows has no signals')
    let answer = () => {}
    const edge = await edgeThat((_, response) => {
      answer = () => void response.end('at last')
    })
    const { child, ended, dialed } = await proxyBefore(edge)
    const [idle, busy] = [await dialed(), await dialed()]
    busy.send(head('GET /v1/x HTTP/1.1', 'Host: localhost'))
    await sleep(200)
    child.kill(signal)
    await idle.closed
    child.kill(signal)
    expect(await (await dialed()).closed).toBe('ECONNREFUSED')
    answer()
    await busy.closed
    expect(busy.said()).toMatch(/^HTTP\/1\.1 200 .*at last$/s)
    expect(await ended).toMatchObject({ code: 0 })
  },
)

test('a request that does not finish ends with the grace of 5 s', async (context) => {
  if (process.platform === 'win32') return context.skip('Windows has no signals')
  const { child, ended, dialed } = await proxyBefore(await edgeThat(() => undefined))
  const wire = await dialed()
  wire.send(head('GET /v1/x HTTP/1.1', 'Host: localhost'))
  await sleep(200)
  const from = performance.now()
  child.kill('SIGTERM')
  expect(await ended).toMatchObject({ code: 0 })
  expect(performance.now() - from).toBeGreaterThan(4500)
  expect(performance.now() - from).toBeLessThan(8000)
  await until(() => wire.socket.closed)
})
