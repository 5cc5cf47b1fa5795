import { describe, expect, test } from 'vitest'
import { sniff, type Wire } from '../../../core/route/sniff.ts'
import { bytesOf, bytesOfHex } from '../hello-writer.ts'
import { helloVectors } from '../vectors.ts'

/** The bytes that it takes to be sure. */
const known: [Wire, string, Uint8Array][] = [
  ['tls', 'a record of 3.1', bytesOfHex('16 03')],
  ['sslv2', 'version 0.2', bytesOfHex('80 2e 01 00')],
  ['sslv2', 'version 3.1', bytesOfHex('80 2e 01 03')],
  ['connect', 'CONNECT', bytesOf('CONNECT ')],
  ...['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH', 'PRI'].map(
    (verb): [Wire, string, Uint8Array] => ['http', verb, bytesOf(`${verb} `)],
  ),
  ['ssh', 'a banner', bytesOf('SSH-')],
  ['proxy-v1', 'a line', bytesOf('PROXY ')],
  ['proxy-v2', 'a signature', bytesOfHex('0d0a0d0a000d0a515549540a')],
  ['postgres-ssl', 'SSLRequest', bytesOfHex('00000008 04d2162f')],
  ['postgres-gssenc', 'GSSENCRequest', bytesOfHex('00000008 04d21630')],
  ['postgres-cancel', 'CancelRequest', bytesOfHex('00000010 04d2162e')],
  ['postgres-cancel', 'CancelRequest of 3.2', bytesOfHex('0000010c 04d2162e')],
  ['postgres-startup', 'StartupMessage', bytesOfHex('00000054 0003')],
]

describe('sniff', () => {
  test.each(known)('%s: %s', (wire, _, bytes) => {
    expect(sniff(bytes)).toEqual({ kind: 'match', wire })
    for (let length = 0; length < bytes.length; length++)
      expect(sniff(bytes.subarray(0, length))).toEqual({ kind: 'more', atLeast: length + 1 })
  })

  test.each([
    'SSH_',
    'SSH\r',
    'get / HTTP/1.1',
    'GETS /',
    'CONNECTION',
    'PROXIES',
    'PROXY\t',
    '\x15\x03\x01',
    '\x16\x02',
    '\r\n\r\n\0\r\nQUITx',
    '\x03\0\0\x13\x0e\xe0',
    '\0\0\0\x09\x04\xd2\x16\x2f',
    '\0\0\0\x08\x04\xd2\x16\x31',
    '\0\0\x40',
    '\0\x01',
    '\0\0\0\x54\0\x02',
    '\x80\x2e\x02',
    '\xffSMB',
    '*1\r\n$4\r\nPING\r\n',
  ])('knows no %j, at its first wrong byte', (text) => {
    const bytes = bytesOf(text)
    expect(sniff(bytes)).toEqual({ kind: 'no' })
    expect(sniff(bytes.subarray(0, 0)).kind).toBe('more')
  })

  test('knows every hello at hand for TLS', () => {
    for (const { hex } of helloVectors()) expect(sniff(bytesOfHex(hex))).toEqual({ kind: 'match', wire: 'tls' })
  })
})
