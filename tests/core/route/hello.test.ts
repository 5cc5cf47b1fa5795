/** Every form a ClientHello may have, and every one that is refused, each with its own reason. */
import { describe, expect, test } from 'vitest'
import { type HelloReason, helloReader, parseHello } from '../../../core/route/hello.ts'
import {
  alpn,
  bytesOf,
  bytesOfHex,
  type Extension,
  ech,
  join,
  keyShares,
  message,
  messageIn,
  messageOf,
  messageStart,
  padding,
  pieces,
  record,
  records,
  sni,
  versions,
  withExtension,
} from '../hello-writer.ts'
import { helloVectors } from '../vectors.ts'

const larger = { maxHelloBytes: 65_536, maxHelloRecords: 64 }
const hex4 = (number: number) => number.toString(16).padStart(4, '0')
const wireOf = (...extensions: readonly Extension[]) => records(message(...extensions))
const helloOf = (wire: Uint8Array, limits = larger) => {
  const parsed = parseHello(wire, limits)
  if (parsed.kind !== 'value') throw new Error(JSON.stringify(parsed))
  return parsed.value
}

describe('parseHello reads what another reader read', () => {
  const vectors = helloVectors()

  test('of 83 hellos', () => {
    expect(vectors).toHaveLength(83)
  })

  test.each(vectors.filter(({ sni: name }) => name !== ''))('$sni $alpn $wire', (vector) => {
    const hello = helloOf(bytesOfHex(vector.hex))
    expect({
      ...hello,
      versions: hello.versions.map(hex4),
      keyShares: hello.keyShares.map(({ group, bytes }) => [hex4(group), bytes]),
    }).toEqual({
      // An address is no name.
      sni: vector.sni === null || vector.sni === '127.0.0.1' ? undefined : vector.sni,
      alpn: vector.alpn ?? [],
      versions: vector.versions ?? [],
      keyShares: vector.keyShares ?? [],
      ech: vector.ech,
      psk: vector.psk,
      earlyData: vector.earlyData,
      records: vector.records,
      bytes: vector.wire,
    })
  })

  test('and refuses the one whose name is empty', () => {
    const [vector] = vectors.filter(({ sni: name }) => name === '')
    expect(parseHello(bytesOfHex(vector?.hex ?? ''))).toEqual({ kind: 'invalid', why: 'sni_empty' })
  })
})

describe('the server name', () => {
  test.each([
    ['a.test', 'a.test'],
    ['A.TEST', 'a.test'],
    ['a.test.', 'a.test'],
    ['UPPER.Example.', 'upper.example'],
    ['_srv.a_b.test', '_srv.a_b.test'],
    ['xn--bcher-kva.test', 'xn--bcher-kva.test'],
    ['localhost', 'localhost'],
    [`${'a'.repeat(63)}.test`, `${'a'.repeat(63)}.test`],
    [`${'abcdefghi.'.repeat(25)}com`, `${'abcdefghi.'.repeat(25)}com`],
    [`${'abcdefghi.'.repeat(25)}com.`, `${'abcdefghi.'.repeat(25)}com`],
  ])('%j is routed as %j', (name, routed) => {
    expect(helloOf(wireOf(sni(name))).sni).toBe(routed)
  })

  test.each(['127.0.0.1', '10.0.0.1.', '::1', '[::1]', '::ffff:10.0.0.1', '2001:DB8::7'])('%s is none', (name) => {
    expect(helloOf(wireOf(sni(name), alpn('h2')))).toMatchObject({ sni: undefined, alpn: ['h2'] })
  })

  test.each<[HelloReason, string, string]>([
    ['sni_malformed', 'two trailing dots', 'a.test..'],
    ['sni_malformed', 'an empty label', 'a..test'],
    ['sni_malformed', 'a leading dot', '.a.test'],
    ['sni_malformed', 'only a dot', '.'],
    ['sni_malformed', 'NUL', 'a.test\0.evil'],
    ['sni_malformed', 'a control character', 'a\n.test'],
    ['sni_malformed', 'a space', 'a .test'],
    ['sni_malformed', 'a byte beyond ASCII', 'b\xfccher.test'],
    ['sni_malformed', 'a wildcard', '*.test'],
    ['sni_malformed', 'a port', 'a.test:443'],
    ['sni_malformed', 'a zone', 'fe80::1%eth0'],
    ['sni_malformed', 'a label of 64', `${'a'.repeat(64)}.test`],
    ['sni_malformed', 'a name of 254', `${'abcdefghi.'.repeat(25)}comm`],
    ['sni_too_long', 'a name of 256', 'a'.repeat(256)],
    ['sni_too_long', 'a name of 9,000', 'a.'.repeat(4_500)],
    ['sni_empty', 'no byte', ''],
  ])('%s: %s', (why, _, name) => {
    expect(parseHello(wireOf(sni(name)))).toEqual({ kind: 'invalid', why })
  })

  test.each<[HelloReason, string, Extension]>([
    ['sni_twice', 'two names', sni('a.test', 'b.test')],
    ['sni_twice', 'the same name twice', sni('a.test', 'a.test')],
    ['sni_malformed', 'an empty list', [0, bytesOfHex('0000')]],
    ['sni_malformed', 'no list', [0, new Uint8Array()]],
    ['sni_malformed', 'a name of another type', [0, bytesOfHex('0004 01 0001 61')]],
    ['sni_malformed', 'a list that is longer than the extension', [0, bytesOfHex('0009 00 0001 61')]],
    ['sni_malformed', 'a list that is shorter than the extension', [0, bytesOfHex('0004 00 0001 61 00')]],
    ['sni_malformed', 'a name that is longer than its list', [0, bytesOfHex('0004 00 0002 61 62')]],
  ])('%s: %s', (why, _, extension) => {
    expect(parseHello(wireOf(extension))).toEqual({ kind: 'invalid', why })
  })
})

