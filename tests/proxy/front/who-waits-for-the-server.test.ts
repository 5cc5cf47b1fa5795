/** Protocols in which the server speaks first: a port of their own, or a rule for whoever says nothing. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { encodeProxyV2 } from '../../../core/route/proxy-header.ts'
import { plainListener } from '../../../proxy/listeners.ts'
import { freePort } from '../../runtime/launch.ts'
import { dial, until } from '../proxy.ts'
import { endsOf, startRoutes, startTlsService } from '../routes/routes.ts'
import { startDatabase as startService } from '../sessions/database.ts'
import { call, missing, requiring } from './front.ts'
import { startMariaDb } from './mariadb.ts'

const db = { name: 'db', sni: [], protocol: 'mysql' } as const
const greet = () => startService((socket) => void socket.write('welcome'))
const header = encodeProxyV2({
  source: { address: '192.0.2.7', port: 1 },
  destination: { address: '192.0.2.8', port: 2 },
})

test('mariadb on the port of all and on one of its own, beside TLS', async (context) => {
  const lacking = missing('mariadb', 'mariadb-install-db', '/usr/sbin/mariadbd')
  if (lacking) return context.skip(lacking)
  const [server, web, port] = [await startMariaDb(), await startTlsService('web'), await freePort()]
  const own = { ...plainListener(['127.0.0.1'], port), name: 'mysql', protocol: 'mysql', route: 'db' } as const
  const proxy = await startRoutes(
    [
      { ...db, backends: [server.uri] },
      { name: 'web', backends: [web.uri] },
    ],
    {
      listener: { onSilence: { afterMs: 1000, route: 'db' } },
      listeners: [own],
    },
  )
  for (const to of [proxy.port, port]) {
    const { code, stdout, stderr } = await server.sql(to, "select repeat('x', 70000)")
    expect({ code, stderr, length: stdout.length }).toEqual({ code: 0, stderr: '', length: 70_001 })
  }
  const wire = await dial({ port: proxy.port, ca: web.ca }, { servername: 'a.test' })
  await until(() => wire.said() === 'web a.test false\n')
  await expect.poll(() => endsOf(proxy).filter(({ route }) => route === 'db')).toHaveLength(2)
})

test('without the rule nobody speaks, and the deadline of all ends it', async () => {
  const service = await greet()
  const proxy = await startRoutes([{ ...db, backends: [service.uri] }], { limits: { handshakeMs: 400 } })
  const caller = await call(proxy.port)
  await caller.closed
  await expect.poll(proxy.codes).toEqual(['handshake_too_slow'])
  expect(service.connections).toEqual([])
})

test('one byte is no silence, however long nothing follows', async () => {
  const service = await greet()
  const proxy = await startRoutes([{ ...db, backends: [service.uri] }], {
    listener: { onSilence: { afterMs: 300, route: 'db' } },
    limits: { handshakeMs: 1500 },
  })
  const caller = await call(proxy.port, '\x16')
  await caller.closed
  await expect.poll(proxy.codes).toEqual(['handshake_too_slow'])
  expect(service.connections).toEqual([])
})

test('whoever has gone before is taken nowhere', async () => {
  const service = await greet()
  const proxy = await startRoutes([{ ...db, backends: [service.uri] }], {
    listener: { onSilence: { afterMs: 300, route: 'db' } },
  })
  for (const end of ['end', 'resetAndDestroy'] as const) {
    const caller = await call(proxy.port)
    caller.socket[end]()
    await caller.closed
  }
  await expect.poll(proxy.codes).toEqual(['client_gone', 'client_gone'])
  await sleep(500)
  expect(service.connections).toEqual([])
})

test('behind a balancer the silence begins with the end of its header', async () => {
  const service = await greet()
  const port = await freePort()
  const own = { ...plainListener(['127.0.0.1'], port), ...requiring('127.0.0.1/32'), name: 'db' }
  const proxy = await startRoutes([{ ...db, backends: [service.uri] }], {
    listener: { ...requiring('127.0.0.1/32'), onSilence: { afterMs: 200, route: 'db' } },
    listeners: [{ ...own, protocol: 'mysql', route: 'db' }],
    limits: { handshakeMs: 2000 },
  })
  const silent = await call(proxy.port)
  await silent.closed
  await expect.poll(proxy.codes).toEqual(['handshake_too_slow'])
  for (const to of [proxy.port, port]) {
    const caller = await call(to, header)
    await until(() => caller.said() === 'welcome')
    caller.socket.end()
  }
  await expect.poll(() => endsOf(proxy)).toMatchObject(Array(2).fill({ address: '192.0.2.7', route: 'db' }))
})

test('a route that is gone from the table closes', async () => {
  const proxy = await startRoutes([], { listener: { onSilence: { afterMs: 50, route: 'db' } } })
  await (await call(proxy.port)).closed
  await expect.poll(proxy.codes).toEqual(['route_gone'])
})
