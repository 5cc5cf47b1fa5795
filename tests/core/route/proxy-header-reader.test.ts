/** The header of a balancer, versions 1 and 2: what it says, what it may not be, and that it is the same in any pieces. */
import { describe, expect, test } from 'vitest'
import { crc32c } from '../../../core/lib/crc32c.ts'
import { encodeProxyV2 } from '../../../core/route/proxy-header.ts'
import { type ParsedProxyHeader, ProxyHeaderReader, parseProxyHeader } from '../../../core/route/proxy-header-reader.ts'
import { bytesOf, bytesOfHex, join, pieces } from '../hello-writer.ts'

const signature = '0d0a0d0a000d0a515549540a'
const u16 = (number: number) => bytesOfHex(number.toString(16).padStart(4, '0'))
/** `body`: addresses and values, in hex. */
const v2 = (head: string, body = '') =>
  join(bytesOfHex(`${signature}${head}`), u16(bytesOfHex(body).length), bytesOfHex(body))
const ipv4 = 'c0000207 c6336401 c738 01bb'
const ipv6 = '20010db8000000000000000000000007 20010db8000000000000000000000001 c738 01bb'
const value = (type: number, content: Uint8Array) =>
  Buffer.from(join(Uint8Array.of(type), u16(content.length), content)).toString('hex')

/** With a checksum of it, and another value behind. */
function checked(damage = 0): Uint8Array {
  const header = v2('2111', `${ipv4} ${value(3, new Uint8Array(4))} ${value(0xea, bytesOf('x'))}`)
  const at = header.length - 4 - 4
  new DataView(header.buffer).setUint32(at, crc32c(header) ^ damage)
  return header
}

const at4 = { source: { address: '192.0.2.7', port: 51_000 }, destination: { address: '198.51.100.1', port: 443 } }
const at6 = { source: { address: '2001:db8::7', port: 51_000 }, destination: { address: '2001:db8::1', port: 443 } }

const good: [what: string, header: Uint8Array, value: unknown][] = [
  ['TCP4', bytesOf('PROXY TCP4 192.0.2.7 198.51.100.1 51000 443\r\n'), at4],
  ['TCP6', bytesOf('PROXY TCP6 2001:DB8:0::7 2001:db8::1 51000 443\r\n'), at6],
  ['TCP6 of mapped addresses', bytesOf('PROXY TCP6 ::ffff:192.0.2.7 ::ffff:c633:6401 51000 443\r\n'), at4],
  ['port 0', bytesOf('PROXY TCP4 192.0.2.7 198.51.100.1 0 443\r\n'), { ...at4, source: { ...at4.source, port: 0 } }],
  ['the longest of version 1', bytesOf(`PROXY UNKNOWN ${'f'.repeat(91)}\r\n`), undefined],
  ['UNKNOWN alone', bytesOf('PROXY UNKNOWN\r\n'), undefined],
  ['UNKNOWN with addresses', bytesOf('PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n'), undefined],
  ['IPv4', v2('2111', ipv4), at4],
  ['IPv6', v2('2121', ipv6), at6],
  ['values', v2('2111', `${ipv4} ${value(1, bytesOf('h2'))} ${value(0xea, new Uint8Array())}`), at4],
  ['a checksum', checked(), at4],
  ['what we say ourselves', encodeProxyV2({ ...at6, alpn: 'h2', uniqueId: new Uint8Array(128) }), at6],
  ['4,096 bytes', v2('2111', `${ipv4} ${value(4, new Uint8Array(4_096 - 16 - 12 - 3))}`), at4],
  ['LOCAL', v2('2000'), undefined],
  ['LOCAL with what would be an address', v2('2011', ipv4), undefined],
  ['LOCAL with what would be none', v2('2011', 'ffff'), undefined],
  ['no family', v2('2100'), undefined],
  ['a datagram', v2('2112', ipv4), undefined],
  ['sockets of files', v2('2131', '2f'.repeat(216)), undefined],
  ['a family that nobody knows', v2('21f1', 'ff'), undefined],
]