describe('the other extensions', () => {
  test('ALPN keeps the client’s order; what is not printable is hex, as GREASE is', () => {
    expect(helloOf(wireOf(alpn('\x0a\x0a', 'h2', 'http/1.1', 'a,b', 'a b'))).alpn).toEqual([
      '0a0a',
      'h2',
      'http/1.1',
      'a,b',
      '612062',
    ])
  })

  test('64 names of ALPN are read, and no more', () => {
    const names = Array.from({ length: 65 }, (_, at) => `p${at}`)
    expect(helloOf(wireOf(alpn(...names.slice(0, 64)))).alpn).toHaveLength(64)
    expect(parseHello(wireOf(alpn(...names)))).toEqual({ kind: 'invalid', why: 'alpn_too_many' })
  })

  test('GREASE is passed over', () => {
    const wire = wireOf([0x0a0a, new Uint8Array()], sni('a.test'), versions(0x7a7a, 0x0304), [0xdada, bytesOf('x')])
    expect(helloOf(wire)).toMatchObject({ sni: 'a.test', versions: [0x7a7a, 0x0304] })
  })

  test('a key share that is post-quantum', () => {
    expect(helloOf(wireOf(keyShares([0x11ec, 1216], [29, 32]))).keyShares).toEqual([
      { group: 0x11ec, bytes: 1216 },
      { group: 29, bytes: 32 },
    ])
  })

  test('no key share at all asks for a group', () => {
    expect(helloOf(wireOf(keyShares())).keyShares).toEqual([])
  })

  test('resumption and early data are told', () => {
    expect(helloOf(wireOf([42, new Uint8Array()], [41, bytesOf('ticket')]))).toMatchObject({
      psk: true,
      earlyData: true,
    })
  })

  test('ECH is told, and the outer name is routed', () => {
    expect(helloOf(wireOf(sni('public.test'), ech()))).toMatchObject({ sni: 'public.test', ech: true })
  })

  test.each<[string, Extension]>([
    ['the inner form', [0xfe0d, Uint8Array.of(1)]],
    ['nothing', [0xfe0d, new Uint8Array()]],
    ['no payload', ech(0)],
    ['a byte too many', [0xfe0d, join(ech()[1], Uint8Array.of(0))]],
    ['the old ESNI', [0xffce, ech()[1]]],
  ])('%s is no ECH', (_, extension) => {
    expect(helloOf(wireOf(extension)).ech).toBe(false)
  })

  test.each<[HelloReason, string, Extension[]]>([
    ['extension_twice', 'two server names', [sni('a.test'), sni('b.test')]],
    ['extension_twice', 'two ALPN', [alpn('h2'), alpn('h2')]],
    ['extension_twice', 'two of a type from 32 on', [versions(0x0304), padding(1), versions(0x0304)]],
    ['extension_twice', 'two that nobody knows', [sni('a.test'), [0xabcd, bytesOf('')], [0xabcd, bytesOf('')]]],
    ['alpn_empty_name', 'a name without a byte', [alpn('h2', '', 'http/1.1')]],
    ['alpn_malformed', 'no name', [alpn()]],
    ['alpn_malformed', 'a name beyond its list', [[16, bytesOfHex('0003 05 6832')]]],
    ['alpn_malformed', 'bytes behind the list', [[16, bytesOfHex('0003 02 6832 00')]]],
    ['versions_malformed', 'no version', [versions()]],
    ['versions_malformed', 'half a version', [[43, bytesOfHex('03 0304 03')]]],
    ['key_share_malformed', 'a key without a byte', [keyShares([29, 0])]],
    ['key_share_malformed', 'a key beyond its list', [[51, bytesOfHex('0005 001d 0020 00')]]],
  ])('%s: %s', (why, _, extensions) => {
    expect(parseHello(wireOf(...extensions))).toEqual({ kind: 'invalid', why })
  })

  test('types that differ by 32 are not each other', () => {
    const extensions = Array.from({ length: 200 }, (_, type): Extension => [type + 100, new Uint8Array()])
    expect(helloOf(wireOf([1, bytesOf('')], [33, bytesOf('')], [65, bytesOf('')], ...extensions)).sni).toBeUndefined()
  })
})

