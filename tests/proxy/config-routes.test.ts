/** `routes` of proxy.yaml: what they say, and what is refused in them by name and line. */
import { expect, test } from 'vitest'
import { readConfigFile } from '../../proxy/config-file.ts'
import { certificateNames } from '../../proxy/routes.ts'

const head = `version: v1
edge: { url: https://edge.example.com, public_url: https://access.example.com, keys: [${'A'.repeat(43)}] }
listen: { hosts: [0.0.0.0, 192.0.2.9], port: 443 }
names: [proxy.example.com, 198.51.100.7]
home: home
routes:
`
const good = `${head}  - name: git
    sni: [git.example.com, '*.git.example.com']
    tls: passthrough
    backends: [10.0.0.5:443, 'GIT:443', '[2001:DB8::1]:8443']
  - name: metrics
    sni:
      - metrics.example.com
      - '*.metrics.example.com'
    no_sni: true
    alpn: [h2, '']
    tls: terminate
    backends:
      - 127.0.0.1:9090
    cert: metrics.pem
    key: metrics.key
    client_ca: staff.pem
`
const adding = (line: string) => good.replace('    no_sni', () => `    ${line}\n    no_sni`)
const read = (text: string) => readConfigFile('/etc/sallyport/proxy.yaml', text)

test('a whole list', () => {
  expect(read(good).routes).toEqual([
    {
      name: 'git',
      sni: ['git.example.com', '*.git.example.com'],
      noSni: false,
      alpn: undefined,
      tls: 'passthrough',
      clientCertificate: false,
      backends: ['10.0.0.5:443', 'git:443', '[2001:db8::1]:8443'],
      balance: 'first',
      health: { interval: 10_000, timeout: 5000, rise: 2, fall: 3 },
      sendProxy: false,
      certificate: undefined,
      clientCa: undefined,
    },
    {
      name: 'metrics',
      sni: ['metrics.example.com', '*.metrics.example.com'],
      noSni: true,
      alpn: ['h2', ''],
      tls: 'terminate',
      clientCertificate: true,
      backends: ['127.0.0.1:9090'],
      balance: 'first',
      health: undefined,
      sendProxy: false,
      certificate: { certificate: '/etc/sallyport/metrics.pem', key: '/etc/sallyport/metrics.key' },
      clientCa: '/etc/sallyport/staff.pem',
    },
  ])
  expect(read(head.replace('routes:\n', '')).routes).toEqual([])
  expect(read(`${head}  []\n`).routes).toEqual([])
})

test('how the backends of a route are chosen, looked at and told of their clients', () => {
  const more = `    balance: least_connections
    health: { interval: 2s, rise: 1, timeout: 1s }
    send_proxy: v2
    sni_pattern: ['^db-[0-9]+[.]example[.]com$']
`
  expect(read(good.replace('    no_sni', () => `${more}    no_sni`)).routes[1]).toMatchObject({
    balance: 'least_connections',
    health: { interval: 2000, timeout: 1000, rise: 1, fall: 3 },
    sendProxy: true,
    sniPattern: ['^db-[0-9]+[.]example[.]com$'],
  })
})

test('an authority of this machine speaks for routes that show the proxy’s certificate', () => {
  expect(certificateNames(read(good)).dns).toEqual(['proxy.example.com', 'localhost'])
  const shared = read(good.replace(/ {4}(cert|key): .*\n/g, ''))
  expect(certificateNames(shared).dns).toEqual(['proxy.example.com', 'localhost', 'metrics.example.com'])
})

