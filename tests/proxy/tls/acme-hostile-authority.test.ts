/** An authority that answers what it must not, or too much: a real TLS server with the test's answers. The log says why, and nothing is shown. */
import { createServer } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import { expect, test } from 'vitest'
import { newCa, newLeaf } from '../../cli/certificates.ts'
import { freePort } from '../../runtime/launch.ts'
import { atEnd, dial, startProxy, until } from '../proxy.ts'
import { filesOf } from '../routes/routes.ts'

type Reply = readonly [status: number, body: unknown, headers?: Readonly<Record<string, string>>]
type Script = { readonly [path: string]: (origin: string) => Reply }

const ca = await newCa('An authority’s own TLS')
const leaf = await newLeaf(ca)

const sound: Script = {
  '/directory': (origin) => [
    200,
    { newNonce: `${origin}/nonce`, newAccount: `${origin}/account`, newOrder: `${origin}/order` },
  ],
  '/nonce': () => [200, ''],
  '/account': (origin) => [201, { status: 'valid' }, { location: `${origin}/account/1` }],
  '/order': (origin) => [
    201,
    { status: 'pending', authorizations: [`${origin}/authorization`], finalize: `${origin}/finalize` },
    { location: `${origin}/order/1` },
  ],
  '/authorization': () => [200, { status: 'valid', identifier: { type: 'dns', value: 'localhost' } }],
  '/finalize': () => [200, {}],
  '/order/1': (origin) => [200, { status: 'valid', certificate: `${origin}/certificate` }],
  '/certificate': () => [200, leaf.pem],
}

