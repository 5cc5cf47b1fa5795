/** redis-cli with TLS of its own, through a local proxy and by a route of the port: what it puts in comes out, and the server is verified. */
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { missing } from '../front/front.ts'
import { endsOf } from './log.ts'
import { redisName, redisPrograms, startRedis } from './redis.ts'
import { startWorld } from './world.ts'

const lacking = missing(...redisPrograms)

test('a megabyte goes in by one way and comes out by the other', { timeout: 240_000 }, async (context) => {
  if (lacking) return context.skip(lacking)
  const redis = await startRedis()
  const world = await startWorld({
    apps: { redis: `tcp://${redis.uri}` },
    routes: [`{ name: redis-route, sni: [${redisName}], tls: passthrough, backends: ["${redis.uri}"] }`],
  })
  const { port } = await world.listening('proxy', 'tcp', 'app/redis')
  const value = randomBytes(500_000).toString('hex')
  expect(await redis.cli(port, ['set', 'key'], Buffer.from(value))).toMatchObject({ code: 0, stdout: 'OK\n' })
  const got = await redis.cli(world.port, ['get', 'key'])
  expect(got.stdout === `${value}\n`, got.stderr).toBe(true)
  const ends = () =>
    endsOf(world.lines())
      .filter(({ backend }) => backend === redis.uri)
      .map(({ route, resource = '', sni }) => [route, resource, sni].join(' '))
      .sort()
  await expect.poll(ends, { timeout: 15_000 }).toEqual([`redis-route  ${redisName}`, 'sallyport redis localhost'])
})
