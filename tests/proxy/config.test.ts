import { describe, expect, test } from 'vitest'
import { SetupProblem } from '../../core/setup-problem.ts'
import { readSettings } from '../../proxy/config.ts'
import { plainListener } from '../../proxy/listeners.ts'

test('everything has a default for one machine', () => {
  expect(readSettings({})).toEqual({
    port: 3443,
    hosts: ['127.0.0.1', '::1'],
    listeners: [plainListener(['127.0.0.1', '::1'], 3443)],
    names: { dns: ['localhost'], addresses: ['127.0.0.1', '::1'] },
    home: '.sallyport',
    edge: new URL('http://localhost:3080'),
    publicUrl: new URL('http://localhost:3080'),
    certificate: undefined,
    certificates: [],
    acme: undefined,
    maxHello: 16_384,
    trust: { keys: 'none', maxStale: 300_000, maxOffline: 3_600_000 },
    routes: [],
    databases: [],
    adminPort: undefined,
    drain: 4000,
  })
})

test('an empty variable is as one that is not set', () => {
  expect(readSettings({ SALLYPORT_PROXY_NAMES: '', SALLYPORT_PROXY_PORT: '', SALLYPORT_HOME: '' })).toEqual(
    readSettings({}),
  )
})

describe('takes', () => {
  test('names and addresses in any case and once each, with those of the machine itself', () => {
    const { names } = readSettings({
      SALLYPORT_PROXY_NAMES: 'Proxy.Example.com, db_1.internal,proxy.example.com,192.0.2.1,2001:DB8:0::1,localhost',
    })
    expect(names.dns).toEqual(['proxy.example.com', 'db_1.internal', 'localhost'])
    expect(names.addresses).toEqual(['127.0.0.1', '::1', '192.0.2.1', '2001:db8::1'])
  })

  test('the edge by port or URL, and the public URL by itself', () => {
    expect(readSettings({ SALLYPORT_EDGE_PORT: '4000' }).publicUrl.origin).toBe('http://localhost:4000')
    const { edge, publicUrl } = readSettings({
      SALLYPORT_EDGE_URL: 'http://127.0.0.1:4000/',
      SALLYPORT_PUBLIC_URL: 'https://access.example.com',
    })
    expect([edge.origin, publicUrl.origin]).toEqual(['http://127.0.0.1:4000', 'https://access.example.com'])
  })

  test('listen addresses and one’s own certificate', () => {
    const own = { SALLYPORT_PROXY_CERT: '/a.pem', SALLYPORT_PROXY_KEY: '/a.key' }
    const { hosts, certificate } = readSettings({ SALLYPORT_PROXY_HOST: '0.0.0.0, ::', ...own })
    expect(hosts).toEqual(['0.0.0.0', '::'])
    expect(certificate).toEqual({ certificate: '/a.pem', key: '/a.key' })
  })
})

const wrong: readonly (readonly [settings: Record<string, string>, message: RegExp])[] = [
  ...['0', '65536', '80.5', 'https', '-1'].map(
    (port) => [{ SALLYPORT_PROXY_PORT: port }, /^SALLYPORT_PROXY_PORT is /] as const,
  ),
  ...['localhost', '127.0.0.1:80', '127.0.0.1,,::1', '*', '[::1]'].map(
    (host) => [{ SALLYPORT_PROXY_HOST: host }, /^SALLYPORT_PROXY_HOST is /] as const,
  ),
  ...[
    'a b',
    'proxy:443',
    'https://proxy',
    '*.example.com',
    'a..b',
    '.a',
    'a.',
    '-a',
    '1.2.3',
    'a,',
    `${'a'.repeat(64)}.b`,
  ].map((names) => [{ SALLYPORT_PROXY_NAMES: names }, /^SALLYPORT_PROXY_NAMES is /] as const),
  ...['localhost:3080', 'ftp://localhost', 'http://localhost/x', 'http://me@localhost', 'http://edge.example.com'].map(
    (url) =>
      [{ SALLYPORT_EDGE_URL: url, SALLYPORT_PUBLIC_URL: 'https://a.example' }, /^SALLYPORT_EDGE_URL is /] as const,
  ),
  [{ SALLYPORT_EDGE_PORT: 'x' }, /^SALLYPORT_EDGE_PORT is /],
  [{ SALLYPORT_PUBLIC_URL: 'http://access.example.com' }, /^SALLYPORT_PUBLIC_URL is /],
  [{ SALLYPORT_PROXY_CERT: 'a' }, /^SALLYPORT_PROXY_CERT is set, and SALLYPORT_PROXY_KEY is not/],
  [{ SALLYPORT_PROXY_KEY: 'a' }, /^SALLYPORT_PROXY_KEY is set, and SALLYPORT_PROXY_CERT is not/],
]

test.each(wrong)('refuses %j', (settings, message) => {
  let problem: unknown
  try {
    readSettings(settings)
  } catch (error) {
    problem = error
  }
  expect(problem).toBeInstanceOf(SetupProblem)
  expect((problem as SetupProblem).message).toMatch(message)
  expect((problem as SetupProblem).hint).not.toBe('')
})
