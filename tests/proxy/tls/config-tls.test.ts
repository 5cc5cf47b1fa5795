/** `certificates`, `acme` and `max_hello` of proxy.yaml: what they say, and what is refused in them by name and line. */
import { expect, test } from 'vitest'
import { readConfigFile } from '../../../proxy/config-file.ts'

const head = `version: v1
edge: { url: https://edge.example.com, keys: [${'A'.repeat(43)}] }
listen: { port: 443 }
names: [proxy.example.com]
home: home
`
const good = `${head}certificates:
  - { cert: a.pem, key: a.key }
  - cert: /b.pem
    key: /b.key
acme:
  directory: https://ca.example/directory
  email: ops@example.com
  names: [proxy.example.com, metrics.example.com, x.metrics.example.com]
  ca_file: ca.pem
  agree_tos: true
max_hello: 65536
routes:
  - { name: metrics, sni: [metrics.example.com, '*.metrics.example.com'], tls: terminate, backends: [10.0.0.5:80] }
  - { name: git, sni: [git.example.com], tls: passthrough, backends: [10.0.0.5:443] }
  - { name: own, sni: [own.example.com], tls: terminate, backends: [10.0.0.5:80], cert: o.pem, key: o.key }
`
const read = (text: string) => readConfigFile('/etc/sallyport/proxy.yaml', text)

test('all of it', () => {
  expect(read(good)).toMatchObject({
    certificate: undefined,
    certificates: [
      { certificate: '/etc/sallyport/a.pem', key: '/etc/sallyport/a.key' },
      { certificate: '/b.pem', key: '/b.key' },
    ],
    acme: {
      directory: 'https://ca.example/directory',
      email: 'ops@example.com',
      names: ['proxy.example.com', 'metrics.example.com', 'x.metrics.example.com'],
      caFile: '/etc/sallyport/ca.pem',
    },
    maxHello: 65_536,
  })
})

test('none of it', () => {
  expect(read(head)).toMatchObject({ certificates: [], acme: undefined, maxHello: 16_384 })
  const little = good.replace(/ {2}(email|ca_file): .*\n/g, '')
  expect(read(little).acme).toMatchObject({ email: undefined, caFile: undefined })
})

const named = (name: string) => good.replace('names: [proxy.example.com, ', `names: [${name}, `)

test.for([
  ['a certificate without a key', good.replace('    key: /b.key\n', ''), /yaml:8: certificates\[1\]\.key: missing/],
  [
    'certificates that are no list',
    good.replace(/certificates:\n.*\n.*\n.*\n/, 'certificates: a.pem\n'),
    /yaml:6: certificates: .*cert and key/,
  ],
  [
    'terms that are not agreed to',
    good.replace('agree_tos: true', 'agree_tos: false'),
    /yaml:15: acme\.agree_tos: .*read the terms/,
  ],
  ['terms that are left out', good.replace('  agree_tos: true\n', ''), /yaml:10: acme\.agree_tos: .*read the terms/],
  ['a directory without https', good.replace('https://ca', 'http://ca'), /yaml:11: acme\.directory: .*https URL/],
  ['an email that is none', good.replace('ops@example.com', 'ops'), /yaml:12: acme\.email: .*one address/],
  ['an email that is two', good.replace('ops@example.com', '"a@b.c,d@e.f"'), /yaml:12: acme\.email: .*one address/],
  ['no name', good.replace(/names: \[proxy.*metrics.*\]/, 'names: []'), /yaml:13: acme\.names: expected at least one/],
  ['a wildcard', named("'*.metrics.example.com'"), /yaml:13: acme\.names\[0\]: .*no wildcard/],
  ['an address', named('192.0.2.1'), /yaml:13: acme\.names\[0\]: .*host name/],
  ['upper case', named('Proxy.example.com'), /yaml:13: acme\.names\[0\]: .*lower case/],
  [
    'a name that is nobody’s',
    named('x.example.com'),
    /yaml:13: acme\.names\[0\]: no TLS ends here under `x\.example\.com`/,
  ],
  ['a name that passes through', named('git.example.com'), /yaml:13: acme\.names\[0\]: no TLS ends here/],
  ['a name of a route with its own', named('own.example.com'), /yaml:13: acme\.names\[0\]: no TLS ends here/],
  [
    'a name two labels below a wildcard',
    named('y.x.metrics.example.com'),
    /yaml:13: acme\.names\[0\]: no TLS ends here/,
  ],
  ['a name twice', named('metrics.example.com'), /yaml:13: acme\.names\[1\]: `metrics\.example\.com` stands twice/],
  ['a hello too small', good.replace('65536', '16383'), /yaml:16: max_hello: .*from 16384 to 65536/],
  ['a hello too large', good.replace('65536', '65537'), /yaml:16: max_hello: .*from 16384 to 65536/],
  ['a hello of half a byte', good.replace('65536', '20000.5'), /yaml:16: max_hello: /],
] as const)('%s is refused', ([, text, message]) => {
  expect(() => read(text)).toThrow(message)
})

test('acme-tls/1 is for a passthrough, and alone it may be under a name of the proxy', () => {
  const route = (more: string) => `${head}routes:\n  - { name: r, backends: ['10.0.0.5:443'], ${more} }\n`
  const alone = 'sni: [proxy.example.com], alpn: [acme-tls/1], tls: passthrough'
  expect(read(route(alone)).routes).toHaveLength(1)
  expect(() => read(route(alone.replace('passthrough', 'terminate')))).toThrow(
    /routes\[0\]\.alpn: .*is for a passthrough/,
  )
  expect(() => read(route(alone.replace('[acme-tls/1]', '[acme-tls/1, h2]')))).toThrow(/is a name of the proxy itself/)
  expect(() => read(route(alone.replace('alpn: [acme-tls/1], ', '')))).toThrow(/is a name of the proxy itself/)
})
