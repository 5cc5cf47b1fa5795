/** `listen` and `listeners` of proxy.yaml: what they say, and what is refused in them by name and line. */
import { expect, test } from 'vitest'
import { parseCidr } from '../../core/route/address.ts'
import { readConfigFile } from '../../proxy/config-file.ts'

const good = `version: v2
proxy_listener_mode: multiplex
edge: { url: https://edge.example.com, keys: [${'A'.repeat(43)}] }
listen:
  hosts: [0.0.0.0]
  port: 443
  proxy_protocol: require
  trusted: [10.0.0.0/24, 192.0.2.9, '2001:DB8::/32']
  on_silence:
    after: 1s
    route: db
names: [proxy.example.com]
home: home
admin_port: 3444
listeners:
  - name: mysql
    hosts: [127.0.0.1, '0:0::1']
    port: 3306
    protocol: mysql
    route: db
  - name: ssh
    port: 2222
    protocol: ssh
    proxy_protocol: off
    on_silence: { after: 2s, route: bastion }
routes:
  - name: db
    protocol: mysql
    backends: [10.0.0.5:3306]
  - name: bastion
    protocol: ssh
    backends: [10.0.0.6:22]
  - name: web
    protocol: tls
    sni: [web.example.com]
    tls: passthrough
    backends: [10.0.0.7:443]
`
const read = (text: string) => readConfigFile('/etc/proxy.yaml', text)

test('a whole file', () => {
  const { port, hosts, listeners, routes } = read(good)
  expect({ port, hosts }).toEqual({ port: 443, hosts: ['0.0.0.0'] })
  expect(listeners).toEqual([
    {
      name: 'listen',
      hosts: ['0.0.0.0'],
      port: 443,
      proxyProtocol: { trusted: ['10.0.0.0/24', '192.0.2.9/32', '2001:db8::/32'].map(parseCidr) },
      protocol: undefined,
      route: undefined,
      onSilence: { afterMs: 1000, route: 'db' },
    },
    {
      name: 'mysql',
      hosts: ['127.0.0.1', '::1'],
      port: 3306,
      proxyProtocol: undefined,
      protocol: 'mysql',
      route: 'db',
      onSilence: undefined,
    },
    {
      name: 'ssh',
      hosts: ['127.0.0.1', '::1'],
      port: 2222,
      proxyProtocol: undefined,
      protocol: 'ssh',
      route: undefined,
      onSilence: { afterMs: 2000, route: 'bastion' },
    },
  ])
  expect(routes.map(({ name, protocol }) => [name, protocol])).toEqual([
    ['db', 'mysql'],
    ['bastion', 'ssh'],
    ['web', undefined],
  ])
})

test('a file as it was before: one port, and all that this proxy speaks', () => {
  const { listeners } = read(
    good.slice(0, good.indexOf('  proxy_protocol')) + good.slice(good.indexOf('names'), good.indexOf('listeners')),
  )
  expect(listeners).toMatchObject([{ name: 'listen', port: 443, proxyProtocol: undefined, onSilence: undefined }])
})

const swapped = (from: string | RegExp, to: string) => {
  const text = good.replace(from, to)
  if (text === good) throw new Error(`nothing was changed by ${from}`)
  return text
}
/** At the line where a text stands. */
const lineOf = (text: string, part: string) => text.slice(0, text.indexOf(part)).split('\n').length

