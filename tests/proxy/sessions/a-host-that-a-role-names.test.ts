/** A host that is no resource, by name and port in a role: asked for, granted, dialled at an address that the role lets it have, and cut. */
import { expect, test } from 'vitest'
import { call, lockOn, putDocuments } from '../../people.ts'
import { beginSession } from '../../proxies.ts'
import { until } from '../proxy.ts'
import { anyPort, askForHost, here, limitTo, newHostWorld, openHost, say } from './hosts.ts'
import { eventsOf, grantFor, Tunnel } from './world.ts'

const name = (port: number) => `git.internal:${port}`

test('from the tap to the echo: bytes pass, and edge and log name host and port', async () => {
  const world = await newHostWorld(undefined, { tap: true })
  const { lea, port, edge, proxy } = world
  expect((await beginSession(lea.program, lea.token, askForHost(world, name(port)))).json).toMatchObject({ tap: true })
  const tunnel = await openHost(world, name(port))
  expect(tunnel.answered).toMatchObject({ status: 200 })
  tunnel.socket.write('hello')
  await tunnel.until((said) => said === 'hello')
  await until(() => eventsOf(edge).length === 1)
  const [row] = edge.rows("select detail from audit where kind = 'session.start'")
  expect(JSON.parse(String(row?.['detail']))).toMatchObject({ resource: name(port) })
  const listed = await call(lea, 'GET', '/v1/me/sessions')
  expect(listed.json).toMatchObject({ sessions: [{ resource: { kind: 'host', name: name(port) }, principal: '' }] })
  expect(proxy.log).toContainEqual(expect.objectContaining({ message: 'session started', resource: name(port) }))
  tunnel.socket.end()
  await until(() => eventsOf(edge).length === 2)
})

test('the port counts: a grant for one opens no other, and not the same host without one', async () => {
  const world = await newHostWorld()
  const { port, lea, proxy } = world
  const grant = await grantFor(world, lea, askForHost(world, name(port)))
  for (const other of [name(port === 9 ? 10 : 9), `git2.internal:${port}`, 'git']) {
    const tunnel = await Tunnel.open(proxy)
    expect(await tunnel.connect(grant, lea, { name: other }), other).toMatchObject({ status: 403 })
  }
  expect(world.reached).toEqual([])
})

test('a proof that names the host without its port opens nothing', async () => {
  const world = await newHostWorld()
  const url = `sallyport://${world.proxy.identity.id}/git.internal`
  expect((await openHost(world, name(world.port), { url })).answered).toMatchObject({ status: 403 })
})

test('what no role names, the edge gives no grant for, and the proxy opens nothing with an earlier one', async () => {
  const world = await newHostWorld()
  const { port, lea, proxy } = world
  const early = await grantFor(world, lea, askForHost(world, name(port)))
  await say(world, [{ name: 'other.internal', ports: anyPort, networks: here }])
  await expect(grantFor(world, lea, askForHost(world, name(port)))).rejects.toThrow(
    'No role of yours allows git.internal',
  )
  const tunnel = await Tunnel.open(proxy)
  expect(await tunnel.connect(early, lea, { name: name(port) })).toMatchObject({
    status: 403,
    json: { error: 'access_denied' },
  })
  expect(world.resolved).toEqual([])
})

test('a denial beats what is allowed, by name and by port', async () => {
  const world = await newHostWorld()
  const { port } = world
  const allow = [{ name: '*', ports: anyPort, networks: here }]
  for (const deny of [{ name: '*.internal' }, { name: 'git.internal', ports: [port] }]) {
    await say(world, allow, { hosts: [deny] })
    await expect(openHost(world, name(port))).rejects.toThrow('A role denies this')
  }
  await say(world, allow, { hosts: [{ name: 'git.internal', ports: [port === 9 ? 10 : 9] }] })
  expect((await openHost(world, name(port))).answered).toMatchObject({ status: 200 })
})

test('a lock on the user cuts it, and so does a role that no longer names it', async () => {
  const world = await newHostWorld()
  const { admin, port } = world
  const first = await openHost(world, name(port))
  await say(world, [{ name: 'other.internal', ports: anyPort, networks: here }])
  await first.closed
  await say(world, [{ name: 'git.internal', ports: anyPort, networks: here }])
  const second = await openHost(world, name(port))
  expect(second.answered).toMatchObject({ status: 200 })
  expect((await putDocuments(admin, [lockOn({ user: 'Lea' }, 'Closed today.')])).status).toBe(200)
  await second.closed
})

test('an address that is denied while a session is open on it cuts the session, whatever the name is', async () => {
  const world = await newHostWorld()
  const { port, edge } = world
  const tunnel = await openHost(world, name(port))
  expect(tunnel.answered).toMatchObject({ status: 200 })
  const allow = [{ name: '*.internal', ports: anyPort, networks: here }]
  await say(world, allow, { hosts: [{ name: '127.0.0.1' }] })
  await tunnel.closed
  await until(() => eventsOf(edge).some(({ kind }) => kind === 'session.stop'))
  expect((await openHost(world, name(port))).answered).toMatchObject({ status: 403 })
})

test('max_sessions counts each host and port by itself', async () => {
  const world = await newHostWorld()
  const { port } = world
  const hosts = [{ name: '*.internal', ports: anyPort, networks: here }]
  await limitTo(world, hosts, { max_sessions: 1 })
  expect((await openHost(world, name(port))).answered).toMatchObject({ status: 200 })
  const again = await openHost(world, name(port))
  expect(again.answered).toMatchObject({ status: 403 })
  expect(again.answered.json['message']).toContain('max_sessions')
  expect((await openHost(world, `git2.internal:${port}`)).answered).toMatchObject({ status: 200 })
})

test('a session on a host is ended by its user', async () => {
  const world = await newHostWorld()
  const { lea, port } = world
  const tunnel = await openHost(world, name(port))
  const ask = async () => (await call(lea, 'GET', '/v1/me/sessions')).json.sessions as { readonly id: string }[]
  await expect.poll(ask, { timeout: 10_000 }).toHaveLength(1)
  const [open] = await ask()
  expect((await call(lea, 'DELETE', `/v1/me/sessions/${open?.id}`)).status).toBe(200)
  await tunnel.closed
})
