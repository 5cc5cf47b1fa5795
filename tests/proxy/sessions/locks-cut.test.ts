/** What is allowed no longer ends, in whatever state it is; and nothing opens in between. */
import { expect, test } from 'vitest'
import { addPasskey } from '../../client.ts'
import { call, lockOf, lockOn, newPerson, putDocuments } from '../../people.ts'
import { until } from '../proxy.ts'
import { message, politely, startDatabase } from './database.ts'
import { eventsOf, grantFor, newWorld, openSession, Tunnel, type World } from './world.ts'

const lock = async ({ admin }: World, text = 'gone for good') => {
  const { status } = await putDocuments(admin, [lockOf('Lea', { message: text })])
  expect(status).toBe(200)
}

test('a lock ends an open session within five seconds, with its message in Postgres words', async () => {
  const world = await newWorld({ askEvery: 2000 })
  const tunnel = await openSession(world)
  const begun = Date.now()
  await lock(world)
  const said = await tunnel.until((text) => text.includes('57P01'), 5000)
  expect(Date.now() - begun).toBeLessThan(5000)
  expect(said).toMatch(/^E.*FATAL.*57P01.*gone for good/s)
  await tunnel.closed
  const [served] = world.database.connections
  await served?.closed
  await until(() => eventsOf(world.edge).length === 2)
  expect(String(eventsOf(world.edge)[1]?.['detail'])).toContain('session_cut')
})

test('in the middle of a message nothing is said: both sides are reset', async () => {
  const half = message('D', 'x'.repeat(100)).subarray(0, 50)
  const database = await startDatabase(politely((socket) => void socket.write(half)))
  const world = await newWorld({ database })
  const tunnel = await openSession(world)
  tunnel.socket.write(message('Q', 'select\0'))
  await tunnel.until((said) => said.length === 50)
  await lock(world)
  await tunnel.closed
  expect(tunnel.said).toHaveLength(50)
  await database.connections[0]?.closed
})

test('a user who is removed has no session any more', async () => {
  const world = await newWorld()
  const tunnel = await openSession(world)
  expect((await call(world.admin, 'DELETE', '/v1/users/Lea')).status).toBe(200)
  expect(await tunnel.until((said) => said.includes('57P01'))).toContain('The user was removed')
})

test('a locked user opens nothing, and is told why', async () => {
  const world = await newWorld({ tap: false })
  const grant = await grantFor(world, world.lea)
  await lock(world)
  await world.proxy.serving.trust.ask()
  const { status, json } = await (await Tunnel.open(world.proxy)).connect(grant, world.lea)
  expect(status).toBe(403)
  expect(json['message']).toContain('gone for good')
})

const targets: Readonly<Record<string, (world: World) => Record<string, string>>> = {
  'a role of the user': () => ({ role: 'db-reader' }),
  'the passkey that let the login in': ({ lea }) => ({ mfa_device: lea.passkey.credentialId }),
  'the resource': () => ({ db: 'pg-1' }),
  'the proxy': ({ proxy }) => ({ proxy: proxy.identity.id }),
}

test.for(Object.entries(targets))(
  'a lock on %s cuts too, keeps out a grant from before it, and lets in again',
  async ([, of]) => {
    const world = await newWorld({ tap: false })
    const { admin, lea, proxy } = world
    const early = await grantFor(world, lea)
    const tunnel = await openSession(world)
    expect((await putDocuments(admin, [lockOn(of(world), 'Closed today.')])).status).toBe(200)
    const said = await tunnel.until((text) => text.includes('57P01'))
    expect(said).toMatch(/is locked: Closed today\./)
    await tunnel.closed
    const { status, json } = await (await Tunnel.open(proxy)).connect(early, lea)
    expect([status, json['error']]).toEqual([403, 'access_denied'])
    expect(json['message']).toContain('Closed today.')
    await expect(grantFor(world, lea)).rejects.toThrow('Closed today.')
    // Of a proxy that is locked too: the edge hears what happened there.
    await until(() => eventsOf(world.edge).filter(({ kind }) => kind === 'session.refuse').length === 1)

    expect((await call(admin, 'DELETE', '/v1/documents/lock/l')).status).toBe(200)
    await proxy.serving.trust.ask()
    await openSession(world)
  },
)

