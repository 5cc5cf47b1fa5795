/** disconnect_expired_cert: a session is over when the login that asked for it is. */
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { issueGrant, readGrant } from '../../../core/issue/grant.ts'
import { hours, minutes } from '../../../core/model.ts'
import { type Statement, signStatement } from '../../../core/snapshot.ts'
import { call, newPerson, type Person } from '../../people.ts'
import { until } from '../proxy.ts'
import { eventsOf, grantFor, limitReaders, newWorld, openSession, Tunnel, type World } from './world.ts'

/** How many seconds her login has left when she asks: the edge would let no older one ask. */
function endsIn({ edge }: World, ms: number): void {
  edge.store.raw.prepare('update client_sessions set expires_at = ?').run(edge.ports.now() + ms)
}

test('a grant says when the login ends that asked for it', async () => {
  const world = await newWorld({ tap: false })
  const [row] = world.edge.rows('select max(expires_at) as ends from client_sessions')
  const { login } = decodeJwt<{ login: { expires_at: number } }>(await grantFor(world, world.lea))
  expect(login.expires_at).toBe(row?.['ends'])
})

test('at that instant the session is cut, and its user told what to do', async () => {
  const world = await newWorld({ tap: false })
  await limitReaders(world, { disconnect_expired_cert: true })
  const { edge } = world
  endsIn(world, minutes(5))
  const tunnel = await openSession(world)
  edge.advance(minutes(5) - 1)
  await new Promise((next) => setTimeout(next, 1500))
  expect(tunnel.said).toBe('')
  edge.advance(1)
  expect(await tunnel.until((said) => said.includes('57P01'))).toMatch(/is over.*sallyport login/)
  await tunnel.closed
  await until(() => eventsOf(edge).length === 2)
  expect(String(eventsOf(edge)[1]?.['detail'])).toContain('login_over')
})

test('without it the session goes on; a role that says so meanwhile ends it', async () => {
  const world = await newWorld({ tap: false })
  const { edge } = world
  const [hers] = edge.rows('select id from client_sessions order by rowid desc limit 1')
  edge.store.raw
    .prepare('update client_sessions set expires_at = ? where id = ?')
    .run(edge.ports.now() + minutes(1), String(hers?.['id']))
  const tunnel = await openSession(world)
  edge.advance(minutes(4))
  await new Promise((next) => setTimeout(next, 1500))
  expect(tunnel.said).toBe('')
  await limitReaders(world, { disconnect_expired_cert: true })
  expect(await tunnel.until((said) => said.includes('57P01'))).toContain('is over')
})

test('a grant that is shown behind the end of its login opens nothing', async () => {
  const world = await newWorld({ tap: false })
  await limitReaders(world, { disconnect_expired_cert: true })
  const { edge, lea, proxy } = world
  endsIn(world, 30_000)
  const grant = await grantFor(world, lea)
  edge.advance(30_000)
  const { status, json } = await (await Tunnel.open(proxy)).connect(grant, lea)
  expect(status).toBe(403)
  expect(json['message']).toContain('is over')
})

test('a grant of an edge that does not say when opens nothing', async () => {
  const world = await newWorld({ tap: false })

  const { edge, lea, proxy } = world
  const signing = await edge.ports.keyring.current()
  const keys = world.proxy.serving.trust.fresh().keys
  const given = { issuer: edge.site.origin, keys, proxy: proxy.identity, now: edge.ports.now() }
  const grant = await readGrant(given, await grantFor(world, lea))
  const login = { ...grant.login, expiresAt: undefined as unknown as number }
  const silent = await issueGrant(edge.site.origin, signing, { ...grant, login }, edge.ports.now())
  expect((await (await Tunnel.open(proxy)).connect(silent, lea)).status).toBe(403)
  expect(grant.login.expiresAt).toBeLessThanOrEqual(edge.ports.now() + hours(12))
})

const ways: Readonly<Record<string, (world: World, login: string) => Promise<{ readonly status: number }>>> = {
  'its user ends it on the account page': ({ lea }, id) => lea.visitor.post(`/v1/client-sessions/${id}/end`, {}),
  'its user ends it from a program': ({ lea }, id) => call(lea, 'DELETE', `/v1/me/logins/${id}`),
  'an administrator ends it': ({ admin }, id) => call(admin, 'DELETE', `/v1/logins/${id}`),
}

test.for(Object.entries(ways))('%s: its sessions are cut within five seconds, and others are not', async ([, end]) => {
  const world = await newWorld({ tap: false, askEvery: 2000 })
  await limitReaders(world, { disconnect_expired_cert: true })
  const { admin, edge, lea, proxy } = world
  const bob = await newPerson(admin, 'Bob', ['access', 'db-reader'])
  await proxy.serving.trust.ask()
  const [tunnel, other] = [await openSession(world), await openSession(world, bob)]
  expect((await end(world, loginOf(lea))).status).toBe(200)
  const begun = Date.now()
  expect(await tunnel.until((said) => said.includes('57P01'), 5000)).toMatch(/is over.*sallyport login/)
  expect(Date.now() - begun).toBeLessThan(5000)
  await tunnel.closed
  expect(other.socket.destroyed).toBe(false)
  expect(proxy.serving.sessions.count).toBe(1)
  await until(() => eventsOf(edge).some(({ kind }) => kind === 'session.stop'))
})

const loginOf = ({ token }: Person) => String(decodeJwt(token)['sid'])

test('without the option its sessions go on, and the edge is asked about no login', async () => {
  const world = await newWorld({ tap: false })
  const { lea, proxy } = world
  const tunnel = await openSession(world)
  expect(proxy.serving.sessions.watched.logins).toEqual([])
  expect((await call(world.admin, 'DELETE', `/v1/logins/${loginOf(lea)}`)).status).toBe(200)
  await proxy.serving.trust.ask()
  expect(tunnel.socket.destroyed).toBe(false)
  expect(proxy.serving.sessions.count).toBe(1)
})

test('one that ends between grant and CONNECT leaves nothing open', async () => {
  const world = await newWorld({ tap: false, askEvery: 60_000 })
  await limitReaders(world, { disconnect_expired_cert: true })
  const { admin, lea, proxy } = world
  const grant = await grantFor(world, lea)
  expect((await call(admin, 'DELETE', `/v1/logins/${loginOf(lea)}`)).status).toBe(200)
  const tunnel = await Tunnel.open(proxy)
  await tunnel.connect(grant, lea)
  await proxy.serving.trust.ask()
  // Not only when its first message is overdue.
  await until(() => proxy.serving.sessions.count === 0, 2000)
  await tunnel.closed
})

test('an answer that says nothing of the logins that were asked about is no news', async () => {
  const world = await newWorld({ tap: false, askEvery: 60_000, maxStale: 20_000 })
  await limitReaders(world, { disconnect_expired_cert: true })
  const { edge, line, proxy } = world
  await openSession(world)
  const signing = await edge.ports.keyring.current()
  line.tamper = async (path, answer) => {
    if (path !== '/v1/proxy/snapshot') return answer
    const { ended_logins: _, ...claims } = decodeJwt(JSON.parse(answer).statement) as unknown as Statement
    return JSON.stringify({ statement: await signStatement(edge.site.origin, signing, claims) })
  }
  await proxy.serving.trust.ask()
  expect(proxy.log.some(({ message }) => message === 'no news from the edge')).toBe(true)
  edge.advance(20_001)
  await proxy.serving.trust.ask()
  expect(() => proxy.serving.trust.fresh()).toThrow('unavailable')
})