/** What the proxy's log says once it has tried. */
async function tried(change: Script) {
  const script = { ...sound, ...change }
  const asked: string[] = []
  const server = createServer({ cert: leaf.pem, key: leaf.key }, (request, response) => {
    asked.push(request.url ?? '')
    const { port } = server.address() as { port: number }
    const [status, body, headers = {}] = script[request.url ?? '']?.(`https://localhost:${port}`) ?? [404, {}]
    response.writeHead(status, { 'replay-nonce': 'bm9uY2U', ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  atEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  const directory = `https://localhost:${(server.address() as { port: number }).port}/directory`
  const { ca: caFile } = filesOf({ ca: ca.pem })
  const acme = { directory, email: undefined, names: ['localhost'], caFile }
  const proxy = await startProxy({ edge: 'http://localhost:1', acme, limits: { graceMs: 50 } })
  await until(() => proxy.log.some(({ message }) => message.startsWith('acme certificate')), 30_000)
  const line = proxy.log.find(({ message }) => message.startsWith('acme certificate'))
  return { proxy, line, asked }
}

const challenge = { status: 'pending', identifier: { type: 'dns', value: 'localhost' } }

test.for<[string, Script, RegExp]>([
  ['a certificate of another key', {}, /not for this name and key/],
  ['no certificate', { '/certificate': () => [200, 'x'] }, /not for this name and key/],
  [
    'another name',
    { '/authorization': () => [200, { status: 'valid', identifier: { type: 'dns', value: 'evil.test' } }] },
    /a name that was not ordered/,
  ],
  [
    'no challenge over TLS',
    { '/authorization': () => [200, { ...challenge, challenges: [{ type: 'http-01', url: 'x', token: 't' }] }] },
    /no challenge tls-alpn-01/,
  ],
  [
    'an address without https',
    { '/directory': () => [200, { newNonce: 'http://localhost:1/', newAccount: 'x' }] },
    /without https/,
  ],
  [
    'an address that is none',
    { '/directory': () => [200, { newNonce: 'https://', newAccount: 'x' }] },
    /without https/,
  ],
  ['a redirect', { '/directory': () => [302, '', { location: 'https://localhost:1/' }] }, /^status 302$/],
  ['too many bytes', { '/directory': () => [200, 'x'.repeat(300_000)] }, /too large/],
  ['no JSON', { '/directory': () => [200, 'x'] }, /no JSON object/],
  ['a directory of nothing', { '/directory': () => [200, {}] }, /has no newAccount/],
  [
    'an account that is over',
    { '/account': (at) => [200, { status: 'revoked' }, { location: at }] },
    /account is not valid/,
  ],
  ['an order without authorizations', { '/order': (at) => [201, {}, { location: at }] }, /has no authorizations/],
  [
    'an order that fails',
    { '/order/1': () => [200, { status: 'invalid', error: { detail: 'no\n' } }] },
    /^no\\u\{a\}$/,
  ],
  [
    'a nonce that it refuses each time',
    { '/account': () => [400, { type: 'urn:ietf:params:acme:error:badNonce', detail: 'again' }] },
    /^badNonce: again$/,
  ],
  ['a nonce with a line’s end', { '/nonce': () => [200, '', { 'replay-nonce': 'a b' }] }, /gives no nonce/],
])('%s', async ([, change, why]) => {
  const { proxy, line } = await tried(change)
  expect(line).toMatchObject({ level: 'error', message: 'acme certificate not issued', name: 'localhost' })
  expect(line?.['detail']).toMatch(why)
  const { socket } = await dial(proxy)
  expect(socket.authorized).toBe(true)
})

test('it waits longer after each failure, from a minute to six hours, and half of that more or less', async () => {
  let now = Date.now()
  const acme = { directory: 'https://localhost:1/', email: undefined, names: ['localhost'], caFile: undefined }
  const proxy = await startProxy({ edge: 'http://localhost:1', acme, certificatesNow: () => now, lookEvery: 50 })
  const failures = () => proxy.log.filter(({ message }) => message === 'acme certificate not issued')
  for (let count = 1; count <= 12; count++) {
    await until(() => failures().length === count, 30_000)
    const wait = Date.parse(String(failures()[count - 1]?.['again'])) - now
    // Before that it asks nobody. The first look may have begun before.
    await proxy.own.acme?.look()
    await proxy.own.acme?.look()
    expect(failures()).toHaveLength(count)
    const middle = Math.min(60_000 * 2 ** (count - 1), 6 * 3_600_000)
    expect(wait).toBeGreaterThanOrEqual(middle / 2)
    expect(wait).toBeLessThanOrEqual(middle * 1.5)
    // The log says it to the millisecond.
    now += wait + 1
  }
})

test('told to come back later, it does not come before', async () => {
  const { line, asked } = await tried({
    '/order': () => [
      429,
      { type: 'urn:ietf:params:acme:error:rateLimited', detail: 'slow' },
      { 'retry-after': '7200' },
    ],
  })
  expect(line?.['detail']).toBe('rateLimited: slow')
  const wait = Date.parse(String(line?.['again'])) - Date.now()
  expect(wait).toBeGreaterThan(7_100_000)
  expect(wait).toBeLessThanOrEqual(7_200_000)
  expect(asked.filter((path) => path === '/order')).toHaveLength(1)
})

test('an authority whose own certificate leads elsewhere is not spoken to', async () => {
  const { ca: caFile } = filesOf({ ca: (await newCa('Another one')).pem })
  const server = createServer({ cert: leaf.pem, key: leaf.key }, (_, response) => response.end('{}'))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  atEnd(() => server.close())
  const directory = `https://localhost:${(server.address() as { port: number }).port}/`
  const acme = { directory, email: undefined, names: ['localhost'], caFile }
  const proxy = await startProxy({ edge: 'http://localhost:1', acme })
  await until(() => proxy.log.some(({ message }) => message === 'acme certificate not issued'), 30_000)
  expect(proxy.log.map(({ detail }) => detail).join()).toMatch(/not reached \(UNABLE_TO_VERIFY|SELF_SIGNED/)
})

test('one that says nothing does not keep the proxy from stopping', async () => {
  const port = await freePort()
  const silent = createTcpServer(() => undefined).listen(port, '127.0.0.1')
  atEnd(() => silent.close())
  const acme = { directory: `https://localhost:${port}/`, email: undefined, names: ['localhost'], caFile: undefined }
  const proxy = await startProxy({ edge: 'http://localhost:1', acme, limits: { graceMs: 50 } })
  await dial(proxy)
  await proxy.stop()
  expect(proxy.log.filter(({ message }) => message.startsWith('acme'))).toEqual([])
})
