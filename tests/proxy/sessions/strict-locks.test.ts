/** A proxy that hears nothing from the edge: what it still opens, what it ends, and what time alone ends. */
import { expect, test } from 'vitest'
import type { Json } from '../../../core/intent.ts'
import { lockOf, newPerson, type Person, putDocuments } from '../../people.ts'
import { until } from '../proxy.ts'
import { message } from './database.ts'
import { grantFor, newWorld, openSession, Tunnel, type World } from './world.ts'

const [maxStale, maxOffline] = [20_000, 60_000]

const strictRole: Json = {
  kind: 'role',
  version: 'v7',
  metadata: { name: 'strict' },
  spec: { options: { lock: 'strict' } },
}

/** Lea, whose locks are kept as far as they are known, and Sam, whose role wants them to be the newest. */
async function twoPeople(askEvery = 100) {
  const world = await newWorld({ tap: false, askEvery, maxStale, maxOffline })
  await putDocuments(world.admin, [strictRole])
  const sam = await newPerson(world.admin, 'Sam', ['access', 'db-reader', 'strict'])
  await world.proxy.serving.trust.ask()
  return { ...world, sam }
}

/** The proxy has noticed that nobody answers. */
async function cutOff({ line, proxy }: World): Promise<void> {
  line.cut()
  await proxy.serving.trust.ask()
}

const connecting = async (world: World, person: Person) =>
  (await Tunnel.open(world.proxy)).connect(await grantFor(world, person), person)

test('to the last moment of max_stale all open; after it none in strict mode, which are told why', async () => {
  const world = await twoPeople()
  const { edge, lea, sam, line, proxy } = world
  await cutOff(world)
  edge.advance(maxStale - 1000)
  expect((await connecting(world, sam)).status).toBe(200)
  edge.advance(2000)
  const { status, json } = await connecting(world, sam)
  expect(status).toBe(503)
  expect(json['message']).toContain('this proxy cannot know who is locked')
  expect((await connecting(world, lea)).status).toBe(200)

  // Who asks which proxy this is needs no lock to be known.
  expect(await (await Tunnel.open(proxy)).discover(sam, edge.ports.now)).toMatchObject({ status: 200 })
  edge.advance(maxOffline - maxStale)
  expect((await connecting(world, lea)).status).toBe(503)
  line.bringBack()
  await proxy.serving.trust.ask()
  for (const person of [lea, sam]) expect((await connecting(world, person)).status).toBe(200)
})

test('open sessions in strict mode end then, and are told why; others live on', async () => {
  const world = await twoPeople()
  const { edge, lea, sam, proxy } = world
  const [strict, other] = [await openSession(world, sam), await openSession(world, lea)]
  await cutOff(world)
  edge.advance(maxStale + 1)
  const said = await strict.until((text) => text.includes('57P01'))
  expect(said).toMatch(/FATAL.*cannot know who is locked/s)
  await strict.closed
  edge.advance(maxOffline)
  other.socket.write(message('Q', 'still here\0'))
  await other.until((text) => text.includes('still here'))
  expect(proxy.serving.sessions.count).toBe(1)
})

test('the cluster may want it for everybody', async () => {
  const world = await twoPeople()
  const { edge, admin, lea, proxy } = world
  const strict = {
    kind: 'cluster_auth_preference',
    version: 'v2',
    metadata: { name: 'cluster-auth-preference' },
    spec: { locking_mode: 'strict' },
  }
  expect((await putDocuments(admin, [strict])).status).toBe(200)
  await proxy.serving.trust.ask()
  await cutOff(world)
  edge.advance(maxStale + 1)
  expect((await connecting(world, lea)).status).toBe(503)
})

test('it is so too for a proxy that started meanwhile, out of what it kept', async () => {
  const world = await twoPeople()
  const { edge, lea, sam, line } = world
  await world.proxy.stop()
  line.cut()
  const proxy = await world.restart()
  edge.advance(maxStale + 1)
  expect((await connecting({ ...world, proxy }, sam)).status).toBe(503)
  expect((await connecting({ ...world, proxy }, lea)).status).toBe(200)
})

test('a clock that is set back makes nothing new enough, and cuts nobody while the edge answers', async () => {
  const world = await twoPeople(60_000)
  const { edge, sam, proxy } = world
  const open = await openSession(world, sam)
  edge.advance(-2000)
  await new Promise((next) => setTimeout(next, 1500))
  open.socket.write(message('Q', 'still here\0'))
  await open.until((text) => text.includes('still here'))
  await cutOff(world)
  edge.advance(-1000)
  expect(() => proxy.serving.trust.requireNewest()).toThrow('unavailable')
  expect(() => proxy.serving.trust.fresh()).toThrow('unavailable')
})

test('a lock that expires is over at a proxy that hears nothing', async () => {
  const world = await twoPeople()
  const { edge, admin, lea, proxy } = world
  const expires = new Date(edge.ports.now() + 10_000).toISOString()
  const early = await grantFor(world, lea)
  expect((await putDocuments(admin, [lockOf('Lea', { expires })])).status).toBe(200)
  await proxy.serving.trust.ask()
  await cutOff(world)
  expect((await (await Tunnel.open(proxy)).connect(early, lea)).status).toBe(403)
  edge.advance(10_000)
  expect((await connecting(world, lea)).status).toBe(200)
  await until(() => proxy.serving.sessions.count === 1)
})
