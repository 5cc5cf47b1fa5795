/** Open sessions as people see them, and end them: their own, and administrators anybody's. */
import { expect, test } from 'vitest'
import { call, callOnce, newPerson } from '../../people.ts'
import { setOf } from '../../proxies.ts'
import { until } from '../proxy.ts'
import { grantFor, nameOf, newWorld, openSession, Tunnel, type World } from './world.ts'

type Who = World['lea']

const seen = async (who: Who, path = '/v1/me/sessions') => (await callOnce(who, 'GET', path)).json.sessions
/** Once the proxy has told of so many. */
async function listed(who: Who, count: number, path?: string) {
  await expect.poll(async () => (await seen(who, path)).length, { timeout: 5000 }).toBe(count)
  return seen(who, path)
}

test('its user sees it from its beginning to its end, with what it is and through what', async () => {
  const world = await newWorld({ tap: false })
  const tunnel = await openSession(world)
  expect(await listed(world.lea, 1)).toEqual([
    {
      id: expect.any(String),
      user: 'Lea',
      resource: { kind: 'db', name: 'pg-1' },
      principal: 'user reader, database orders',
      proxy: 'p1',
      address: '127.0.0.1',
      opened_at: expect.any(Number),
    },
  ])
  tunnel.socket.destroy()
  await listed(world.lea, 0)
})

test('ended by its user it is cut with a word, and others go on', async () => {
  const world = await newWorld({ tap: false })
  const [tunnel, other] = [await openSession(world), await openSession(world)]
  const { sessions } = world.proxy.serving
  const all = await listed(world.lea, 2)
  const [first] = all as { id: string }[]
  const ended = await callOnce(world.lea, 'DELETE', `/v1/me/sessions/${first?.id}`)
  expect(ended).toMatchObject({ status: 200, json: { resource: { name: 'pg-1' } } })
  const cut = () => [tunnel, other].filter(({ socket }) => socket.destroyed)
  await until(() => cut().length > 0 && sessions.count === 1)
  expect(cut()).toHaveLength(1)
  expect(cut()[0]?.said).toContain('This session was ended, by its user or an administrator.')
  await listed(world.lea, 1)
  // Told once more, nothing else ends.
  expect((await callOnce(world.lea, 'DELETE', `/v1/me/sessions/${first?.id}`)).status).toBe(404)
  expect(sessions.count).toBe(1)
})

test('at the account page its user sees it and ends it, by his cookie alone, and nobody by another’s', async () => {
  const world = await newWorld({ tap: false })
  const { lea, edge } = world
  const bob = await newPerson(world.admin, 'Bob', ['access', 'db-reader'])
  const tunnel = await openSession(world)
  const [session] = (await listed(lea, 1)) as { id: string }[]
  const id = session?.id ?? ''
  expect((await lea.visitor.get('/account')).text).toContain(`data-end-connection="${id}"`)
  expect((await bob.visitor.get('/account')).text).not.toContain(id)
  const path = `/v1/connections/${encodeURIComponent(id)}/end`
  expect((await bob.visitor.post(path, {})).json).toMatchObject({ error: 'session_unknown' })
  expect((await edge.visitor().post(path, {})).json).toMatchObject({ error: 'sign_in' })
  expect(tunnel.socket.destroyed).toBe(false)
  expect(await lea.visitor.post(path, {})).toMatchObject({ status: 200, json: { location: '/account' } })
  await tunnel.closed
  expect(tunnel.said).toContain('This session was ended, by its user or an administrator.')
  expect((await lea.visitor.get('/account')).text).not.toContain(id)
})

test('of others nobody sees or ends anything, but who may; and he taps', async () => {
  const world = await newWorld({ tap: false })
  const bob = await newPerson(world.admin, 'Bob', ['access', 'db-reader'])
  const tunnel = await openSession(world)
  const [session] = (await listed(world.lea, 1)) as { id: string }[]
  expect(await seen(bob)).toEqual([])
  for (const path of [`/v1/me/sessions/${session?.id}`, `/v1/sessions/${session?.id}`]) {
    const { status, json } = await callOnce(bob, 'DELETE', path)
    expect([status, json.error]).toEqual(path.includes('/me/') ? [404, 'session_unknown'] : [403, 'forbidden'])
  }
  expect((await callOnce(bob, 'GET', '/v1/sessions')).status).toBe(403)
  expect(await listed(world.admin, 1, '/v1/sessions?user=lea')).toEqual([expect.objectContaining({ user: 'Lea' })])
  expect(await seen(world.admin, '/v1/sessions?user=Bob')).toEqual([])
  expect((await callOnce(world.admin, 'DELETE', `/v1/sessions/${session?.id}`)).json.error).toBe('tap_required')
  expect(tunnel.socket.destroyed).toBe(false)
  expect((await call(world.admin, 'DELETE', `/v1/sessions/${session?.id}`)).status).toBe(200)
  await tunnel.closed
  const [row] = world.edge.rows("select detail from audit where kind = 'session.disconnect' and outcome = 'done'")
  expect(JSON.parse(String(row?.['detail']))).toMatchObject({ ended: session?.id, of: 'Lea', resource: 'pg-1' })
})

test('of a set each session is one by itself', async () => {
  const world = await newWorld({ tap: true })
  const grant = await grantFor(world, world.lea, setOf(nameOf(world.proxy), { 'pg-1': 2, 'pg-2': 1 }))
  const tunnels: Tunnel[] = []
  for (const name of ['pg-1', 'pg-1', 'pg-2']) {
    const tunnel = await Tunnel.open(world.proxy)
    expect((await tunnel.connect(grant, world.lea, { name })).status).toBe(200)
    tunnel.start()
    await tunnel.until((said) => said.endsWith('Z\0\0\0\x05I'))
    tunnels.push(tunnel)
  }
  const all = (await listed(world.lea, 3)) as { id: string; resource: { name: string } }[]
  expect(new Set(all.map(({ id }) => id)).size).toBe(3)
  const onFirst = all.find(({ resource }) => resource.name === 'pg-1')
  expect((await callOnce(world.lea, 'DELETE', `/v1/me/sessions/${onFirst?.id}`)).status).toBe(200)
  await until(() => world.proxy.serving.sessions.count === 2)
  expect(tunnels[2]?.socket.destroyed).toBe(false)
})

test('what a proxy had open that came to an end without a word is gone once it starts anew', async () => {
  const world = await newWorld({ tap: false })
  await openSession(world)
  await listed(world.lea, 1)
  // As after kill -9: the end was never told.
  world.line.cut()
  await world.proxy.stop()
  expect(await seen(world.lea)).toHaveLength(1)
  world.line.bringBack()
  await world.restart()
  await listed(world.lea, 0)
  const [row] = world.edge.rows("select detail from audit where kind = 'proxy.start' order by seq desc")
  expect(JSON.parse(String(row?.['detail']))).toMatchObject({ proxy: 'p1', boot: expect.any(String) })
})
