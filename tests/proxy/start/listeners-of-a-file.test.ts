/** The proxy as a process with several listeners in its file: each serves, one that cannot be opened is named, and `check` finds mistakes. */
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freePort, newFolder, remove } from '../../runtime/launch.ts'
import { call } from '../front/front.ts'
import { atEnd, until } from '../proxy.ts'
import { startDatabase as startService } from '../sessions/database.ts'
import { start, startReady } from './start.ts'

async function fileWith(listeners: string) {
  const folder = newFolder()
  atEnd(() => remove(folder))
  const [port, service] = [await freePort(), await startService((socket) => void socket.write('welcome'))]
  const file = join(folder, 'proxy.yaml')
  writeFileSync(
    file,
    `version: v2
proxy_listener_mode: multiplex
edge: { url: 'http://localhost:1', keys: [${'A'.repeat(43)}] }
listen: { hosts: [127.0.0.1], port: ${port}, on_silence: { after: 1s, route: db } }
names: [proxy.test]
home: home
listeners:
${listeners}
routes:
  - { name: db, protocol: mysql, backends: ['${service.uri}'] }
`,
  )
  return { port, file, service }
}

const own = (port: number) => `  - { name: own, hosts: [127.0.0.1], port: ${port}, protocol: mysql, route: db }`

test('each serves', async () => {
  const second = await freePort()
  const { port, file } = await fileWith(own(second))
  expect(await start({}, ['check', '--config', file])).toMatchObject({ code: 0 })
  await startReady({}, port, ['start', '--config', file])
  for (const to of [second, port]) {
    const caller = await call(to)
    await until(() => caller.said() === 'welcome', 20_000)
  }
})

test('one whose port is taken is named, and nothing is served then', async () => {
  const taken = await startService(() => undefined)
  const { port, file } = await fileWith(own(taken.port))
  const { code, stderr } = await start({}, ['start', '--config', file])
  expect(code).toBe(1)
  expect(stderr).toMatch(
    new RegExp(`Cannot start: port ${taken.port} is in use\nhint: .*set the port of listener own to another port`),
  )
  const reached = await new Promise((done) =>
    connect({ port, host: '127.0.0.1' })
      .once('connect', () => done(undefined))
      .once('error', (error: { code?: string }) => done(error.code)),
  )
  expect(reached).toBe('ECONNREFUSED')
})

test('a mistake is told by file and line', async () => {
  const { file } = await fileWith('  - { name: own, port: 1, protocol: mysql, route: x }')
  const { code, stderr } = await start({}, ['check', '--config', file])
  expect(code).toBe(1)
  expect(stderr).toContain(`${file}:8: listeners[0].route: no route is named \`x\``)
})
