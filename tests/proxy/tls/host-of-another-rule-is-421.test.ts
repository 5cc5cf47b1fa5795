/** Host against the name in the hello: under a name of the proxy's own nobody reaches a route, nor the other way round (domain fronting). */
import { expect, test } from 'vitest'
import { dial, edgeThat, head, local, startProxy, until } from '../proxy.ts'
import { routeOf } from '../routes/routes.ts'
import { startDatabase as startService } from '../sessions/database.ts'

async function withRoute() {
  const asked: string[] = []
  const edge = await edgeThat(({ headers }, response) => {
    asked.push(headers.host ?? '')
    response.end('the edge')
  })
  const service = await startService((socket) => void socket.on('data', () => socket.end('the service')))
  const routes = [routeOf({ sni: ['app.test'], tls: 'terminate', backends: [service.uri] })]
  const names = { ...local, dns: ['proxy.test', 'localhost'] }
  const proxy = await startProxy({ edge, publicUrl: 'https://access.test', names, routes })
  return { asked, service, proxy }
}

test.each(['proxy.test', 'access.test', 'localhost', ''])('hello for %j, Host of a route: 421', async (servername) => {
  const { asked, service, proxy } = await withRoute()
  const wire = await dial(proxy, { servername, checkServerIdentity: () => undefined })
  wire.send(head('GET /v1/x HTTP/1.1', 'Host: app.test', 'Connection: close'))
  await wire.closed
  expect(wire.said()).toMatch(/^HTTP\/1\.1 421 /)
  expect(asked).toEqual([])
  expect(service.connections).toEqual([])
})

test('hello for a route, Host of the proxy: the route’s service has it, whatever it says', async () => {
  const { asked, service, proxy } = await withRoute()
  const wire = await dial(proxy, { servername: 'app.test', checkServerIdentity: () => undefined })
  wire.send(head('GET /v1/x HTTP/1.1', 'Host: proxy.test'))
  await until(() => wire.said() === 'the service')
  expect(asked).toEqual([])
  expect(service.connections).toHaveLength(1)
})

test('any name of the proxy’s own will do under any other: behind both is the same', async () => {
  const { asked, proxy } = await withRoute()
  for (const [servername, Host] of [
    ['proxy.test', 'access.test'],
    ['localhost', 'proxy.test'],
  ] as const) {
    const wire = await dial(proxy, { servername, checkServerIdentity: () => undefined })
    wire.send(head('GET /v1/x HTTP/1.1', `Host: ${Host}`, 'Connection: close'))
    await wire.closed
    expect(wire.said()).toMatch(/^HTTP\/1\.1 200 /)
  }
  expect(asked).toEqual(['access.test', 'access.test'])
})
