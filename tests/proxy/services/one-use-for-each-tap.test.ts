/** A certificate opens as often as its tap says, however many come at once and by whichever way they come. */
import { expect, test } from 'vitest'
import { race } from '../../race.ts'
import { until } from '../proxy.ts'
import { certificateOf } from '../sessions/certificate.ts'
import { eventsOf, grantFor, Tunnel } from '../sessions/world.ts'
import { askOf, certifyFor, isServed, refusalOf, serviceWorld } from './services.ts'

test('of twenty that come together as many open as the tap says, each a session of its own', async () => {
  const world = await serviceWorld()
  const certified = await certifyFor(world, 'web-1', { uses: 3 })
  const ways = ['localhost', 'web-1.localhost']
  const all = await race(20, (at) =>
    isServed(world.proxy, { certified, alpn: 'sallyport-ssh', servername: ways[at % 2] as string }),
  )
  expect(all.filter(Boolean)).toHaveLength(3)
  expect(world.echo.connections).toHaveLength(3)
  await until(() => eventsOf(world.edge).filter(({ code }) => code === 'grant_spent').length === 17)
  const ids = world.edge.rows("select distinct session_id as id from audit where kind = 'session.start'")
  expect(ids).toHaveLength(3)
})

test('a use that was refused is spent too', async () => {
  const world = await serviceWorld()
  const certified = await certifyFor(world, 'web-1')
  expect(await refusalOf(world, { certified, alpn: 'sallyport-rdp' })).toMatchObject({ code: 'protocol_unfit' })
  expect(await refusalOf(world, { certified, alpn: 'sallyport-ssh' })).toMatchObject({ code: 'grant_spent' })
})

test('what a certificate has used up a CONNECT does not open, and the other way round', async () => {
  const world = await serviceWorld()
  const { lea, proxy } = world
  const { privateKey, jwk } = lea.program.key
  const publicKey = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify'])
  const byBoth = async () => {
    const grant = await grantFor(world, lea, askOf(world, 'wiki'))
    const certified = await certificateOf({ privateKey, publicKey } as CryptoKeyPair, grant)
    const connects = async () => (await (await Tunnel.open(proxy)).connect(grant, lea, { name: 'wiki' })).status
    return { connects, serves: () => isServed(proxy, { certified, alpn: 'sallyport-tcp' }) }
  }
  const first = await byBoth()
  expect([await first.serves(), await first.connects()]).toEqual([true, 403])
  const second = await byBoth()
  expect([await second.connects(), await second.serves()]).toEqual([200, false])
})
