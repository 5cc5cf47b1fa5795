/** A host that a role names has no protocol and no label of its own: `sallyport-tcp` reaches it, under the proxy's own name. */
import { expect, test } from 'vitest'
import { until } from '../proxy.ts'
import { certify } from '../sessions/certificate.ts'
import { anyPort, askForHost, type HostWorld, here, newHostWorld, say } from '../sessions/hosts.ts'
import { eventsOf } from '../sessions/world.ts'
import { refusalOf, sayTo } from './services.ts'

const nameIn = ({ port }: HostWorld) => `git.internal:${port}`
const alpn = 'sallyport-tcp'

const certifyHost = (world: HostWorld, name = nameIn(world)) => certify(world, { name, ask: askForHost(world, name) })

test('it opens the host and port that the tap named, once', async () => {
  const world = await newHostWorld(undefined, { tap: true })
  const certified = await certifyHost(world)
  const client = await sayTo(world.proxy, { certified, alpn })
  await client.until((said) => said === 'ping')
  client.socket.end()
  await client.closed
  await until(() => eventsOf(world.edge).length === 2)
  expect(String(eventsOf(world.edge)[0]?.['detail'])).toContain(nameIn(world))
  expect(await refusalOf(world, { certified, alpn })).toMatchObject({ code: 'grant_spent' })
  expect(world.reached).toHaveLength(1)
})

test.each(['sallyport-ssh', 'sallyport-kube', 'sallyport-redis', 'sallyport-rdp'])(
  '%s is for what a document describes',
  async (other) => {
    const world = await newHostWorld()
    const certified = await certifyHost(world)
    expect(await refusalOf(world, { certified, alpn: other })).toMatchObject({ code: 'protocol_unfit' })
    expect(world.reached).toEqual([])
  },
)

test('what a role denies meanwhile, and an address that no network names, open nothing', async () => {
  const world = await newHostWorld()
  const [denied, elsewhere] = [await certifyHost(world), await certifyHost(world)]
  const allow = [{ name: '*.internal', ports: anyPort, networks: here }]
  await say(world, allow, { hosts: [{ name: 'git.internal' }] })
  expect(await refusalOf(world, { certified: denied, alpn })).toMatchObject({ code: 'session_refused' })
  await say(world, [{ name: '*.internal', ports: anyPort, networks: ['10.0.0.0/8'] }])
  expect(await refusalOf(world, { certified: elsewhere, alpn })).toMatchObject({ code: 'address_not_allowed' })
  expect(world.reached).toEqual([])
})
