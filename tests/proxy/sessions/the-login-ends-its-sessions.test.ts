/** disconnect_expired_cert: a session is over when the login that asked for it is. */
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { issueGrant, readGrant } from '../../../core/issue/grant.ts'
import { hours, minutes } from '../../../core/model.ts'
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
