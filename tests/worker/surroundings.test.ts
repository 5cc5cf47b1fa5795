/** What stands around every answer, whatever kind it is: headers, request id, log line. */

import { describe, expect, test } from 'vitest'
import { builtInClients } from '../../core/oauth/clients.ts'
import { Refusal } from '../../core/refusal.ts'
import { makeApp } from '../../worker/app.ts'
import type { Edge, LogLine } from '../../worker/edge.ts'
import { newEdge } from '../edge.ts'

const origin = 'https://access.example.com'

async function newApp(changes: (edge: Edge) => Partial<Edge> = () => ({}), at = origin) {
  const { site, ports } = await newEdge({ origin: at })
  const logged: LogLine[] = []
  const plain: Edge = {
    site,
    ports,
    clients: builtInClients,
    assets: {
      url: (name) => `/assets/${name}`,
      fetch: async (path) =>
        path === '/assets/style.css' ? new Response('body{}', { headers: { 'Content-Type': 'text/css' } }) : undefined,
    },
    attempts: { retryAfter: () => undefined, failed: async () => undefined },
    programs: { retryAfter: () => undefined, failed: async () => undefined },
    deviceCodes: { retryAfter: () => undefined, failed: async () => undefined },
    userCodes: { retryAfter: () => undefined, failed: async () => undefined },
    noise: { retryAfter: () => undefined, failed: async () => undefined },
    log: (line) => logged.push(line),
    lengthsHold: false,
    whereOf: () => ({ address: '192.0.2.1', place: '' }),
    ready: async () => undefined,
  }
  const app = makeApp({ ...plain, ...changes(plain) })
  return { app, logged, ask: (path: string, init?: RequestInit) => app.request(at + path, init) }
}

const post = (headers: Record<string, string> = {}, body = '{}'): RequestInit => ({
  method: 'POST',
  headers: { origin, 'content-type': 'application/json', ...headers },
  body,
})
const page = { headers: { accept: 'text/html' } }
const fails = async () => {
  throw new Error('the database said: secret detail')
}
const broken = (edge: Edge) => ({
  ports: { ...edge.ports, administrator: { ...edge.ports.administrator, state: fails } },
})
const notReady = () => ({
  ready: async () => {
    throw new Refusal('unavailable')
  },
})
const tooMany = () => ({ attempts: { retryAfter: () => 1, failed: async () => undefined } })

interface Kind {
  readonly status: number
  readonly path: string
  readonly init?: RequestInit
  readonly edge?: (edge: Edge) => Partial<Edge>
}
const asset = '/assets/style.css'
const kinds: readonly (readonly [what: string, Kind])[] = [
  ['a page', { status: 200, path: '/', init: page }],
  ['JSON', { status: 200, path: '/openapi.json' }],
  ['HEAD', { status: 200, path: '/', init: { method: 'HEAD' } }],
  ['a ceremony', { status: 200, path: '/v1/login/begin', init: post() }],
  ['a redirect', { status: 302, path: '/account', init: page }],
  ['a redirect to the public address', { status: 307, path: '/a', init: { headers: { host: 'evil.example' } } }],
  ['an asset', { status: 200, path: asset }],
  ['an asset that is not there', { status: 404, path: '/assets/x.js' }],
  ['a page that is not there', { status: 404, path: '/nowhere', init: page }],
  ['JSON that is not there', { status: 404, path: '/v1/nowhere' }],
  ['another method', { status: 404, path: '/account', init: { method: 'DELETE' } }],
  ['OPTIONS', { status: 404, path: '/v1/login/begin', init: { method: 'OPTIONS' } }],
  ['a wrong host', { status: 421, path: '/v1/login/begin', init: post({ host: 'evil.example' }) }],
  ['a wrong origin', { status: 403, path: '/v1/login/begin', init: post({ origin: 'https://evil.example' }) }],
  ['a wrong media type', { status: 415, path: '/v1/login/begin', init: post({ 'content-type': 'text/plain' }) }],
  ['no JSON', { status: 400, path: '/v1/login/begin', init: post({}, '{') }],
  ['a large body', { status: 413, path: '/v1/login/begin', init: post({}, ' '.repeat(300_000)) }],
  ['a refusal', { status: 401, path: '/v1/passkeys/begin', init: post({}, JSON.stringify(passkeyAsk())) }],
  ['too many attempts', { status: 429, path: '/v1/login/begin', init: post(), edge: tooMany }],
  ['a bug, as a page', { status: 500, path: '/first-administrator', init: page, edge: broken }],
  ['a bug, as JSON', { status: 500, path: '/readyz', edge: broken }],
  ['not ready', { status: 503, path: '/', init: page, edge: notReady }],
]

function passkeyAsk() {
  const coordinate = Buffer.alloc(32, 1).toString('base64url')
  return { name: 'A', vouch_key: { kty: 'EC', crv: 'P-256', x: coordinate, y: coordinate } }
}

