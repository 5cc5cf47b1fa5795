/** proxy.yaml is taken up while the proxy runs, by SIGHUP and when it changes; what is wrong with it changes nothing and is told. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { message, records, sni } from '../../core/hello-writer.ts'
import { freePort, newFolder, remove } from '../../runtime/launch.ts'
import { atEnd, until } from '../proxy.ts'
import { connectTo } from '../routes/routes.ts'
import { startDatabase as startService } from '../sessions/database.ts'
import { startReady } from './start.ts'

const hello = (name: string) => records(message(sni(name)))

const refused = (port: number) =>
  new Promise<string | undefined>((done) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => {
      socket.destroy()
      done(undefined)
    })
    socket.once('error', ({ code }: { code?: string }) => done(code))
  })

interface Written {
  readonly routes: Readonly<Record<string, string>>
  readonly more?: string
  readonly key?: string
}

async function startWithFile() {
  const folder = newFolder()
  atEnd(() => remove(folder))
  const [port, adminPort] = [await freePort(), await freePort()]
  const file = join(folder, 'proxy.yaml')
  const textOf = ({ routes, more = '', key = 'A' }: Written) => {
    const list = Object.entries(routes).map(
      ([name, uri]) => `  - { name: ${name}, sni: [${name}.test], tls: passthrough, backends: ['${uri}'] }\n`,
    )
    return `version: v1
edge: { url: 'http://localhost:1', keys: [${key.repeat(43)}] }
listen: { hosts: [127.0.0.1], port: ${port} }
names: [proxy.test]
home: home
admin_port: ${adminPort}
${more}${list.length > 0 ? `routes:\n${list.join('')}` : ''}`
  }
  /** As editors and deployments do: never half of it. */
  const write = (written: Written | string) => {
    writeFileSync(`${file}.new`, typeof written === 'string' ? written : textOf(written))
    renameSync(`${file}.new`, file)
  }
  const service = await startService((socket) => void socket.write('here'))
  write({ routes: { a: service.uri }, more: 'drain: 30s\n' })
  const started = await startReady({}, port, ['start', '--config', file])
  let said = ''
  started.child.stderr?.on('data', (part) => {
    said += part
  })
  const lines = (text: string) =>
    said
      .split('\n')
      .filter((line) => line.includes(text))
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  const tell = async (path: string) => (await fetch(`http://127.0.0.1:${adminPort}${path}`)).text()
  const open = async (name: string) => {
    const client = await connectTo({ port })
    client.socket.once('end', () => client.socket.end())
    client.socket.write(hello(name))
    await until(() => client.said() !== '' || client.socket.closed)
    return client
  }
  return { ...started, file, write, textOf, lines, service, tell, open }
}

test('SIGHUP: new routes serve, those that are gone do not, and an open connection goes on', async (context) => {
  if (process.platform === 'win32') return context.skip('Windows has no signals')
  const { child, write, lines, service, open, tell } = await startWithFile()
  const before = await open('a.test')
  expect(before.said()).toBe('here')
  expect(await tell('/metrics')).toContain('sallyport_proxy_config_generation 1\n')
  write({ routes: { b: service.uri } })
  child.kill('SIGHUP')
  await until(() => lines('configuration taken').length > 0, 15_000)
  expect((await open('b.test')).said()).toBe('here')
  expect((await open('a.test')).said()).not.toContain('here')
  before.socket.write('still here')
  await until(() => service.connections.some((one) => one.said().endsWith('still here')))
  expect(await tell('/metrics')).toMatch(/config_generation [23]\n/)
  expect(await tell('/metrics')).toContain('sallyport_proxy_config_reload_failures_total 0\n')
})

test('a change of the file is enough', async () => {
  const { write, lines, service, open } = await startWithFile()
  write({ routes: { c: service.uri } })
  await until(() => lines('configuration taken').length === 1, 15_000)
  expect((await open('c.test')).said()).toBe('here')
  await sleep(2500)
  expect(lines('configuration taken')).toHaveLength(1)
})

test('a wrong file leaves the one before running, and is told with file and line, and counted', async () => {
  const { file, write, textOf, lines, service, open, tell } = await startWithFile()
  write(textOf({ routes: { a: service.uri } }).replace('tls: passthrough', 'tls: pass'))
  await until(() => lines('the configuration stays as it was').length === 1, 15_000)
  const line =
    readFileSync(file, 'utf8')
      .split('\n')
      .findIndex((text) => text.includes('tls: pass')) + 1
  expect(lines('the configuration stays')).toMatchObject([
    { level: 'error', generation: 1, detail: expect.stringContaining(`${file}:${line}: routes[0].tls: `) },
  ])
  expect((await open('a.test')).said()).toBe('here')
  expect(await tell('/metrics')).toContain('sallyport_proxy_config_reload_failures_total 1\n')
  expect(await tell('/metrics')).toContain('sallyport_proxy_config_generation 1\n')
  // A certificate that is not there is found before anything has changed.
  write({ routes: { b: service.uri }, more: 'cert: none.pem\nkey: none.key\n' })
  await until(() => lines('the configuration stays').length === 2, 15_000)
  expect(String(lines('the configuration stays')[1]?.['detail'])).toContain('none.pem cannot be read')
  expect((await open('a.test')).said()).toBe('here')
  write({ routes: { b: service.uri } })
  await until(() => lines('configuration taken').length === 1, 15_000)
  expect((await open('b.test')).said()).toBe('here')
})

test('what waits for a restart is told by name, and the rest is taken', async () => {
  const { write, textOf, lines, service, open } = await startWithFile()
  const text = textOf({ routes: { b: service.uri }, key: 'E', more: 'max_stale: 1m\n' })
  write(text.replace(/port: \d+ }/, `port: ${await freePort()} }`).replace('home: home', 'home: other'))
  await until(() => lines('restart the proxy').length === 1, 15_000)
  const [line] = lines('restart the proxy')
  expect(line).toMatchObject({ level: 'warn', detail: 'listen.port, home, edge.keys, max_stale, max_offline' })
  expect((await open('b.test')).said()).toBe('here')
})

test('SIGTERM: /readyz says so at once, nobody gets in, what is open has its time, and a second signal cuts it short', async (context) => {
  if (process.platform === 'win32') return context.skip('Windows has no signals')
  const { child, ended, open, tell, port, service, lines } = await startWithFile()
  const client = await open('a.test')
  child.kill('SIGTERM')
  await expect.poll(() => tell('/readyz')).toBe('not ready: it is being stopped\n')
  expect(await tell('/metrics')).toContain('sallyport_proxy_stopping 1\n')
  expect(await tell('/healthz')).toBe('ok\n')
  await expect.poll(() => refused(port)).toBe('ECONNREFUSED')
  // Longer than without a file, and less than it may take.
  await sleep(6000)
  client.socket.write('still here')
  await until(() => service.connections.some((one) => one.said().endsWith('still here')))
  expect(client.ended()).toBe(false)
  const from = performance.now()
  child.kill('SIGTERM')
  expect(await ended).toMatchObject({ code: 0 })
  expect(performance.now() - from).toBeLessThan(15_000)
  expect(client.ended()).toBe(true)
  expect(lines('connection ended').at(-1)).toMatchObject({ code: 'proxy_stopping', closed_by: 'proxy', route: 'a' })
})
