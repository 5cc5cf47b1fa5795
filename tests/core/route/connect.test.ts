import { describe, expect, test } from 'vitest'
import { type ConnectReason, connectReader, parseConnect } from '../../../core/route/connect.ts'
import { bytesOf } from '../hello-writer.ts'
import { authorities } from './authorities.ts'

const headOf = (...lines: readonly string[]) => `${lines.join('\r\n')}\r\n\r\n`
const request = (target: string, ...fields: readonly string[]) =>
  headOf(`CONNECT ${target} HTTP/1.1`, `Host: ${target}`, ...fields)
const parse = (head: string) => parseConnect(bytesOf(head))

describe('parseConnect reads', () => {
  test.each(authorities)('%s', (target, host, port) => {
    expect(parse(request(target))).toMatchObject({ kind: 'value', value: { target: { host, port }, version: '1.1' } })
  })

  test('what it needs of the fields, raw', () => {
    const head = request(
      'a.test:443',
      'proxy-authorization:\t DPoP a.b.c ',
      'DPoP: x.y.z',
      'User-Agent: ü',
      'Content-Length: 0',
    )
    expect(parse(head)).toEqual({
      kind: 'value',
      value: { target: { host: 'a.test', port: 443 }, version: '1.1', proxyAuthorization: 'DPoP a.b.c', dpop: 'x.y.z' },
      used: head.length,
    })
  })

  test('no byte behind the head', () => {
    const head = request('a.test:443')
    expect(parse(`${head}\x16\x03\0\n`)).toMatchObject({ kind: 'value', used: head.length })
  })

  test('HTTP/1.0, which needs no Host', () => {
    expect(parse(headOf('CONNECT a.test:443 HTTP/1.0'))).toMatchObject({ value: { version: '1.0' } })
  })

  test('a Host in another case', () => {
    expect(parse(headOf('CONNECT a.test:443 HTTP/1.1', 'HOST: A.TEST:443')).kind).toBe('value')
  })

  test('64 fields, lines of 8,192 bytes and heads of 16 KiB, and nothing larger', () => {
    const fields = (count: number) => Array.from({ length: count }, (_, at) => `x-${at}: y`)
    expect(parse(request('a.test:443', ...fields(63))).kind).toBe('value')
    expect(parse(request('a.test:443', ...fields(64)))).toMatchObject({ why: 'connect_too_many_fields' })
    expect(parse(request('a.test:443', `x: ${'y'.repeat(8_189)}`)).kind).toBe('value')
    expect(parse(request('a.test:443', `x: ${'y'.repeat(8_190)}`))).toMatchObject({ why: 'connect_line_too_long' })
    const long = `x: ${'y'.repeat(8_000)}`
    const sized = (length: number) => request('a.test:443', long, `z: ${'y'.repeat(8_000)}`, `a: ${'b'.repeat(length)}`)
    const rest = 16_384 - sized(0).length
    expect(parse(sized(rest))).toMatchObject({ kind: 'value', used: 16_384 })
    expect(parse(sized(rest + 1))).toMatchObject({ why: 'connect_head_too_large' })
  })

  test('the same head byte by byte', () => {
    const head = bytesOf(request('a.test:443', 'DPoP: x'))
    const reader = connectReader()
    for (let at = 0; at < head.length - 1; at++)
      expect(reader.push(head.subarray(at, at + 1))).toEqual({ kind: 'more', atLeast: at + 2 })
    expect(reader.push(head.subarray(-1))).toEqual(parseConnect(head))
  })
})

const host = 'Host: a.test:443'
const line = 'CONNECT a.test:443 HTTP/1.1'