describe.each(kinds)('%s', (_what, { status, path, init, edge }) => {
  test(`answers ${status} with every header`, async () => {
    const { ask } = await newApp(edge)
    const response = await ask(path, init)
    expect(response.status).toBe(status)
    const { headers } = response
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; /)
    expect(headers.get('content-security-policy')).not.toMatch(/unsafe|data:|https?:|\*/)
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(Object.fromEntries(headers)).toMatchObject({
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'strict-transport-security': 'max-age=63072000; includeSubDomains',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cache-control': path === asset ? 'public, max-age=31536000, immutable' : 'no-store',
    })
    expect(headers.get('permissions-policy')).toContain('publickey-credentials-get=(self)')
    expect(headers.get('x-request-id')).toMatch(/^[\w-]{16}$/)
    expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([])
    expect(headers.get('x-powered-by') ?? headers.get('server')).toBeNull()
  })

  test('has one log line with its request id, its status and no query', async () => {
    const { ask, logged } = await newApp(edge)
    const response = await ask(`${path}?secret=1`, init)
    const lines = logged.filter(({ message }) => message === 'request')
    expect(lines).toEqual([
      {
        level: status >= 500 ? 'error' : 'info',
        message: 'request',
        request_id: response.headers.get('x-request-id'),
        method: init?.method ?? 'GET',
        path,
        status,
        code: lines[0]?.['code'],
        address: '192.0.2.1',
        ms: 0,
      },
    ])
    expect(JSON.stringify(logged)).not.toContain('secret=1')
  })
})

test.each(['/healthz', '/readyz'])('%s, asked all day, has no line while it is well', async (path) => {
  const { ask, logged } = await newApp()
  expect((await ask(path)).status).toBe(200)
  expect(logged).toEqual([])
})

test('an asset carries the request id, as every other answer does', async () => {
  const { ask } = await newApp()
  expect((await ask(asset)).headers.get('x-request-id')).toMatch(/^[\w-]{16}$/)
})

test('a bug says its request id and nothing of itself; log and answer share that id', async () => {
  const { ask, logged } = await newApp(broken)
  for (const [path, init] of [
    ['/first-administrator', page],
    ['/readyz', {}],
  ] as const) {
    const response = await ask(path, init)
    const text = await response.text()
    expect(text).not.toMatch(/secret detail|database said|at \w+ \(/)
    const id = response.headers.get('x-request-id') ?? 'none'
    expect(text).toContain(id)
    const line = logged.find((one) => one.request_id === id && one.message !== 'request')
    expect(line).toMatchObject({ level: 'error', message: 'the database said: secret detail' })
  }
})

test('plain http on localhost is told no Strict-Transport-Security', async () => {
  const { ask } = await newApp(undefined, 'http://localhost:3080')
  expect((await ask('/healthz')).headers.get('strict-transport-security')).toBeNull()
})

test('no two requests share an id, and a client’s own is not taken over', async () => {
  const { ask } = await newApp()
  const ask1 = () => ask('/healthz', { headers: { 'x-request-id': 'mine' } })
  const ids = (await Promise.all(Array.from({ length: 50 }, ask1))).map(({ headers }) => headers.get('x-request-id'))
  expect(new Set(ids).size).toBe(50)
  expect(ids).not.toContain('mine')
})

describe('another host than the public one', () => {
  test.each([
    'evil.example',
    'example.com',
    'x.access.example.com',
    'access.example.com.',
    'access.example.com:8443',
    'access.example.com.evil.example',
    '127.0.0.1',
    '[::1]',
    'access.example.com@evil.example',
  ])('%s: a page is shown at the public address, and nothing is done', async (host) => {
    const { ask } = await newApp()
    const moved = await ask('/a/b?c=d', { headers: { host } })
    expect([moved.status, moved.headers.get('location')]).toEqual([307, `${origin}/a/b?c=d`])
    const refused = await ask('/v1/login/begin', post({ host }))
    expect([refused.status, ((await refused.json()) as { error: string }).error]).toEqual([421, 'wrong_host'])
    expect(refused.headers.getSetCookie()).toEqual([])
  })

  test.each(['//evil.example', '///evil.example', '/\\evil.example', '/.//evil.example'])(
    'and the path %s leads nowhere else',
    async (path) => {
      const { ask } = await newApp()
      const moved = await ask(path, { headers: { host: 'evil.example' } })
      expect(moved.headers.get('location')).toMatch(/^https:\/\/access\.example\.com\/(?!\/)[\w.]*$/)
    },
  )

  test('the public host in capitals is the public host', async () => {
    const { ask } = await newApp()
    expect((await ask('/', { headers: { host: 'ACCESS.example.com' } })).status).toBe(200)
  })
})

test('/healthz answers under any host and while the database is away; /readyz says that it is', async () => {
  const { ask } = await newApp(notReady)
  expect((await ask('/healthz', { headers: { host: '10.0.0.1' } })).status).toBe(200)
  expect((await ask('/readyz', { headers: { host: '10.0.0.1' } })).status).toBe(503)
})