test.for([
  ['an unknown field', good.replace('no_sni', 'no_snu'), /yaml:15: routes\[1\]\.no_snu: .*did you mean `no_sni`/],
  ['no list', `${head}  git: x\n`, /yaml:6: routes: expected a list of routes/],
  ['no name', good.replace('name: git', 'sno: git'), /yaml:7: routes\[0\]\.name: missing/],
  ['a bad name', good.replace('name: git', 'name: Git x'), /yaml:7: routes\[0\]\.name: .*lower case/],
  ['a name twice', good.replace('name: metrics', 'name: git'), /yaml:11: routes\[1\]\.name: .*another route/],
  ['the proxy’s name', good.replace('name: git', 'name: sallyport'), /yaml:7: routes\[0\]\.name: .*own rule/],
  ['another tls', good.replace('passthrough', 'pass'), /yaml:9: routes\[0\]\.tls: .*expected passthrough or terminate/],
  ['an sni that is no list', good.replace("[git.example.com, '*.git.example.com']", 'git'), /yaml:8: .*list of server/],
  ['an sni in upper case', good.replace('- metrics.e', '- Metrics.e'), /yaml:13: routes\[1\]\.sni\[0\]: .*lower case/],
  ['a wildcard within', good.replace('*.metrics', 'm*'), /yaml:14: routes\[1\]\.sni\[1\]: .*first label only/],
  [
    'an address',
    good.replace('- metrics.example.com', '- 10.0.0.1'),
    /yaml:13: routes\[1\]\.sni\[0\]: .*is an address/,
  ],
  ['another balance', adding('balance: random'), /yaml:15: routes\[1\]\.balance: .*expected first, round_robin or/],
  ['a PROXY header of version 1', adding('send_proxy: v1'), /yaml:15: routes\[1\]\.send_proxy: .*expected v2/],
  ['a check that has no such field', adding('health: { uri: / }'), /yaml:15: .*health\.uri: health has no field/],
  ['a check without rest', adding('health: { timeout: 30s }'), /yaml:15: .*health\.timeout: longer than interval/],
  ['a check that never falls', adding('health: { fall: 0 }'), /yaml:15: .*health\.fall: 0: expected a number from 1/],
  ['an interval without unit', adding("health: { interval: '10' }"), /yaml:15: .*health\.interval: .*such as 10s/],
  ['an expression without end', adding("sni_pattern: ['^db-']"), /yaml:15: .*sni_pattern\[0\]: .*ends with/],
  ['an expression of a backtracker', adding("sni_pattern: ['^(?=a)$']"), /yaml:15: .*sni_pattern\[0\]: .*RE2/],
  ['65 expressions', adding(`sni_pattern: [${Array(65).fill("'^a$'")}]`), /yaml:15: .*65 entries: at most 64/],
  ['no name for clients', good.replace(/ {4}sni: \[.*\n/, ''), /yaml:7: routes\[0\]\.sni: .*or `no_sni: true`/],
  ['no_sni that is no boolean', good.replace('no_sni: true', 'no_sni: "yes"'), /yaml:15: .*expected true or false/],
  ['an empty alpn', good.replace("[h2, '']", '[]'), /yaml:16: routes\[1\]\.alpn: leave it out/],
  ['an alpn with a space', good.replace("''", "'h 2'"), /yaml:16: routes\[1\]\.alpn\[1\]: /],
  ['no backend', good.replace(/\[10.*\]\n/, '[]\n'), /yaml:10: routes\[0\]\.backends: expected at least one/],
  ['17 backends', good.replace(/\[10.*\]\n/, `[${Array(17).fill('a:1')}]\n`), /yaml:10: .*17 entries: at most 16/],
  ['a backend without port', good.replace('127.0.0.1:9090', '127.0.0.1'), /yaml:19: .*backends\[0\]: .*HOST:PORT/],
  ['a backend with a scheme', good.replace('127.0.0.1:9090', 'http://x:1'), /yaml:19: .*leave out the scheme/],
  ['cert without key', good.replace(/ {4}key: .*\n/, ''), /yaml:11: routes\[1\]: cert and key belong together/],
  [
    'a certificate of a passthrough',
    good.replace('tls: terminate', 'tls: passthrough'),
    /yaml:20: routes\[1\]\.cert: a passthrough shows none/,
  ],
  [
    'a passthrough that demands a certificate',
    good.replace('tls: terminate', 'tls: passthrough').replace(/ {4}(cert|key): .*\n/g, ''),
    /yaml:20: routes\[1\]\.client_ca: a passthrough cannot demand one/,
  ],
  ['a name of the proxy', good.replace('- metrics.e', '- proxy.e'), /yaml:13: routes\[1\]\.sni\[0\]: .*proxy itself/],
  ['the public name', good.replace('- metrics.e', '- access.e'), /yaml:13: routes\[1\]\.sni\[0\]: .*proxy itself/],
  ['localhost', good.replace('- metrics.example.com', '- localhost'), /yaml:13: routes\[1\]\.sni\[0\]: .*proxy itself/],
  [
    'two for the same hellos',
    good.replace("'*.metrics", "'*.git").replace("    alpn: [h2, '']\n", ''),
    /yaml:14: routes\[1\]\.sni\[1\]: route `git` holds for the same hellos/,
  ],
  ...[
    'localhost',
    'proxy.example.com',
    '127.0.0.1',
    '127.1.2.3',
    '[::1]',
    '0.0.0.0',
    '[::]',
    '192.0.2.9',
    '198.51.100.7',
  ].map(
    (host) =>
      [
        `itself as ${host}`,
        good.replace('127.0.0.1:9090', `'${host}:443'`),
        /yaml:19: routes\[1\]\.backends\[0\]: .*this proxy itself/,
      ] as const,
  ),
] as const)('%s is refused', ([, text, message]) => {
  expect(() => read(text)).toThrow(message)
})

test('another port of its own machine is no loop', () => {
  expect(read(good.replace('9090', '444')).routes[1]?.backends).toEqual(['127.0.0.1:444'])
})

test('what is the proxy’s own is told once', () => {
  const wrong = good.replace('name: git', 'name: sallyport')
  expect(() => read(wrong)).toThrow(/^\/etc\/sallyport\/proxy\.yaml:7: [^\n]*$/)
})

test('all that is wrong is told at once', () => {
  expect(() => read(good.replace('name: git', 'name: sallyport').replace('127.0.0.1:9090', 'localhost:443'))).toThrow(
    /yaml:7: .*\n.*yaml:19: /,
  )
})