describe('the message', () => {
  test('may end before any extension', () => {
    expect(helloOf(records(messageOf(messageStart)))).toMatchObject({ sni: undefined, alpn: [] })
  })

  test.each([
    ['a major version of 2', join(bytesOfHex('0200'), messageStart.subarray(2))],
    ['a session of 33 bytes', join(messageStart.subarray(0, 34), bytesOfHex(`21${'00'.repeat(33)}0002130101 00`))],
    ['no suite', join(messageStart.subarray(0, 34), bytesOfHex('00 0000 0100'))],
    ['half a suite', join(messageStart.subarray(0, 34), bytesOfHex('00 0001 13 0100'))],
    ['no compression', join(messageStart.subarray(0, 34), bytesOfHex('00 0002 1301 00'))],
    ['half a length of extensions', join(messageStart, bytesOfHex('00'))],
    ['bytes behind the extensions', join(messageStart, bytesOfHex('0000 00'))],
    ['extensions beyond its end', join(messageStart, bytesOfHex('0004 0015'))],
    ['an extension beyond its end', join(messageStart, bytesOfHex('0004 0015 0001'))],
    ['half an extension', join(messageStart, bytesOfHex('0003 0015 00'))],
    ['nothing', new Uint8Array()],
    ['a random that is cut', messageStart.subarray(0, 20)],
  ])('with %s is malformed', (_, body) => {
    expect(parseHello(records(messageOf(body)))).toEqual({ kind: 'invalid', why: 'hello_malformed' })
  })
})

describe('records', () => {
  const whole = message(sni('a.test'), alpn('h2'), padding(200))

  test.each([0x0300, 0x0301, 0x0303, 0x0304])('of version %i are read', (version) => {
    expect(helloOf(record(whole, 22, version)).sni).toBe('a.test')
  })

  test.each<[HelloReason, string, Uint8Array]>([
    ['record_version', 'major 2', record(whole, 22, 0x0200)],
    ['record_version', 'major 4', record(whole, 22, 0x0403)],
    ['not_tls', 'an alert first', record(bytesOfHex('0100'), 21)],
    ['not_tls', 'HTTP', bytesOf('GET / HTTP/1.1\r\n')],
    ['not_tls', 'the high bit, but no SSLv2', bytesOfHex('80 2e 02 03')],
    ['not_tls', 'the high bit and 1, but no version', bytesOfHex('80 2e 01 06')],
    ['sslv2', 'SSLv2 itself', bytesOfHex('80 2e 01 00 02')],
    ['sslv2', 'SSLv2 that offers 3.1', bytesOfHex('80 2e 01 03 01')],
    ['not_a_hello', 'a ServerHello', record(bytesOfHex('02 000001 00'))],
    ['record_interleaved', 'an alert between', join(record(whole.subarray(0, 99)), record(bytesOfHex('0100'), 21))],
    ['record_interleaved', 'a change of ciphers between', join(record(whole.subarray(0, 3)), bytesOfHex('14'))],
    ['record_empty', 'an empty record first', join(record(new Uint8Array()), record(whole))],
    ['record_empty', 'an empty one between', join(record(whole.subarray(0, 9)), record(new Uint8Array()))],
    ['record_too_large', '16,385 at the header', bytesOfHex('16 0301 4001')],
    ['record_too_large', '65,535 at the header', bytesOfHex('16 0301 ffff')],
    ['record_too_large', '16,385 in the second', join(record(whole.subarray(0, 9)), bytesOfHex('16 0301 4001'))],
    ['hello_too_large', '16,385 at the message’s header', record(bytesOfHex('01 004001'))],
    ['hello_too_large', '16 MiB at the message’s header', record(bytesOfHex('01 ffffff'))],
    ['hello_not_alone', 'a byte behind it in its record', record(join(whole, Uint8Array.of(0)))],
    ['hello_not_alone', 'two hellos in one record', record(join(whole, whole))],
    ['hello_not_alone', 'a second record with too much', join(record(whole.subarray(0, 50)), record(whole))],
  ])('%s: %s', (why, _, wire) => {
    expect(parseHello(wire)).toEqual({ kind: 'invalid', why })
  })

  test.each([
    [16_380, 16_384, 1],
    [16_384, 16_384, 2],
  ])('a body of %i bytes in records of %i', (length, size, count) => {
    const wire = records(sized(length), size)
    expect(helloOf(wire, { maxHelloBytes: 16_384, maxHelloRecords: 64 })).toMatchObject({
      sni: 'a.test',
      records: count,
    })
  })

  test('a hello of 20,000 bytes in two records is read with the larger limit, and refused without', () => {
    const wire = records(sized(20_000 - 4), 16_384)
    expect(parseHello(wire)).toEqual({ kind: 'invalid', why: 'hello_too_large' })
    expect(helloOf(wire)).toMatchObject({ sni: 'a.test', records: 2, bytes: 20_010 })
  })

  test('64 records are read, and a 65th refused', () => {
    const wire = (count: number) => records(sized(10 * count - 4), 10)
    expect(helloOf(wire(64)).records).toBe(64)
    expect(parseHello(wire(65))).toEqual({ kind: 'invalid', why: 'hello_too_many_records' })
  })

  test('nothing behind the hello is looked at', () => {
    const wire = records(whole, 100)
    const parsed = parseHello(join(wire, bytesOfHex('ff'.repeat(99))))
    expect(parsed).toEqual({ kind: 'value', value: helloOf(wire), used: wire.length })
  })

  const sized = (length: number) => {
    const bare = message(sni('a.test'), padding(0))
    return message(sni('a.test'), padding(length - (bare.length - 4)))
  }
})

