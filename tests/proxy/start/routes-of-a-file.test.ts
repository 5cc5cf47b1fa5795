/** The proxy as a process with a proxy.yaml: its routes serve, its metrics tell of them, and SIGTERM gives them a while. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freePort, newFolder, remove } from '../../runtime/launch.ts'
import { atEnd, dial, until } from '../proxy.ts'
import { startTlsService } from '../routes/routes.ts'
import { startDatabase as startService } from '../sessions/database.ts'
import { startReady } from './start.ts'

async function startWithFile() {
  const folder = newFolder()
  atEnd(() => remove(folder))
  const [port, adminPort] = [await freePort(), await freePort()]
  const secret = await startTlsService('secret')
  const plain = await startService((socket) => void socket.on('data', (bytes) => socket.write(bytes)))
  const file = join(folder, 'proxy.yaml')
  writeFileSync(
    file,
    `version: v1
edge: { url: 'http://localhost:1', keys: [${'A'.repeat(43)}] }
listen: { hosts: [127.0.0.1], port: ${port} }
names: [proxy.test]
home: home
admin_port: ${adminPort}
drain: 4s
routes:
  - { name: secret, sni: ['*.a.test'], tls: passthrough, backends: ['${secret.uri}'] }
  - { name: plain, sni: [plain.test], alpn: [x], tls: terminate, backends: ['${plain.uri}'] }
`,
  )
  const started = await startReady({}, port, ['start', '--config', file])
  const ca = readFileSync(join(folder, 'home', 'ca.pem'), 'utf8')
  const metrics = async () => (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
  return { ...started, ca, secret, metrics }
}

test('both kinds of routes, their metrics, and the end', async (context) => {
  if (process.platform === 'win32') return context.skip('Windows has no signals')
  const { port, ca, secret, metrics, child, ended } = await startWithFile()
  const through = await dial({ port, ca: secret.ca }, { servername: 'x.a.test' })
  await until(() => through.said() === 'secret x.a.test false\n')
  // The authority of this machine speaks for the route's name too.
  const inside = await dial({ port, ca }, { servername: 'plain.test', ALPNProtocols: ['x'] })
  inside.send('hello')
  await until(() => inside.said() === 'hello')
  expect(await metrics()).toContain('sallyport_proxy_relays 2\n')
  inside.socket.end()
  await inside.closed
  await until(() => inside.socket.closed)
  await expect.poll(metrics).toContain('{message="connection ended",code="ended",route="plain"} 1\n')
  const from = performance.now()
  child.kill('SIGTERM')
  await through.closed
  const { code, stderr } = await ended
  expect(code).toBe(0)
  expect(performance.now() - from).toBeGreaterThan(3500)
  const lines = stderr.split('\n').filter((line) => line.includes('connection ended'))
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { route: 'plain', code: 'ended', up: 5, down: 5 },
    { route: 'secret', code: 'proxy_stopping' },
  ])
})