const bad: [what: string, header: Uint8Array, why: string][] = [
  ['nothing of the kind', bytesOf('GET / HTTP/1.1\r\n'), 'proxy_header_missing'],
  ['a hello', bytesOfHex('160301'), 'proxy_header_missing'],
  ['another word', bytesOf('PROXYTCP4 '), 'proxy_header_missing'],
  ['lower case', bytesOf('proxy TCP4 192.0.2.7 198.51.100.1 1 2\r\n'), 'proxy_header_missing'],
  ['a signature that breaks off', bytesOfHex('0d0a0d0a000d0a515549540b'), 'proxy_header_missing'],
  ['no family', bytesOf('PROXY \r\n'), 'proxy_header_malformed'],
  ['UDP', bytesOf('PROXY UDP4 192.0.2.7 198.51.100.1 1 2\r\n'), 'proxy_header_malformed'],
  ['UNKNOWN and more', bytesOf('PROXY UNKNOWNS\r\n'), 'proxy_header_malformed'],
  ['a bare LF', bytesOf('PROXY TCP4 192.0.2.7 198.51.100.1 1 2\n'), 'proxy_header_malformed'],
  ['a CR within', bytesOf('PROXY UNKNOWN a\rb\r\n'), 'proxy_header_malformed'],
  ['two spaces', bytesOf('PROXY TCP4  192.0.2.7 198.51.100.1 1 2\r\n'), 'proxy_header_malformed'],
  ['a space behind', bytesOf('PROXY TCP4 192.0.2.7 198.51.100.1 1 2 \r\n'), 'proxy_header_malformed'],
  ['one address', bytesOf('PROXY TCP4 192.0.2.7 1 2\r\n'), 'proxy_header_malformed'],
  ['IPv6 where IPv4 is said', bytesOf('PROXY TCP4 ::1 ::1 1 2\r\n'), 'proxy_header_malformed'],
  ['IPv4 where IPv6 is said', bytesOf('PROXY TCP6 192.0.2.7 192.0.2.8 1 2\r\n'), 'proxy_header_malformed'],
  ['IPv6 where only the second is', bytesOf('PROXY TCP4 192.0.2.7 ::1 1 2\r\n'), 'proxy_header_malformed'],
  ['an octal address', bytesOf('PROXY TCP4 192.0.2.07 198.51.100.1 1 2\r\n'), 'proxy_header_malformed'],
  ['a name', bytesOf('PROXY TCP4 a.test 198.51.100.1 1 2\r\n'), 'proxy_header_malformed'],
  ['a port too large', bytesOf('PROXY TCP4 192.0.2.7 198.51.100.1 1 65536\r\n'), 'proxy_header_malformed'],
  ['a port with a zero before', bytesOf('PROXY TCP4 192.0.2.7 198.51.100.1 01 2\r\n'), 'proxy_header_malformed'],
  ['a port that is none', bytesOf('PROXY TCP4 192.0.2.7 198.51.100.1 x 2\r\n'), 'proxy_header_malformed'],
  ['108 bytes', bytesOf(`PROXY UNKNOWN ${'f'.repeat(92)}\r\n`), 'proxy_header_too_large'],
  ['a line without end', bytesOf(`PROXY TCP4 ${'1'.repeat(96)}`), 'proxy_header_too_large'],
  ['version 1 in the form of 2', v2('1111', ipv4), 'proxy_header_version'],
  ['version 3', v2('3111', ipv4), 'proxy_header_version'],
  ['a command that nobody knows', v2('2211', ipv4), 'proxy_header_command'],
  ['4,097 bytes', bytesOfHex(`${signature} 2111 0ff1`), 'proxy_header_too_large'],
  ['addresses too short', v2('2111', ipv4.slice(0, -2)), 'proxy_header_malformed'],
  ['IPv6 too short', v2('2121', ipv4), 'proxy_header_malformed'],
  ['half a value', v2('2111', `${ipv4} 01`), 'proxy_header_malformed'],
  ['a value beyond the end', v2('2111', `${ipv4} 010002 61`), 'proxy_header_malformed'],
  ['a checksum that differs', checked(1), 'proxy_header_checksum'],
  ['a checksum of two bytes', v2('2111', `${ipv4} ${value(3, new Uint8Array(2))}`), 'proxy_header_malformed'],
  ['two checksums', v2('2111', `${ipv4} ${value(3, new Uint8Array(4)).repeat(2)}`), 'proxy_header_malformed'],
]

function read(parts: readonly Uint8Array[]): ParsedProxyHeader {
  const reader = new ProxyHeaderReader()
  for (const part of parts) {
    const parsed = reader.push(part)
    if (parsed.kind !== 'more') return parsed
  }
  return { kind: 'more', atLeast: 0 }
}

describe.each([1, 7, 100_000])('in pieces of %i', (size) => {
  test.for(good)('%s', ([, header, value]) => {
    const parsed = { kind: 'value', value, used: header.length }
    expect(read(pieces(header, size))).toEqual(parsed)
    expect(read(pieces(join(header, bytesOf('PROXY behind')), size))).toEqual(parsed)
  })

  test.for(bad)('%s is refused', ([, header, why]) => {
    expect(read(pieces(header, size))).toEqual({ kind: 'invalid', why })
  })
})

test.for(good)('%s: it is waited for until its last byte, and no longer than that', ([, header]) => {
  for (let length = 0; length < header.length; length++) {
    const parsed = parseProxyHeader(header.subarray(0, length))
    if (parsed.kind !== 'more') throw new Error(`${length}: ${JSON.stringify(parsed)}`)
    expect(parsed.atLeast).toBeGreaterThan(length)
    expect(parsed.atLeast).toBeLessThanOrEqual(header.length)
  }
})

test('CRC-32C, as RFC 3720 appendix B.4 shows it', () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43)
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, at) => at))).toBe(0x46dd794e)
})
