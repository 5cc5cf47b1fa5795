import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ConnectReason } from '../../../core/route/connect.ts'
import { parseConnect } from '../../../core/route/connect.ts'
import { parseConnectFields } from '../../../core/route/connect-fields.ts'
import { bytesOf } from '../hello-writer.ts'
import { authorities } from './authorities.ts'

const at = 'a.test:443'
const start = [':method', 'CONNECT', ':authority', at]
const parse = (...more: readonly string[]) => parseConnectFields([...start, ...more])

describe('parseConnectFields reads', () => {
  test.each(authorities)('%s', (authority, host, port) => {
    expect(parseConnectFields([':method', 'CONNECT', ':authority', authority])).toEqual({
      kind: 'value',
      value: { target: { host, port }, proxyAuthorization: undefined, dpop: undefined },
    })
  })

  test('what it needs of the fields, raw, in whatever order', () => {
    const fields = ['dpop', 'x.y.z', 'x-other', 'ü', 'content-length', '0', 'proxy-authorization', 'DPoP a.b.c']
    const value = { target: { host: 'a.test', port: 443 }, proxyAuthorization: 'DPoP a.b.c', dpop: 'x.y.z' }
    expect(parse(...fields)).toEqual({ kind: 'value', value })
    expect(parse('host', 'A.TEST:443', ...fields)).toEqual({ kind: 'value', value })
  })

  test('a field that does not count here, twice', () => {
    expect(parse('x-a', '1', 'x-a', '2').kind).toBe('value')
  })

  test('64 fields, and no more', () => {
    const fields = (count: number) => Array.from({ length: count }, (_, index) => [`x-${index}`, 'y']).flat()
    expect(parse(...fields(62)).kind).toBe('value')
    expect(parse(...fields(63))).toEqual({ kind: 'invalid', why: 'connect_too_many_fields' })
  })
})

const twice = (name: string, value: string) => [name, value, name, value]

test.each<[ConnectReason, string, readonly string[]]>([
  ['connect_request_line', 'a path (RFC 9113 section 8.5)', [...start, ':path', '/']],
  ['connect_request_line', 'a scheme (RFC 9113 section 8.5)', [...start, ':scheme', 'https']],
  ['connect_request_line', 'a protocol, which makes it another thing (RFC 8441)', [...start, ':protocol', 'websocket']],
  ['connect_request_line', 'an answer’s status', [...start, ':status', '200']],
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']
    .map((name) => ['connect_field_malformed', `${name} (section 8.2.2)`, [...start, name, 'x']] as const)
    .map(([why, what, fields]) => [why, what, fields] as [ConnectReason, string, readonly string[]]),
  ['connect_body', 'a body', [...start, 'content-length', '1']],
  ['connect_body', 'a length that is 0 in another spelling', [...start, 'content-length', '00']],
  ['connect_body', 'a length of nothing', [...start, 'content-length', '']],
  ['connect_field_twice', 'two lengths', [...start, ...twice('content-length', '0')]],
  ['connect_field_twice', 'two hosts', [...start, ...twice('host', at)]],
  ['connect_field_twice', 'two credentials', [...start, ...twice('proxy-authorization', 'Basic YTpi')]],
  ['connect_field_twice', 'two proofs', [...start, ...twice('dpop', 'x.y.z')]],
  ['connect_field_twice', 'two methods', [...start, ':method', 'CONNECT']],
  ['connect_field_twice', 'two targets', [...start, ':authority', at]],
  ['connect_target', 'no fields', []],
  ['connect_target', 'no method', [':authority', at]],
  ['connect_target', 'another method', [':method', 'GET', ':authority', at]],
  ['connect_target', 'the method in another case', [':method', 'connect', ':authority', at]],
  ['connect_target', 'no target', [':method', 'CONNECT']],
  ['connect_target', 'no target but a host', [':method', 'CONNECT', 'host', at]],
  ...[
    '',
    'a.test',
    'a.test:',
    ':443',
    'a.test:0',
    'a.test:65536',
    'a.test:0443',
    'u@a.test:443',
    'https://a.test:443',
  ].map((authority): [ConnectReason, string, readonly string[]] => [
    'connect_target',
    `the target ${JSON.stringify(authority)}`,
    [':method', 'CONNECT', ':authority', authority],
  ]),
  ['connect_host_differs', 'another host', [...start, 'host', 'b.test:443']],
  ['connect_host_differs', 'the same host on another port', [...start, 'host', 'a.test:80']],
  ['connect_host_differs', 'a host without its port', [...start, 'host', 'a.test']],
  ['connect_host_differs', 'an empty host', [...start, 'host', '']],
])('%s: %s', (why, _, fields) => {
  expect(parseConnectFields(fields)).toEqual({ kind: 'invalid', why })
})

test('whatever comes, there is an answer', () => {
  const known = [':method', ':authority', ':path', 'host', 'dpop', 'proxy-authorization', 'content-length', 'upgrade']
  const text = fc.oneof(fc.string(), fc.constantFrom(...known, 'CONNECT', at, '0', 'wiki:80'))
  fc.assert(
    fc.property(fc.array(text, { maxLength: 140 }), (fields) => {
      expect(['value', 'invalid']).toContain(parseConnectFields(fields).kind)
    }),
  )
})

test('over either version of HTTP the same is said of the same', () => {
  const target = fc.constantFrom(
    'a.test:443',
    'A.test:443',
    'wiki:80',
    '[::1]:22',
    'a.test',
    'a.test:0',
    'u@a.test:443',
  )
  const field = fc.constantFrom<readonly [string, string]>(
    ...([
      ['host', 'a.test:443'],
      ['host', 'wiki:80'],
      ['host', 'A.TEST:443'],
      ['dpop', 'x.y.z'],
      ['proxy-authorization', 'Basic YTpi'],
      ['content-length', '0'],
      ['content-length', '1'],
      ['x-other', 'y'],
    ] as const),
  )
  fc.assert(
    fc.property(target, fc.array(field, { maxLength: 4 }), (authority, more) => {
      // Over HTTP/1.1 there is a Host, over HTTP/2 there may be.
      const fields: (readonly [string, string])[] = [['host', authority], ...more]
      const lines = fields.map(([name, value]) => `${name}: ${value}`)
      const one = parseConnect(bytesOf(`CONNECT ${authority} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`))
      const two = parseConnectFields([':method', 'CONNECT', ':authority', authority, ...fields.flat()])
      expect(two.kind).toBe(one.kind)
      if (one.kind !== 'value' || two.kind !== 'value') return
      const { version: _, ...same } = one.value
      expect(two.value).toEqual(same)
    }),
  )
})
