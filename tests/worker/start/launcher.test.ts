/** `npm start` is two processes: the end of the first must be the end of the second. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { freePort, ready, root } from '../../runtime/launch.ts'
import { newHome } from './start.ts'

async function launch() {
  const [home, port] = [newHome(), await freePort()]
  const env = { ...process.env, SALLYPORT_HOME: home, SALLYPORT_EDGE_PORT: String(port) }
  const child = spawn(process.execPath, [join(root, 'start.ts')], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  return ready(child, home, `http://localhost:${port}`)
}

const answers = (origin: string) =>
  fetch(`${origin}/healthz`).then(
    (reply) => reply.ok,
    () => false,
  )

test.for(['SIGKILL', 'SIGTERM'] as const)('%s of start.ts ends the edge', async (signal, context) => {
  if (process.platform === 'win32') return context.skip('Windows has no signals')
  const { child, origin } = await launch()
  const ended = new Promise((done) => child.once('exit', (code, by) => done(by ?? code)))
  expect(await answers(origin)).toBe(true)
  child.kill(signal)
  expect(await ended).toBe(signal === 'SIGTERM' ? 0 : 'SIGKILL')
  for (const deadline = Date.now() + 3000; Date.now() < deadline && (await answers(origin)); ) await sleep(20)
  expect(await answers(origin)).toBe(false)
})