test('a lock on the passkey that tapped for the session, and not for the login, cuts it', async () => {
  const world = await newWorld()
  const { admin, edge, lea } = world
  const spare = await edge.authenticator()
  expect((await addPasskey(lea.visitor, lea.passkey, spare)).status).toBe(200)
  const tunnel = await openSession(world, { ...lea, passkey: spare })
  const other = await openSession(world)
  expect((await putDocuments(admin, [lockOn({ mfa_device: spare.credentialId })])).status).toBe(200)
  expect(await tunnel.until((text) => text.includes('57P01'))).toContain('This passkey or app is locked')
  expect(world.proxy.serving.sessions.count).toBe(1)
  expect(other.socket.destroyed).toBe(false)
  await expect(grantFor(world, { ...lea, passkey: spare })).rejects.toThrow('This passkey or app is locked')
  await grantFor(world, lea)
})

test('a lock on another role, passkey, resource or proxy cuts nobody', async () => {
  const world = await newWorld({ tap: false })
  await openSession(world)
  const others = [{ role: 'dev' }, { mfa_device: 'other' }, { db: 'pg-2' }, { node: 'pg-1' }, { proxy: 'p1' }]
  for (const target of [...others, { login: 'reader' }, { device: 'reader' }, { agent: 'pg-1' }]) {
    expect((await putDocuments(world.admin, [lockOn(target)], true)).status).toBe(200)
    await world.proxy.serving.trust.ask()
    expect(world.proxy.serving.sessions.count).toBe(1)
  }
})

test('a host’s session is reset, without a word that its protocol does not have; a login is locked in any spelling', async () => {
  const database = await startDatabase((socket) => void socket.write('SSH-2.0-host\r\n'))
  const world = await newWorld({ tap: false, database })
  const { admin, proxy } = world
  const spec = { options: {}, allow: { node_labels: { '*': '*' }, logins: ['root'] } }
  const node = {
    kind: 'node',
    version: 'v2',
    metadata: { name: 'web-1', labels: { env: 'dev' } },
    spec: { addr: database.uri },
  }
  const role = { kind: 'role', version: 'v7', metadata: { name: 'ssh' }, spec }
  expect((await putDocuments(admin, [node, role])).status).toBe(200)
  const sam = await newPerson(admin, 'Sam', ['access', 'ssh'])
  await proxy.serving.trust.ask()
  const { id, boot } = proxy.identity
  const ask = { resource: { kind: 'node', name: 'web-1' }, principal: { login: 'root' }, proxy: { id, boot } } as const
  const tunnel = await Tunnel.open(proxy)
  expect((await tunnel.connect(await grantFor(world, sam, ask), sam, { name: 'web-1' })).status).toBe(200)
  await tunnel.until((said) => said.endsWith('SSH-2.0-host\r\n'))
  tunnel.take()
  expect((await putDocuments(admin, [lockOn({ login: 'ROOT' }, 'Closed today.')])).status).toBe(200)
  expect(await tunnel.closed).toBe('ECONNRESET')
  expect(tunnel.said).toBe('')
  await expect(grantFor(world, sam, ask)).rejects.toThrow('This login is locked: Closed today.')
  await until(() => eventsOf(world.edge).some(({ kind }) => kind === 'session.stop'))
})

test('a role that is taken away ends what it opened', async () => {
  const world = await newWorld({ tap: false })
  const tunnel = await openSession(world)
  world.edge.store.raw.exec("delete from user_roles where role = 'db-reader'")
  expect(await tunnel.until((said) => said.includes('57P01'))).toContain('No role of yours allows')
  await tunnel.closed
})
