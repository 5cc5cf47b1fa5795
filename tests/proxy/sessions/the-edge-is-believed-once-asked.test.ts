/** What the proxy knows comes from the edge's signature for its own question, never from what was said before. */
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { type Statement, signStatement } from '../../../core/snapshot.ts'
import { call, lockOf, putDocuments } from '../../people.ts'
import { newProofKey } from '../../program.ts'
import { message } from './database.ts'
import { grantFor, newWorld, openSession, Tunnel, type World } from './world.ts'

const asks = (path: string) => path === '/v1/proxy/snapshot'

/** A lock that the proxy would know of, were it told. */
async function lockUnseen({ admin, proxy }: World): Promise<void> {
  await putDocuments(admin, [lockOf('Lea')])
  await proxy.serving.trust.ask()
}

const isOpenFor = async (world: World, grant: string): Promise<number> =>
  (await (await Tunnel.open(world.proxy)).connect(grant, world.lea)).status

async function staleAfter(world: World): Promise<void> {
  world.edge.advance(30_000)
  await world.proxy.serving.trust.ask()
}

test.for(['an older answer', 'an older "unchanged"'] as const)('%s, replayed, makes nothing fresh', async (what) => {
  const world = await newWorld({ tap: false, askEvery: 60_000, maxStale: 20_000 })
  const { line, proxy } = world
  let kept: string | undefined
  line.tamper = (path, answer) => {
    if (!asks(path)) return answer
    kept ??= answer
    return answer
  }
  if (what === 'an older answer') await putDocuments(world.admin, [lockOf('Bob')])
  await proxy.serving.trust.ask()
  expect(JSON.parse(kept ?? '{}').snapshot === undefined).toBe(what !== 'an older answer')
  line.tamper = (path, answer) => (asks(path) ? kept : answer)
  await lockUnseen(world)
  await staleAfter(world)
  expect(() => proxy.serving.trust.fresh()).toThrow('unavailable')
})

test.for(['a kid of its own', 'the kid of the cluster’s'] as const)(
  'a statement by another key under %s is nothing, though all else is right',
  async (which) => {
    const world = await newWorld({ tap: false, askEvery: 60_000, maxStale: 20_000 })
    const { edge, line, proxy } = world
    const { privateKey: key } = await newProofKey('EdDSA')
    const { kid } = which === 'a kid of its own' ? { kid: 'another' } : await edge.ports.keyring.current()
    line.tamper = async (path, answer) => {
      if (!asks(path)) return answer
      const { statement, ...rest } = JSON.parse(answer)
      const claims = decodeJwt(statement) as unknown as Statement
      return JSON.stringify({ statement: await signStatement(edge.site.origin, { kid, key }, claims), ...rest })
    }
    await staleAfter(world)
    expect(() => proxy.serving.trust.fresh()).toThrow('unavailable')
    line.tamper = (_, answer) => answer
    await proxy.serving.trust.ask()
    expect(proxy.serving.trust.fresh()).toBeDefined()
  },
)

