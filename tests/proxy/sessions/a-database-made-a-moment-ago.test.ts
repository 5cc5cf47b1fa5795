/** The proxy asks for news every so often. Of a name that it does not know it asks at once, and of many such names no more often. */
import { expect, test } from 'vitest'
import { pgDocument, putDocuments } from '../../proxies.ts'
import { databaseOf, dialService } from '../services/services.ts'
import { certify, dialPostgres, isOpenedBy } from './certificate.ts'
import { newWorld, type World } from './world.ts'

const path = '/v1/proxy/snapshot'
const seldom = { tap: false, askEvery: 600_000 } as const
/** How often it has asked for news. */
const questions = ({ line }: World) => line.asked.filter((one) => one === path).length
const unknown = { code: 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME' }

test('it is reached at once, by a hello behind SSLRequest and by one that begins', async () => {
  for (const direct of [false, true]) {
    const world = await newWorld(seldom)
    await putDocuments(world.admin, pgDocument('pg-3', { uri: world.database.uri }))
    const certified = await certify(world, { name: 'pg-3' })
    expect(await isOpenedBy(world.proxy, { certified, name: 'pg-3.localhost', direct })).toBe(true)
  }
})

test('also where the client offers no protocol, as redis-cli', async () => {
  const world = await newWorld(seldom)
  await putDocuments(world.admin, databaseOf('redis-1', 'redis', world.database.uri))
  const certified = await certify(world, { name: 'redis-1' })
  const socket = await dialService(world.proxy, { certified, servername: 'redis-1.localhost' })
  expect(socket.authorized).toBe(true)
})

test('strangers who try names make it ask once a second in all, one question at a time', async () => {
  const world = await newWorld(seldom)
  let [running, most] = [0, 0]
  world.line.tamper = async (at, answer) => {
    if (at !== path) return answer
    running += 1
    most = Math.max(most, running)
    await new Promise((next) => setTimeout(next, 300))
    running -= 1
    return answer
  }
  const [before, from] = [questions(world), performance.now()]
  for (let round = 0; round < 3; round++) {
    const tries = Array.from({ length: 16 }, (_, i) => dialPostgres(world.proxy, { name: `pg-${round}${i}.localhost` }))
    const ends = await Promise.allSettled(tries)
    expect(ends.map((end) => end.status === 'rejected' && end.reason.code)).toEqual(Array(16).fill(unknown.code))
  }
  const asked = questions(world) - before
  expect(asked).toBeGreaterThanOrEqual(1)
  expect(asked).toBeLessThanOrEqual(1 + (performance.now() - from) / 1000)
  expect(most).toBe(1)
})

test('an edge that does not answer keeps nobody: the alert comes while it is silent', async () => {
  const world = await newWorld(seldom)
  const silence = Promise.withResolvers<void>()
  world.line.tamper = async (_, answer) => {
    await silence.promise
    return answer
  }
  await expect(dialPostgres(world.proxy, { name: 'pg-9.localhost' })).rejects.toMatchObject(unknown)
  expect(world.proxy.log.filter(({ message }) => message === 'no news from the edge')).toEqual([])
  // What is known goes on at once.
  await dialPostgres(world.proxy)
  silence.resolve()
})

test('where the proxy has not heard of the edge for too long nothing is asked', async () => {
  const world = await newWorld({ ...seldom, maxOffline: 60_000 })
  world.edge.advance(61_000)
  const before = questions(world)
  await expect(dialPostgres(world.proxy, { name: 'pg-9.localhost' })).rejects.toMatchObject(unknown)
  expect(questions(world)).toBe(before)
})
