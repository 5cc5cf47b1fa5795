/** Clients that bring TLS and a server name and can offer no protocol: for databases whose own protocol begins with TLS, and for nothing else. */
import { expect, test } from 'vitest'
import { edgeThat, startProxy } from '../proxy.ts'
import { certifyFor, dialService, isServed, refusalOf, serviceNames, serviceWorld } from './services.ts'

test.for(['redis-1', 'mongo-1'] as const)('%s opens by its certificate', async (name) => {
  const world = await serviceWorld()
  const certified = await certifyFor(world, name, { uses: 2 })
  const servername = `${name}.localhost`
  expect(await isServed(world.proxy, { certified, servername })).toBe(true)
  expect(await isServed(world.proxy, { certified, servername, tls: { maxVersion: 'TLSv1.2' } })).toBe(true)
  expect(await refusalOf(world, { certified, servername })).toMatchObject({ bytes: '', code: 'grant_spent' })
  expect(await refusalOf(world, { servername })).toMatchObject({ bytes: '', code: 'grant_invalid' })
})

test('everything else gets the alert of a name that is no resource’s', async () => {
  const world = await serviceWorld({ tap: false })
  const others = serviceNames.filter((name) => name !== 'redis-1' && name !== 'mongo-1')
  for (const name of [...others, 'nothing-1']) {
    const certified = await certifyFor(world, 'redis-1')
    await expect(dialService(world.proxy, { certified, servername: `${name}.localhost` })).rejects.toThrow(
      /no.application.protocol/i,
    )
  }
  expect(world.proxy.codes().filter((code) => code === 'application_protocol_unknown')).toHaveLength(7)
})

test('a certificate for another database than the named one opens nothing', async () => {
  const world = await serviceWorld({ tap: false })
  const certified = await certifyFor(world, 'mongo-1')
  expect(await refusalOf(world, { certified, servername: 'redis-1.localhost' })).toMatchObject({
    code: 'grant_invalid',
  })
})

test('under the proxy’s own name no protocol is HTTP, as ever', async () => {
  const world = await serviceWorld({ tap: false })
  const certified = await certifyFor(world, 'redis-1')
  const socket = await dialService(world.proxy, { certified })
  socket.write('GET /.well-known/sallyport HTTP/1.1\r\nHost: localhost\r\n\r\n')
  const said = await new Promise<string>((done) => socket.once('data', (piece: Buffer) => done(String(piece))))
  expect(said).toMatch(/^HTTP\/1\.1 /)
})

test('a static route for all names below the proxy’s keeps clients without a protocol', async () => {
  const edge = await edgeThat((_, response) => void response.end())
  const route = {
    name: 'web',
    sni: ['*.localhost'],
    noSni: false,
    alpn: undefined,
    tls: 'passthrough',
    clientCertificate: false,
    backends: ['127.0.0.1:1'],
    balance: 'first',
    health: undefined,
    sendProxy: false,
    certificate: undefined,
    clientCa: undefined,
  } as const
  const proxy = await startProxy({ edge, routes: [route] })
  const { table } = proxy.serving.routing
  const named = (alpn: readonly string[]) => {
    const found = table.match({ sni: 'redis-1.localhost', alpn })
    return found.kind === 'route' ? found.rule.name : found.why
  }
  expect([named([]), named(['h2']), named(['sallyport-redis'])]).toEqual(['web', 'web', 'sallyport-services'])
})