test('an answer that is on its way already is not taken for the one that is asked for now', async () => {
  const world = await newWorld({ tap: false, askEvery: 60_000 })
  const { admin, lea, line, proxy } = world
  const { trust } = proxy.serving
  const grant = await grantFor(world, lea)
  const [answered, passedOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  line.tamper = async (path, answer) => {
    if (!asks(path)) return answer
    answered.resolve()
    await passedOn.promise
    return answer
  }
  const before = line.asked.filter(asks).length
  const early = trust.ask()
  await answered.promise
  await putDocuments(admin, [lockOf('Lea')])
  const late = [trust.ask(), trust.ask()]
  passedOn.resolve()
  await Promise.all([early, ...late])
  // Both who waited for the next have shared it.
  expect(line.asked.filter(asks).length - before).toBe(2)
  expect(await isOpenFor(world, grant)).toBe(403)
})

test('a snapshot that is not the one that the statement names is nothing', async () => {
  const world = await newWorld({ tap: false, askEvery: 60_000, maxStale: 20_000 })
  const { admin, line, proxy } = world
  line.tamper = (path, answer) => {
    if (!asks(path)) return answer
    const { statement, snapshot } = JSON.parse(answer)
    return JSON.stringify({ statement, snapshot: snapshot && { ...snapshot, documents: [] } })
  }
  await putDocuments(admin, [lockOf('Lea')])
  await staleAfter(world)
  expect(() => proxy.serving.trust.fresh()).toThrow('unavailable')
})

test('away, open sessions live, and new ones begin until what is known is too old; back, they begin again', async () => {
  const world = await newWorld({ tap: false, askEvery: 60_000, maxStale: 300_000 })
  const { edge, lea, line, proxy } = world
  const open = await openSession(world)
  const echoes = async (what: string) => {
    open.socket.write(message('Q', what))
    await open.until((said) => said.includes(what))
  }
  line.cut()
  // To the last moment. Grants live for a minute, so each is a new one.
  edge.advance(300_000)
  await proxy.serving.trust.ask()
  expect(await isOpenFor(world, await grantFor(world, lea))).toBe(200)
  await echoes('while it is away')
  const grant = await grantFor(world, lea)
  edge.advance(1)
  await proxy.serving.trust.ask()
  const { status, json } = await (await Tunnel.open(proxy)).connect(grant, lea)
  expect(status).toBe(503)
  expect(json['message']).toContain('The edge has been away for 5 minutes')
  await echoes('longer than it opens new ones')
  expect(proxy.serving.sessions.count).toBe(2)
  line.bringBack()
  await proxy.serving.trust.ask()
  expect(await isOpenFor(world, await grantFor(world, lea))).toBe(200)
  await echoes('and back')
})

test('a proxy that starts while the edge is away knows what it knew, and since when', async () => {
  const world = await newWorld({ tap: false, askEvery: 60_000 })
  const { edge, line, proxy } = world
  await proxy.stop()
  line.cut()
  const next = await world.restart()
  expect(next.serving.trust.fresh().known.users.size).toBe(2)
  edge.advance(300_001)
  expect(() => next.serving.trust.requireNewest()).toThrow('unavailable')
  edge.advance(3_300_000)
  expect(() => next.serving.trust.fresh()).toThrow('unavailable')
})

test('an older sequence than the one on the disk is refused', async () => {
  const world = await newWorld({ tap: false, askEvery: 60_000, maxStale: 20_000 })
  const { admin, edge, proxy } = world
  await putDocuments(admin, [lockOf('Bob')])
  await proxy.serving.trust.ask()
  await proxy.stop()
  // A copy of the database from before the lock was put back.
  const before = edge.ports.snapshots
  const head = await before.head(proxy.identity.id, edge.ports.now())
  const older = { ...head, sequence: head.sequence - 1 }
  Object.assign(before, {
    head: async () => older,
    read: async () => ({ ...older, content: { users: [], credentials: [], documents: [] } }),
  })
  const next = await world.restart()
  edge.advance(30_000)
  await next.serving.trust.ask()
  expect(() => next.serving.trust.fresh()).toThrow('unavailable')
  expect(next.log.some(({ detail }) => String(detail).startsWith('sequence '))).toBe(true)
})

test('the next keys are trusted by the snapshot that names them, across a restart too', async () => {
  const world = await newWorld({ tap: false, askEvery: 60_000, maxStale: 20_000 })
  const { admin, edge, proxy } = world
  for (let round = 0; round < 3; round++) {
    expect((await call(admin, 'POST', '/v1/keys/rotate', {})).status).toBe(200)
    edge.ports.keyring.forget()
    edge.advance(25_000)
    await proxy.serving.trust.ask()
    expect(proxy.serving.trust.fresh()).toBeDefined()
  }
  await proxy.stop()
  // None of the keys that it fetched first signs any more.
  const next = await world.restart()
  edge.advance(10_000)
  await next.serving.trust.ask()
  expect(next.serving.trust.fresh()).toBeDefined()
})