test.for<[what: string, text: string, part: string, message: string]>([
  [
    'another mode',
    swapped('multiplex', 'separate'),
    'proxy_listener_mode',
    '`separate` is not supported: expected multiplex, and `listeners`',
  ],
  ['a mode that is none', swapped('multiplex', 'x'), 'proxy_listener_mode', '`x`: expected multiplex'],
  ['another version', swapped('v2', 'v3'), 'version', '`v3`'],
  [
    'a field that is none',
    swapped('trusted:', 'trust:'),
    'trust:',
    'listen has no field `trust`: did you mean `trusted`?',
  ],
  [
    'a header and nobody who is believed',
    swapped(/ {2}trusted.*\n/, ''),
    'listen:',
    'trusted: missing: expected the addresses',
  ],
  ['nobody in a list', swapped(/trusted: .*\n/, 'trusted: []\n'), 'trusted', 'a list of addresses and ranges'],
  ['everybody', swapped('10.0.0.0/24', '0.0.0.0/0'), 'trusted', 'anybody could say to be anybody'],
  ['a range with bits behind', swapped('10.0.0.0/24', '10.0.0.1/24'), 'trusted', 'expected an address or a range'],
  ['a name in its place', swapped('192.0.2.9', 'lb.example.com'), 'trusted', 'expected an address or a range'],
  [
    'who is believed where no header comes',
    swapped('proxy_protocol: require', 'proxy_protocol: off'),
    'trusted',
    'says nothing without',
  ],
  [
    'a way that is none',
    swapped('proxy_protocol: require', 'proxy_protocol: optional'),
    'proxy_protocol',
    'expected off or require',
  ],
  ['a silence too short', swapped('after: 1s', 'after: 0s'), 'after: 0s', 'expected a duration from 1s to 5s'],
  ['a silence too long', swapped('after: 1s', 'after: 6s'), 'after: 6s', 'expected a duration from 1s to 5s'],
  ['a silence without a route', swapped('    route: db\nnames', 'names'), 'on_silence', 'missing: expected text'],
  ['a silence for no route', swapped('route: db\nnames', 'route: x\nnames'), 'route: x', 'no route is named `x`'],
  [
    'a silence for a route of TLS',
    swapped('route: db\nnames', 'route: web\nnames'),
    'route: web',
    '`web` is a route of TLS',
  ],
  [
    'a silence where nobody waits',
    swapped('protocol: ssh\n    proxy', 'protocol: tls\n    proxy'),
    'on_silence: { after: 2s',
    'nobody is waited for where the protocol is tls',
  ],
  [
    'a protocol that is none',
    swapped('protocol: mysql\n    route', 'protocol: mysqll\n    route'),
    'protocol: mysqll',
    'did you mean `mysql`?',
  ],
  [
    'mysql without a route',
    swapped('    protocol: mysql\n    route: db\n', '    protocol: mysql\n'),
    '- name: mysql',
    'missing: expected the route that takes what comes for mysql',
  ],
  [
    'a route where bytes decide',
    swapped('    proxy_protocol: off\n', '    route: bastion\n'),
    'route: bastion',
    'is for listeners of mysql and tcp',
  ],
  [
    'a route of TLS for mysql',
    swapped('protocol: mysql\n    route: db', 'protocol: mysql\n    route: web'),
    'route: web',
    '`web` is a route of TLS',
  ],
  [
    'a name twice',
    swapped('name: ssh', 'name: mysql'),
    '- name: mysql\n    port: 2222',
    'another listener is named `mysql`',
  ],
  [
    'the name of the first',
    swapped('name: ssh', 'name: listen'),
    '- name: listen',
    'another listener is named `listen`',
  ],
  ['a name with a space', swapped('name: ssh', 'name: a b'), '- name: a b', 'expected 1 to 63 letters'],
  ['no name', swapped('- name: ssh\n    port', '- port'), '- port', 'name: missing'],
  [
    'a port twice',
    swapped('port: 2222', 'port: 3306'),
    'port: 3306\n    protocol: ssh',
    'another listener has port 3306 of this address',
  ],
  [
    'a port that all addresses have',
    swapped('port: 2222', 'port: 443'),
    'port: 443\n    protocol',
    'another listener has port 443',
  ],
  ['the port of metrics', swapped('port: 2222', 'port: 3444'), 'port: 3444\n    protocol', '3444 is admin_port'],
  ['a port that is none', swapped('port: 2222', 'port: 0'), 'port: 0', 'expected a port from 1 to 65535'],
  ['a host that is none', swapped("'0:0::1'", 'x'), 'hosts: [127.0.0.1, x', 'expected an address of this machine'],
  [
    'a server name without TLS',
    swapped('protocol: ssh\n    backends', 'protocol: ssh\n    sni: [a.b]\n    backends'),
    'sni: [a.b]',
    'is for routes of TLS, and the protocol of this one is ssh',
  ],
  [
    '`tls` without TLS',
    swapped('protocol: ssh\n    backends', 'protocol: ssh\n    tls: terminate\n    backends'),
    'tls: terminate',
    'is for routes of TLS',
  ],
  [
    'no `tls` with TLS',
    swapped('    tls: passthrough\n', ''),
    '- name: web',
    'tls: missing: expected passthrough or terminate',
  ],
  [
    'two routes of SSH',
    swapped('  - name: web', '  - { name: ssh-2, protocol: ssh, backends: [10.0.0.8:22] }\n  - name: web'),
    '- { name: ssh-2',
    'route `bastion` has it',
  ],
  [
    'a route that nothing leads to',
    swapped('  - name: web', '  - { name: db-2, protocol: tcp, backends: [10.0.0.8:22] }\n  - name: web'),
    '- { name: db-2',
    'nothing leads to it',
  ],
  [
    'a backend that is another port of this proxy',
    swapped('10.0.0.7:443', '127.0.0.1:2222'),
    'backends: [127.0.0.1:2222]',
    'is this proxy itself',
  ],
  [
    'a mistake behind routes without TLS',
    swapped('[web.example.com]', '[WEB.example.com]'),
    'sni: [WEB',
    'expected a host name in lower case',
  ],
])('%s', ([, text, part, message]) => {
  const line = lineOf(text, part)
  expect(() => read(text)).toThrow(
    new RegExp(`(?:^|\\n)/etc/proxy\\.yaml:${line}: .*${message.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`),
  )
})
