/** Each ALPN name is for what speaks it. Whoever asks for another sees what he sees of every refusal; the log knows why. */
import { expect, test } from 'vitest'
import { serviceProtocols } from '../../../proxy/service-protocols.ts'
import { until } from '../proxy.ts'
import { startup } from '../sessions/database.ts'
import { eventsOf } from '../sessions/world.ts'
import { certifyFor, ownProtocol, refusalOf, sayTo, serviceNames, serviceWorld } from './services.ts'

const likeAnyRefusal = { bytes: '', ended: true, error: undefined }

test.for(serviceNames)('%s is reached by its own protocol and by none of the others', async (name) => {
  const world = await serviceWorld({ tap: false })
  const certified = await certifyFor(world, name)
  const others = serviceProtocols.filter(
    (alpn) => alpn !== ownProtocol[name] && alpn !== 'sallyport-tcp' && alpn !== 'sallyport-postgres',
  )
  for (const alpn of others) {
    for (const servername of ['localhost', `${name}.localhost`]) {
      const { detail, ...seen } = await refusalOf(world, { certified, alpn, servername })
      expect(seen, `${alpn} under ${servername}`).toEqual({ ...likeAnyRefusal, code: 'protocol_unfit' })
      expect(detail).toContain(name)
    }
  }
  await until(() => eventsOf(world.edge).filter(({ code }) => code === 'protocol_unfit').length === 2 * others.length)
})

test('a refusal for any other reason looks the same', async () => {
  const world = await serviceWorld({ tap: false })
  const { detail: _, ...seen } = await refusalOf(world, { alpn: 'sallyport-redis' })
  expect(seen).toEqual({ ...likeAnyRefusal, code: 'grant_invalid' })
})

test('what is no Postgres and is asked in its words is refused in its words', async () => {
  const world = await serviceWorld({ tap: false })
  const hello = startup({ user: 'reader', database: 'orders' }).toString('latin1')
  for (const name of ['web-1', 'redis-1'] as const) {
    for (const servername of ['localhost', `${name}.localhost`]) {
      const certified = await certifyFor(world, name)
      const wrong = await sayTo(world.proxy, { certified, alpn: 'sallyport-postgres', servername }, hello)
      const none = await sayTo(world.proxy, { alpn: 'sallyport-postgres', servername }, hello)
      expect(await wrong.closed).toMatch(/^E.*SFATAL.*C28000.*sallyport db login/s)
      expect(await wrong.closed).toBe(await none.closed)
    }
  }
  expect(world.proxy.log.map(({ code }) => code)).toContain('protocol_unfit')
})

test('of several that a client offers the proxy takes one that it knows, and that one counts', async () => {
  const world = await serviceWorld({ tap: false })
  const certified = await certifyFor(world, 'redis-1')
  const client = await sayTo(world.proxy, { certified, alpn: ['x', 'sallyport-redis', 'h2'] })
  await client.until((said) => said === 'ping')
  expect(await refusalOf(world, { certified, alpn: ['sallyport-ssh', 'sallyport-redis'] })).toMatchObject({
    code: 'protocol_unfit',
  })
})
