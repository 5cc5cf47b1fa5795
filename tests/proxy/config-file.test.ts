/** proxy.yaml: what it says, and what is refused in it by name and line. */
import { expect, test } from 'vitest'
import { readConfigFile } from '../../proxy/config-file.ts'

const x = 'A'.repeat(43)
const good = `version: v1
edge:
  url: https://edge.example.com
  keys: [${x}]
listen: { hosts: [0.0.0.0], port: 443 }
names: [Proxy.example.com, 192.0.2.1]
cert: cert.pem
key: key.pem
home: /var/lib/sallyport
max_stale: 2m
admin_port: 3444
`

test('a whole file', () => {
  const read = readConfigFile('/etc/sallyport/proxy.yaml', good)
  expect(read).toMatchObject({
    port: 443,
    hosts: ['0.0.0.0'],
    names: { dns: ['proxy.example.com', 'localhost'], addresses: ['127.0.0.1', '::1', '192.0.2.1'] },
    home: '/var/lib/sallyport',
    certificate: { certificate: '/etc/sallyport/cert.pem', key: '/etc/sallyport/key.pem' },
    trust: { keys: [{ x }], maxStale: 120_000, maxOffline: 3_600_000 },
    adminPort: 3444,
  })
  expect(read.publicUrl.origin).toBe('https://edge.example.com')
})

test('how long what is open may go on after the signal to stop', () => {
  const of = (more: string) => readConfigFile('/etc/proxy.yaml', good + more).drain
  expect(of('')).toBe(300_000)
  expect(of('drain: 25s\n')).toBe(25_000)
})

test('how long it is good for: what is left out is never the shorter one', () => {
  const of = (more: string) =>
    readConfigFile('/etc/proxy.yaml', good.replace('max_stale: 2m\nadmin_port: 3444', more)).trust
  expect(of('admin_port: 1').maxStale).toBe(300_000)
  expect(of('max_stale: 2h')).toMatchObject({ maxStale: 7_200_000, maxOffline: 7_200_000 })
  expect(of('max_stale: 2m\nmax_offline: 2m')).toMatchObject({ maxStale: 120_000, maxOffline: 120_000 })
})

test.for([
  ['an age that is none', good.replace('2m', '0s'), /proxy\.yaml:10: max_stale: .*a duration up to 24h/],
  ['offline before stale', `${good}max_offline: 1m\n`, /proxy\.yaml:12: max_offline: shorter than max_stale/],
  [
    'offline before stale as it is by default',
    good.replace('max_stale: 2m', 'max_offline: 4m'),
    /max_offline: shorter/,
  ],
  ['a drain without end', `${good}drain: forever\n`, /proxy\.yaml:12: drain: `forever`: expected a duration up to 24h/],
  ['an unknown field', good.replace('max_stale', 'max_stail'), /proxy\.yaml:10: max_stail: .*did you mean `max_stale`/],
  ['plain http to elsewhere', good.replace('https://edge', 'http://edge'), /proxy\.yaml:3: edge\.url: .*use https/],
  ['no key', good.replace(x, ''), /proxy\.yaml:4: edge\.keys/],
  ['a key that is none', good.replace(x, 'short'), /proxy\.yaml:4: edge\.keys\[0\]: .*43 characters/],
  ['a port that is none', good.replace('443', '70000'), /proxy\.yaml:5: listen\.port: 70000/],
  ['a host name to listen at', good.replace('0.0.0.0', 'example.com'), /proxy\.yaml:5: listen\.hosts\[0\]/],
  ['cert without key', good.replace('key: key.pem\n', ''), /proxy\.yaml:1: cert and key belong together/],
  ['another version', good.replace('v1', 'v2'), /proxy\.yaml:1: version/],
  ['a second document', `${good}---\nversion: v1\n`, /a second document/],
  ['nothing', '', /nothing stands in it/],
  ['no YAML', 'a: [', /proxy\.yaml:1: /],
] as const)('%s is refused', ([, text, message]) => {
  expect(() => readConfigFile('/etc/proxy.yaml', text)).toThrow(message)
})
