/** `sallyport-auth`: what the API answers, for whoever may dial this port alone. No page, no cookie, nothing elsewhere. */
import { expect, test } from 'vitest'
import { dial, edgeThat, head, startProxy } from '../proxy.ts'

interface Asked {
  readonly path: string | undefined
  readonly host: string | undefined
  readonly cookie: string | undefined
}

async function world() {
  const asked: Asked[] = []
  const edge = await edgeThat((request, response) => {
    const { host, cookie } = request.headers
    asked.push({ path: request.url, host, cookie })
    response.setHeader('set-cookie', '__Host-session=x')
    response.end('the edge')
  })
  const publicUrl = 'https://sallyport.example.com'
  const proxy = await startProxy({ edge, publicUrl })
  const ask = async (line: string, host = `localhost:${proxy.port}`, servername = 'localhost') => {
    const wire = await dial(proxy, { ALPNProtocols: ['sallyport-auth'], servername })
    expect(wire.socket.alpnProtocol).toBe('sallyport-auth')
    wire.send(head(`${line} HTTP/1.1`, `Host: ${host}`, 'Cookie: __Host-session=stolen', 'Connection: close'))
    await wire.closed
    return wire.said()
  }
  return { asked, ask, proxy }
}

test.for(['/v1/me', '/oauth/token', '/.well-known/openid-configuration', '/openapi.json', '/healthz', '/readyz'])(
  '%s is passed to the edge, without cookies either way',
  async (path) => {
    const { ask, asked } = await world()
    const said = await ask(`GET ${path}`)
    expect(said).toMatch(/^HTTP\/1\.1 200 /)
    expect(said).toContain('the edge')
    expect(said.toLowerCase()).not.toContain('set-cookie')
    expect(asked).toEqual([{ path, host: 'sallyport.example.com', cookie: undefined }])
  },
)

test('the proxy says whose it is', async () => {
  const { ask, asked } = await world()
  expect(await ask('GET /.well-known/sallyport')).toContain('"issuer":"https://sallyport.example.com"')
  expect(asked).toEqual([])
})

test.for(['/', '/login', '/account', '/assets/style.css', '/v1', '/v1/../login', '/users'])(
  '%s is no API: told, and nothing is sent elsewhere',
  async (path) => {
    const { ask, asked, proxy } = await world()
    for (const host of [`localhost:${proxy.port}`, 'sallyport.example.com']) {
      const said = await ask(`GET ${path}`, host)
      expect(said).toMatch(/^HTTP\/1\.1 404 /)
      expect(said.toLowerCase()).not.toContain('location:')
    }
    expect(asked).toEqual([])
    await expect.poll(proxy.codes).toContain('no_api')
  },
)

test('also under the public name nobody’s cookie passes', async () => {
  const { ask, asked } = await world()
  await ask('GET /v1/me', 'sallyport.example.com')
  expect(asked).toMatchObject([{ cookie: undefined }])
})

test('it opens no tunnel and takes no other host', async () => {
  const { ask, asked } = await world()
  expect(await ask('CONNECT pg-1:443', 'pg-1:443')).not.toMatch(/^HTTP\/1\.1 2/)
  expect(await ask('GET /v1/me', 'elsewhere.example')).toMatch(/^HTTP\/1\.1 421 /)
  expect(asked).toEqual([])
})

test('below the proxy’s name there is none', async () => {
  const { proxy } = await world()
  const wire = await dial(proxy, { ALPNProtocols: ['sallyport-auth'], servername: 'web-1.localhost' })
  expect(await wire.closed).toMatch(/NO_APPLICATION_PROTOCOL/)
})
