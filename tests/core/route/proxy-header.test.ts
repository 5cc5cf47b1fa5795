/** What is said in front of a client's first byte, against bytes written by hand from the specification. */
import { describe, expect, test } from 'vitest'
import { encodeProxyV2 } from '../../../core/route/proxy-header.ts'
import { bytesOfHex } from '../hello-writer.ts'

const signature = '0d0a0d0a000d0a515549540a'
const v4 = { address: '192.0.2.7', port: 51_000 }
const v6 = { address: '2001:db8::7', port: 51_000 }

describe('encodeProxyV2', () => {
  test('IPv4, and nothing more', () => {
    const header = encodeProxyV2({ source: v4, destination: { address: '198.51.100.1', port: 443 } })
    expect(header).toEqual(bytesOfHex(`${signature} 21 11 000c c0000207 c6336401 c738 01bb`.replaceAll(' ', '')))
  })

  test('IPv6, with protocol, server name and number', () => {
    const header = encodeProxyV2({
      source: v6,
      destination: { address: '2001:db8::1', port: 443 },
      alpn: 'h2',
      authority: 'a.test',
      uniqueId: Uint8Array.of(1, 2, 3),
    })
    const addresses = '20010db8000000000000000000000007 20010db8000000000000000000000001 c738 01bb'
    const values = '01 0002 6832  02 0006 612e74657374  05 0003 010203'
    expect(header).toEqual(bytesOfHex(`${signature} 21 21 0038 ${addresses} ${values}`.replaceAll(' ', '')))
  })

  test('IPv4 as Node says it on a listener of both families is IPv4', () => {
    const mapped = {
      source: { ...v4, address: '::ffff:192.0.2.7' },
      destination: { ...v4, address: '::ffff:192.0.2.8' },
    }
    expect(encodeProxyV2(mapped)).toEqual(encodeProxyV2({ source: v4, destination: { ...v4, address: '192.0.2.8' } }))
  })

  test('of two families IPv4 stands in IPv6, and a zone is left out', () => {
    const header = encodeProxyV2({ source: v4, destination: { address: 'fe80::1%eth0', port: 1 } })
    expect(header[13]).toBe(0x21)
    expect(Buffer.from(header.subarray(16, 48)).toString('hex')).toBe(
      '00000000000000000000ffffc0000207fe800000000000000000000000000001',
    )
  })

  test('what cannot stand in it is a mistake of whoever calls', () => {
    const good = { source: v4, destination: v4 }
    expect(() => encodeProxyV2({ ...good, source: { address: 'a.test', port: 1 } })).toThrow(RangeError)
    expect(() => encodeProxyV2({ ...good, uniqueId: new Uint8Array(129) })).toThrow(RangeError)
    expect(() => encodeProxyV2({ ...good, authority: 'a'.repeat(256) })).toThrow(RangeError)
    expect(() => encodeProxyV2({ ...good, alpn: 'a'.repeat(256) })).toThrow(RangeError)
  })
})
