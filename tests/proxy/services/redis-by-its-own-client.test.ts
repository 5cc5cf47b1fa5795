/** redis-cli can show a certificate and name a server, and no protocol: that is enough to reach a real Redis, with no helper. */
import { beforeEach, expect, test } from 'vitest'
import { newCa } from '../../cli/certificates.ts'
import { putDocuments } from '../../proxies.ts'
import { missing } from '../front/front.ts'
import { until } from '../proxy.ts'
import { eventsOf } from '../sessions/world.ts'
import { redisCli, redisOfTest } from './redis.ts'
import { certifyFor, databaseOf, serviceWorld } from './services.ts'

const lacking = missing('redis-cli', 'redis-check-rdb')
beforeEach((context) => {
  if (lacking !== undefined) context.skip(lacking)
})

type Tls = Readonly<Record<string, string>>

async function worldWith(redis: { readonly uri: string }, tls: Tls, tap = false) {
  const world = await serviceWorld({ tap })
  const document = databaseOf('redis-1', 'redis', redis.uri) as { readonly spec: object }
  await putDocuments(world.admin, { ...document, spec: { ...document.spec, tls } } as never)
  await world.proxy.serving.trust.ask()
  return world
}

test('what one connection writes another reads, so often as the tap says', async () => {
  const world = await worldWith(await redisOfTest(), { mode: 'disable' }, true)
  const certified = await certifyFor(world, 'redis-1', { uses: 2 })
  expect(await redisCli(world.proxy, certified, 'SET', 'greeting', 'hello')).toMatchObject({ code: 0, stdout: 'OK\n' })
  expect(await redisCli(world.proxy, certified, 'GET', 'greeting')).toMatchObject({ code: 0, stdout: 'hello\n' })
  const third = await redisCli(world.proxy, certified, 'GET', 'greeting')
  expect(third).toMatchObject({ code: 1, stdout: '' })
  expect(third.stderr).toMatch(/closed|connect/i)
  await until(() => eventsOf(world.edge).filter(({ kind }) => kind === 'session.start').length === 2)
  await expect.poll(world.proxy.codes).toContain('grant_spent')
})

test('a server with TLS is verified by its authority and name', async () => {
  const redis = await redisOfTest({ tls: true })
  const right = { ca_cert: redis.ca ?? '', server_name: 'redis.internal' }
  const world = await worldWith(redis, { mode: 'verify-full', ...right })
  const certified = await certifyFor(world, 'redis-1')
  expect(await redisCli(world.proxy, certified, 'PING')).toMatchObject({ code: 0, stdout: 'PONG\n' })
  const wrong: Tls[] = [
    { mode: 'verify-full', ...right, server_name: 'other.internal' },
    { mode: 'verify-full', ...right, ca_cert: (await newCa()).pem },
  ]
  for (const [before, tls] of wrong.entries()) {
    const document = databaseOf('redis-1', 'redis', redis.uri) as { readonly spec: object }
    await putDocuments(world.admin, { ...document, spec: { ...document.spec, tls } } as never)
    await world.proxy.serving.trust.ask()
    expect(await redisCli(world.proxy, certified, 'PING')).toMatchObject({ code: 1, stdout: '' })
    const refused = () => world.proxy.codes().filter((code) => code === 'upstream_tls_wrong').length
    await expect.poll(refused).toBe(before + 1)
  }
  for (const mode of ['verify-ca', 'insecure']) {
    const document = databaseOf('redis-1', 'redis', redis.uri) as { readonly spec: object }
    const tls = mode === 'insecure' ? { mode } : { mode, ca_cert: right.ca_cert }
    await putDocuments(world.admin, { ...document, spec: { ...document.spec, tls } } as never)
    await world.proxy.serving.trust.ask()
    expect(await redisCli(world.proxy, certified, 'PING')).toMatchObject({ code: 0, stdout: 'PONG\n' })
  }
})

test('a subscriber hears what another publishes, for as long as nothing ends it', async () => {
  const world = await worldWith(await redisOfTest(), { mode: 'disable' })
  const certified = await certifyFor(world, 'redis-1')
  const counted = redisCli(world.proxy, certified, 'BLPOP', 'queue', '30')
  await until(() => world.proxy.serving.sessions.count === 1)
  expect((await redisCli(world.proxy, certified, 'RPUSH', 'queue', 'x'.repeat(100_000))).code).toBe(0)
  const { code, stdout } = await counted
  expect({ code, length: stdout.length }).toEqual({ code: 0, length: 'queue\n'.length + 100_001 })
})