describe('helloReader', () => {
  test('keeps its first answer', () => {
    const reader = helloReader()
    const wire = wireOf(sni('a.test'))
    const first = reader.push(wire)
    expect(reader.push(wire)).toBe(first)
  })

  test('counts `used` over all pieces', () => {
    const reader = helloReader()
    const wire = wireOf(sni('a.test'))
    const [first, second] = [wire.subarray(0, 7), join(wire.subarray(7), bytesOf('rest'))]
    expect(reader.push(first).kind).toBe('more')
    expect(reader.push(second)).toMatchObject({ kind: 'value', used: wire.length })
  })

  test('asks for more, within what is missing, wherever a hello is cut', () => {
    const wire = records(message(sni('a.test'), alpn('h2')), 30)
    for (let length = 0; length < wire.length; length++) {
      const cut = parseHello(wire.subarray(0, length))
      if (cut.kind !== 'more') throw new Error(`${length}: ${JSON.stringify(cut)}`)
      expect(cut.atLeast).toBeGreaterThan(length)
      expect(cut.atLeast).toBeLessThanOrEqual(wire.length)
    }
  })
})

describe('real hellos, cut otherwise', () => {
  const real = helloVectors()
    .filter(({ sni: name }) => name !== '')
    .map(({ hex }) => bytesOfHex(hex))

  test('into records of 1..n bytes', () => {
    for (const wire of real) {
      const whole = messageIn(wire)
      const uncut = helloOf(wire)
      for (let size = 1; size <= whole.length; size++) {
        const count = Math.ceil(whole.length / size)
        const parsed = parseHello(records(whole, size))
        if (count > 64) expect(parsed).toEqual({ kind: 'invalid', why: 'hello_too_many_records' })
        else expect(parsed).toMatchObject({ value: { ...uncut, records: count, bytes: whole.length + 5 * count } })
      }
    }
  })

  test('into writes of 1..n bytes', () => {
    for (const wire of real) {
      const uncut = parseHello(wire)
      for (let size = 1; size <= wire.length; size += size < 20 ? 1 : 37) expect(pushed(wire, size)).toEqual(uncut)
    }
  })

  test('both at once', () => {
    for (const wire of real) {
      const cut = records(messageIn(wire), 100)
      for (const size of [1, 2, 3, 5, 99, 104, 105, 106]) expect(pushed(cut, size)).toEqual(parseHello(cut))
    }
  })

  test('padded to the size of a post-quantum one, and to twice the largest that was ever seen', () => {
    for (const wire of real.filter((bytes) => bytes.length > 100)) {
      const whole = messageIn(wire)
      for (const size of [1_200, 1_800, 23_000]) {
        const padded = records(withExtension(whole, [0xfafb, new Uint8Array(size)]), 1_400)
        const { records: _, bytes: __, ...fields } = helloOf(wire)
        expect(helloOf(padded)).toMatchObject(fields)
      }
    }
  })

  function pushed(wire: Uint8Array, size: number) {
    const reader = helloReader()
    return pieces(wire, size)
      .map((piece) => reader.push(piece))
      .at(-1)
  }
})
