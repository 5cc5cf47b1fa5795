import { describe, expect, test } from 'vitest'
import { type AddressClass, classify, mayDial, parseAddress, parseCidr } from '../../../core/route/address.ts'

const address = (text: string) => {
  const parsed = parseAddress(text)
  if (!parsed) throw new Error(text)
  return parsed
}
const ranges = (...texts: readonly string[]) =>
  texts.map((text) => {
    const parsed = parseCidr(text)
    if (!parsed) throw new Error(text)
    return parsed
  })
const hex = (text: string) => Buffer.from(parseAddress(text) ?? []).toString('hex')

describe('parseAddress', () => {
  test.each([
    ['0.0.0.0', '00000000'],
    ['255.10.1.0', 'ff0a0100'],
    ['::', '0'.repeat(32)],
    ['::1', '1'.padStart(32, '0')],
    ['1::', `0001${'0'.repeat(28)}`],
    ['2001:DB8::a:1', '20010db80000000000000000000a0001'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['1::3:4:5:6:7:8', '00010000000300040005000600070008'],
    ['::ffff:10.0.0.1', '00000000000000000000ffff0a000001'],
    ['1:2:3:4:5:6:10.0.0.1', '0001000200030004000500060a000001'],
    ['::10.0.0.1', '0000000000000000000000000a000001'],
  ])('reads %s', (text, bytes) => {
    expect(hex(text)).toBe(bytes)
  })

  test.each([
    '',
    '1',
    '127.1',
    '127.0.1',
    '2130706433',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '00.0.0.0',
    '01.2.3.4',
    '256.0.0.1',
    '1.2.3.4.',
    '1.2.3.4.5',
    ' 1.2.3.4',
    '1.2.3.-4',
    '1.2.3.4/8',
    '1.2.3.٤',
    ':',
    ':::',
    '1:::2',
    '1::2::3',
    ':1::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7:',
    '12345::',
    'g::',
    '::10.0.0.1:1',
    '10.0.0.1::',
    '::10.0.1',
    '1:2:3:4:5:6:7:10.0.0.1',
    'fe80::1%eth0',
    '[::1]',
    '1:2:3:4:5:6:7:1.2.3.4'.repeat(3),
  ])('refuses %j', (text) => {
    expect(parseAddress(text)).toBeUndefined()
  })
})

describe('classify', () => {
  test.each<[AddressClass, string[]]>([
    [
      'public',
      [
        '1.1.1.1',
        '8.8.8.8',
        '100.63.255.255',
        '100.128.0.0',
        '172.15.0.1',
        '172.32.0.1',
        '192.0.1.1',
        '223.255.255.255',
      ],
    ],
    [
      'public',
      ['2606:4700::1111', '2a00::1', '2400::1', '2003::1', '::ffff:8.8.8.8', '64:ff9b::8.8.8.8', '2002:808:808::1'],
    ],
    [
      'loopback',
      ['127.0.0.1', '127.255.255.255', '::1', '::ffff:127.0.0.1', '64:ff9b::7f00:1', '2002:7f00:1::', '::127.0.0.1'],
    ],
    [
      'private',
      ['10.0.0.0', '172.16.0.1', '172.31.255.255', '192.168.0.1', 'fc00::1', 'fdff::1', 'fec0::1', '::ffff:10.1.2.3'],
    ],
    ['link-local', ['169.254.0.1', '169.254.255.255', 'fe80::1', 'febf::1', '2002:a9fe:1::']],
    ['cgnat', ['100.64.0.0', '100.127.255.255', '::ffff:100.64.0.1']],
    ['metadata', ['169.254.169.254', '169.254.170.2', '100.100.100.200', '192.0.0.192', '168.63.129.16']],
    [
      'metadata',
      ['fd00:ec2::254', 'fd20:ce::254', '::ffff:169.254.169.254', '64:ff9b::a9fe:a9fe', '2002:a9fe:a9fe::1'],
    ],
    ['multicast', ['224.0.0.1', '239.255.255.255', 'ff02::1', '::ffff:224.0.0.1']],
    ['documentation', ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1']],
    ['reserved', ['0.0.0.1', '0.255.255.255', '192.0.0.1', '192.88.99.1', '198.18.0.1', '198.19.255.255', '240.0.0.1']],
    [
      'reserved',
      ['255.255.255.255', '2001::1', '2001:1::1', '2001:20::1', '64:ff9b:1::1', '100::1', '5f00::1', '4000::1', '::2'],
    ],
    ['unspecified', ['0.0.0.0', '::', '::ffff:0.0.0.0']],
  ])('%s: %j', (name, texts) => {
    expect(texts.map((text) => [text, classify(address(text))])).toEqual(texts.map((text) => [text, name]))
  })
})

describe('parseCidr', () => {
  test.each([
    '10.0.0.0/8',
    '0.0.0.0/0',
    '::/0',
    '10.1.2.3/32',
    'fd00::/8',
    'fd00::1/128',
    '2001:db8:8000::/33',
    '128.0.0.0/1',
  ])('reads %s', (text) => {
    expect(parseCidr(text)?.bits).toBe(Number(text.split('/')[1]))
  })

  test.each([
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.1/8',
    '10.128.0.0/8',
    '128.0.0.0/0',
    'fd00::/129',
    'fd00::1/127',
    '::ffff:10.0.0.0/104',
    '64:ff9b::/96',
    '2002::/16',
    '10/8',
    '',
  ])('refuses %j', (text) => {
    expect(parseCidr(text)).toBeUndefined()
  })
})

describe('mayDial', () => {
  test('a public address, and no other one', () => {
    expect(mayDial(address('1.1.1.1'), [])).toBe(true)
    for (const text of ['127.0.0.1', '10.0.0.1', '169.254.169.254', '::1', '::', '2001:db8::1', 'ff02::1', '4000::1'])
      expect(mayDial(address(text), []), text).toBe(false)
  })

  test.each([
    ['10.1.2.3', '10.0.0.0/8', true],
    ['172.16.0.1', '10.0.0.0/8', false],
    ['10.1.2.3', '10.1.2.3/32', true],
    ['10.1.2.2', '10.1.2.3/32', false],
    ['10.1.2.3', '10.1.2.2/31', true],
    ['10.127.0.1', '10.128.0.0/9', false],
    ['::ffff:10.1.2.3', '10.0.0.0/8', true],
    ['64:ff9b::10.1.2.3', '10.0.0.0/8', true],
    ['10.1.2.3', '::/0', false],
    ['fd00::1', 'fd00::/8', true],
    ['fd00::1', '0.0.0.0/0', false],
    ['::ffff:10.1.2.3', '::/0', false],
    ['127.0.0.1', '127.0.0.0/8', true],
  ])('%s within %s: %s', (text, range, may) => {
    expect(mayDial(address(text), ranges(range))).toBe(may)
  })

  test('a metadata service must be named alone', () => {
    const metadata = address('169.254.169.254')
    expect(mayDial(metadata, ranges('169.254.0.0/16', '0.0.0.0/0'))).toBe(false)
    expect(mayDial(metadata, ranges('10.0.0.0/8', '169.254.169.254/32'))).toBe(true)
    expect(mayDial(address('fd00:ec2::254'), ranges('fd00::/8'))).toBe(false)
  })
})
