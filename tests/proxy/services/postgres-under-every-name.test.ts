/** `sallyport-postgres` goes the way of Postgres without a helper: the startup message must name what was approved, under whichever name. */
import { expect, test } from 'vitest'
import { putDocuments, readerRole } from '../../proxies.ts'
import { certify, isReady } from '../sessions/certificate.ts'
import { startup } from '../sessions/database.ts'
import { newWorld } from '../sessions/world.ts'
import { dialService, sayTo } from './services.ts'

const alpn = 'sallyport-postgres'
const asks = (user = 'reader', database = 'orders') => startup({ user, database }).toString('latin1')

test.for(['localhost', 'pg-1.localhost', ''])('under the name %j it opens, once', async (servername) => {
  const world = await newWorld()
  const certified = await certify(world)
  const client = await sayTo(world.proxy, { certified, alpn, servername }, asks())
  await client.until(isReady)
  client.socket.destroy()
  const again = await sayTo(world.proxy, { certified, alpn, servername }, asks())
  expect(await again.closed).toMatch(/^E.*SFATAL.*C28000.*sallyport db login/s)
  expect(world.database.connections).toHaveLength(1)
})

test.for(['localhost', 'pg-1.localhost'])(
  'under %s another user or database than approved is refused',
  async (servername) => {
    const world = await newWorld({ tap: false })
    const certified = await certify(world)
    for (const [user, database] of [
      ['owner', 'orders'],
      ['reader', 'payroll'],
    ] as const) {
      const client = await sayTo(world.proxy, { certified, alpn, servername }, asks(user, database))
      expect(await client.closed).toMatch(/^E.*SFATAL.*C28000.*granted for the user "reader"/s)
    }
    for (const one of world.database.connections) expect(one.said()).not.toContain('user')
  },
)

test('by sallyport-tcp its startup message is looked at too', async () => {
  const world = await newWorld({ tap: false })
  const certified = await certify(world)
  const right = await sayTo(world.proxy, { certified, alpn: 'sallyport-tcp' }, asks())
  await right.until(isReady)
  const wrong = await sayTo(world.proxy, { certified, alpn: 'sallyport-tcp' }, asks('owner'))
  expect(await wrong.closed).toContain('granted for the user "reader"')
})

test('under the proxy’s own name nobody is asked for a password', async () => {
  const world = await newWorld({ tap: false })
  const role = readerRole('db-reader', false)
  const spec = (role as { spec: object }).spec
  await putDocuments(world.admin, { ...role, spec: { ...spec, options: { bearer_grants: true } } } as typeof role)
  await world.proxy.serving.trust.ask()
  const unnamed = await sayTo(world.proxy, { alpn }, asks())
  expect(await unnamed.closed).toMatch(/^E.*sallyport db login/s)
  const named = await sayTo(world.proxy, { alpn, servername: 'pg-1.localhost' }, asks())
  await named.until((said) => said.startsWith('R\0\0\0\x08\0\0\0\x03'))
})

test('a protocol of libpq under the proxy’s own name gets no handshake', async () => {
  const world = await newWorld({ tap: false })
  await expect(dialService(world.proxy, { alpn: 'postgresql' })).rejects.toThrow(/no.application.protocol/i)
})