describe('parseConnect refuses', () => {
  test.each<[ConnectReason, string, string]>([
    ['connect_request_line', 'another verb', headOf('GET / HTTP/1.1', host)],
    ['connect_request_line', 'a verb in lower case', headOf('connect a.test:443 HTTP/1.1', host)],
    ['connect_request_line', 'two spaces', headOf('CONNECT  a.test:443 HTTP/1.1', host)],
    ['connect_request_line', 'a space at the end', headOf(`${line} `, host)],
    ['connect_request_line', 'a tab', headOf('CONNECT\ta.test:443 HTTP/1.1', host)],
    ['connect_request_line', 'no version', headOf('CONNECT a.test:443', host)],
    ['connect_request_line', 'NUL in the target', headOf('CONNECT a\0.test:443 HTTP/1.1', host)],
    ['connect_request_line', 'an empty line first', `\r\n${headOf(line, host)}`],
    ['connect_version', 'HTTP/2.0', headOf('CONNECT a.test:443 HTTP/2.0', host)],
    ['connect_version', 'HTTP/0.9', headOf('CONNECT a.test:443 HTTP/0.9', host)],
    ...[
      'a.test',
      'a.test:',
      ':443',
      'a.test:0',
      'a.test:65536',
      'a.test:0443',
      'a.test:+443',
      'a.test:443:443',
      'u@a.test:443',
      'u:p@a.test:443',
      'http://a.test:443',
      'a.test:443/',
      'a.test:443?x',
      '/a.test:443',
      '*',
      '::1:443',
      '[::1]',
      '[::1',
      '[fe80::1%25eth0]:443',
      '127.1:443',
      '0x7f.0.0.1:443',
      '2130706433:443',
      '0177.0.0.1:443',
      'a..test:443',
      'b%75cher.test:443',
    ].map((target): [ConnectReason, string, string] => ['connect_target', target, request(target)]),
    ['connect_host_missing', 'no Host', headOf(line)],
    ['connect_host_differs', 'another host', headOf(line, 'Host: b.test:443')],
    ['connect_host_differs', 'another port', headOf(line, 'Host: a.test:80')],
    ['connect_host_differs', 'a Host without its port', headOf(line, 'Host: a.test')],
    ['connect_host_differs', 'an empty Host', headOf(line, 'Host:')],
    ['connect_host_differs', 'another host under 1.0', headOf('CONNECT a.test:443 HTTP/1.0', 'Host: b.test:443')],
    ['connect_field_twice', 'Host', headOf(line, host, 'hOST: a.test:443')],
    [
      'connect_field_twice',
      'Proxy-Authorization',
      request('a.test:443', 'Proxy-Authorization: a', 'proxy-authorization: a'),
    ],
    ['connect_field_twice', 'DPoP', request('a.test:443', 'DPoP: a', 'DPoP: b')],
    ['connect_field_twice', 'Content-Length', request('a.test:443', 'Content-Length: 0', 'Content-Length: 0')],
    ['connect_body', 'a length', request('a.test:443', 'Content-Length: 1')],
    ['connect_body', 'a length with a sign', request('a.test:443', 'Content-Length: +0')],
    ['connect_body', 'a list of lengths', request('a.test:443', 'Content-Length: 0, 0')],
    ['connect_body', 'chunks', request('a.test:443', 'Transfer-Encoding: chunked')],
    ['connect_body', 'an empty encoding', request('a.test:443', 'transfer-encoding:')],
    ['connect_field_malformed', 'a folded line', request('a.test:443', 'x: y', ' z: 1')],
    ['connect_field_malformed', 'a folded line with a tab', request('a.test:443', '\tx')],
    ['connect_field_malformed', 'a space before the colon', request('a.test:443', 'DPoP : x')],
    ['connect_field_malformed', 'no colon', request('a.test:443', 'DPoP')],
    ['connect_field_malformed', 'no name', request('a.test:443', ': x')],
    ['connect_field_malformed', 'NUL', request('a.test:443', 'x: a\0b')],
    ['connect_field_malformed', 'DEL', request('a.test:443', 'x: a\x7fb')],
    ['connect_field_malformed', 'a byte beyond ASCII in a name', request('a.test:443', 'ü: x')],
    ['connect_line_ending', 'a bare LF', `${line}\n${host}\n\n`],
    ['connect_line_ending', 'a bare LF in a field', request('a.test:443', 'x: y\nProxy-Authorization: z')],
    ['connect_line_ending', 'a bare CR', request('a.test:443', 'x: y\rz')],
    ['connect_line_ending', 'two CR', `${line}\r\r\n${host}\r\n\r\n`],
    ['connect_line_ending', 'a bare LF as the end', `${line}\r\n${host}\r\n\n`],
    ['connect_line_too_long', 'a first line without an end', 'CONNECT '.padEnd(20_000, 'a')],
  ])('%s: %s', (why, _, head) => {
    expect(parse(head)).toEqual({ kind: 'invalid', why })
  })
})
