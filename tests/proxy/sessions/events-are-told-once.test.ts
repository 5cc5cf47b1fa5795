/** What happened is told until it is acknowledged, and written once. */
import { expect, test } from 'vitest'
import { lockOf, putDocuments } from '../../people.ts'
import { until } from '../proxy.ts'
import { message } from './database.ts'
import { eventsOf, grantFor, newWorld, openSession, Tunnel } from './world.ts'

test('also when the edge is away meanwhile', async () => {
  const world = await newWorld({ tap: false })
  const { edge, line, proxy } = world
  const tunnel = await openSession(world)
  line.cut()
  tunnel.socket.end(message('X'))
  await tunnel.closed
  await until(() => proxy.serving.events.waiting > 0)
  line.bringBack()
  await until(() => proxy.serving.events.waiting === 0, 15_000)
  expect(eventsOf(edge).map(({ kind }) => kind)).toEqual(['session.start', 'session.stop'])
})

test('also when the acknowledgement is lost', async () => {
  const world = await newWorld({ tap: false })
  const { edge, line, proxy } = world
  let lost = 0
  line.tamper = (path, answer) => (path === '/v1/proxy/events' && lost++ < 2 ? undefined : answer)
  const tunnel = await openSession(world)
  tunnel.socket.end(message('X'))
  await tunnel.closed
  await until(() => proxy.serving.events.waiting === 0 && lost > 2, 20_000)
  expect(eventsOf(edge).map(({ kind }) => kind)).toEqual(['session.start', 'session.stop'])
})

test('sessions of every end, where each second acknowledgement is lost: each has its rows, and none twice', async () => {
  const world = await newWorld({ tap: false })
  const { admin, edge, lea, line, proxy } = world
  let asked = 0
  line.tamper = (path, answer) => (path === '/v1/proxy/events' && asked++ % 2 === 0 ? undefined : answer)
  const spent = await grantFor(world, lea)
  for (let n = 0; n < 6; n++) {
    const tunnel = await openSession(world)
    if (n % 2 === 0) tunnel.socket.end(message('X'))
    else tunnel.socket.destroy()
    await tunnel.closed
  }
  const statuses: number[] = []
  for (let n = 0; n < 3; n++) statuses.push((await (await Tunnel.open(proxy)).connect(spent, lea)).status)
  expect(statuses).toEqual([200, 403, 403])
  const cut = [await openSession(world), await openSession(world)]
  await putDocuments(admin, [lockOf('Lea')])
  await Promise.all(cut.map(({ closed }) => closed))
  await until(() => proxy.serving.sessions.count === 0 && proxy.serving.events.waiting === 0, 20_000)
  expect(asked).toBeGreaterThan(1)
  const rows = eventsOf(edge).map(({ kind, code, detail }) => {
    const { session, said = '{}' } = JSON.parse(String(detail)) as { session: string; said?: string }
    return { session, row: `${kind} ${code ?? JSON.parse(said).why ?? ''}`.trim() }
  })
  const count = (row: string) => rows.filter((one) => one.row === row).length
  expect(count('session.start')).toBe(9)
  expect(count('session.refuse grant_spent')).toBe(2)
  expect(count('session.stop session_cut')).toBe(3)
  expect(count('session.stop ended') + count('session.stop client_reset')).toBe(6)
  const stopped = rows.filter(({ row }) => row.startsWith('session.stop')).map(({ session }) => session)
  expect(new Set(stopped).size).toBe(9)
})

test('what cannot be told opens no session', async () => {
  const world = await newWorld({ tap: false, limits: { events: 4 } })
  const { lea, line, proxy } = world
  const grants = [await grantFor(world, lea), await grantFor(world, lea), await grantFor(world, lea)]
  line.tamper = (path, answer) => (path === '/v1/proxy/events' ? undefined : answer)
  const statuses: number[] = []
  for (const grant of grants) statuses.push((await (await Tunnel.open(proxy)).connect(grant, lea)).status)
  expect(statuses).toEqual([200, 200, 503])
})
