/** Against RFC 8949 appendix A as far as authenticators write it, and against everything that is not CBOR at all. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Cbor, parseCbor } from '../../../core/lib/cbor.ts'
import { encodeCbor, rawCbor } from '../cbor-writer.ts'

const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

/** RFC 8949 appendix A: what of it fits. */
const good: readonly (readonly [hex: string, value: Cbor])[] = [
  ['00', 0],
  ['01', 1],
  ['0a', 10],
  ['17', 23],
  ['1818', 24],
  ['1819', 25],
  ['1864', 100],
  ['1903e8', 1000],
  ['1a000f4240', 1_000_000],
  ['1affffffff', 4_294_967_295],
  ['20', -1],
  ['29', -10],
  ['3863', -100],
  ['3903e7', -1000],
  ['3affffffff', -4_294_967_296],
  ['f4', false],
  ['f5', true],
  ['f6', null],
  ['40', new Uint8Array(0)],
  ['4401020304', new Uint8Array([1, 2, 3, 4])],
  ['60', ''],
  ['6161', 'a'],
  ['6449455446', 'IETF'],
  ['62225c', '"\\'],
  ['62c3bc', 'ü'],
  ['63e6b0b4', '水'],
  ['64f0908591', '\u{10151}'],
  ['80', []],
  ['83010203', [1, 2, 3]],
  ['8301820203820405', [1, [2, 3], [4, 5]]],
  ['98190102030405060708090a0b0c0d0e0f101112131415161718181819', Array.from({ length: 25 }, (_, i) => i + 1)],
  ['a0', new Map()],
  [
    'a201020304',
    new Map([
      [1, 2],
      [3, 4],
    ]),
  ],
  [
    'a26161016162820203',
    new Map<string, Cbor>([
      ['a', 1],
      ['b', [2, 3]],
    ]),
  ],
  ['826161a161626163', ['a', new Map([['b', 'c']])]],
  [
    'a56161614161626142616361436164614461656145',
    new Map([
      ['a', 'A'],
      ['b', 'B'],
      ['c', 'C'],
      ['d', 'D'],
      ['e', 'E'],
    ]),
  ],
]

/** RFC 8949 appendix A and section 3: well formed, but nothing that an authenticator may write. */
const refused: readonly (readonly [hex: string, what: string])[] = [
  ['1b000000e8d4a51000', '64 bits, 1000000000000'],
  ['1bffffffffffffffff', '64 bits, the largest'],
  ['3bffffffffffffffff', '64 bits, the smallest'],
  ['5b0000000000000001 00', 'a byte string whose length has 64 bits'],
  ['c249010000000000000000', 'a bignum'],
  ['f90000', 'a half float'],
  ['fa47c35000', 'a float'],
  ['fb3ff199999999999a', 'a double'],
  ['f7', 'undefined'],
  ['f0', 'simple 16'],
  ['f8ff', 'simple 255'],
  ['f814', 'false in two bytes'],
  ['c074323031332d30332d32315432303a30343a30305a', 'a date'],
  ['d74401020304', 'a tag'],
  ['d818456449455446', 'embedded CBOR'],
  ['5f42010243030405ff', 'an indefinite byte string'],
  ['7f657374726561646d696e67ff', 'an indefinite text'],
  ['9fff', 'an indefinite array'],
  ['bf6346756ef563416d7421ff', 'an indefinite map'],
  ['ff', 'a break'],
  ['1c', 'reserved info 28'],
  ['3d', 'reserved info 29'],
  ['5e', 'reserved info 30'],
  ['1800', '0 in two bytes'],
  ['1817', '23 in two bytes'],
  ['3817', '-24 in two bytes'],
  ['190017', '23 in three bytes'],
  ['1900ff', '255 in three bytes'],
  ['1a0000ffff', '65535 in five bytes'],
  ['5801 00', 'a short byte string with a long head'],
  ['7801 61', 'a short text with a long head'],
  ['9801 00', 'a short array with a long head'],
  ['b801 0000', 'a short map with a long head'],
  ['61ff', 'text that is not UTF-8'],
  ['63eda080', 'text that encodes a surrogate'],
  ['62c0af', 'text in an overlong form'],
  ['a201000100', 'a number as key twice'],
  ['a2616101616102', 'a text as key twice'],
  ['a14001', 'bytes as key'],
  ['a1f401', 'false as key'],
  ['a18001', 'an array as key'],
  ['a1a001', 'a map as key'],
]

describe('parseCbor', () => {
  test.each(good)('reads %s', (hex, value) => {
    const bytes = bytesOf(hex)
    expect(parseCbor(bytes)).toEqual({ kind: 'value', value, used: bytes.length })
  })

  test.each(good)('reads %s in the midst of other bytes, and no byte further', (hex, value) => {
    const bytes = bytesOf(hex)
    const within = bytesOf(`ffff${hex}ff`).subarray(1)
    expect(parseCbor(within, 1)).toEqual({ kind: 'value', value, used: bytes.length })
  })

  test.each(good)('asks for more, within what is missing, wherever %s is cut', (hex) => {
    const bytes = bytesOf(hex)
    for (let length = 0; length < bytes.length; length++) {
      const cut = parseCbor(bytes.subarray(0, length))
      expect(cut.kind, `cut to ${length}`).toBe('more')
      if (cut.kind !== 'more') continue
      expect(cut.atLeast).toBeGreaterThan(length)
      expect(cut.atLeast).toBeLessThanOrEqual(bytes.length)
    }
  })

  test.each(refused)('refuses %s: %s', (hex) => {
    expect(parseCbor(bytesOf(hex)).kind).toBe('invalid')
  })

  test('tells the key 1 from the key "1"', () => {
    expect(parseCbor(bytesOf('a2010061310a'))).toMatchObject({ kind: 'value', used: 6 })
  })

  test('copies bytes out of its input', () => {
    const bytes = bytesOf('4101')
    const parsed = parseCbor(bytes)
    bytes[1] = 9
    expect(parsed).toMatchObject({ value: new Uint8Array([1]) })
  })

  test('reads 8 levels and refuses the ninth', () => {
    const nested = (levels: number) => bytesOf(`${'81'.repeat(levels)}00`)
    expect(parseCbor(nested(8)).kind).toBe('value')
    expect(parseCbor(nested(9))).toEqual({ kind: 'invalid', why: 'cbor: too deep' })
    expect(parseCbor(bytesOf(`${'a100'.repeat(9)}00`)).kind).toBe('invalid')
    expect(parseCbor(nested(100_000)).kind).toBe('invalid')
  })
})

describe('parseCbor with a length that lies', () => {
  test.each([
    ['5affffffff', 'bytes'],
    ['7affffffff', 'text'],
    ['9affffffff', 'an array'],
    ['baffffffff', 'a map'],
    ['9a7fffffff00', 'an array that has begun'],
    [`${'9affffffff'.repeat(8)}`, 'arrays in arrays'],
  ])('%s, %s of 4 GB, asks for more and reserves nothing', (hex) => {
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed
    const started = process.cpuUsage()
    expect(parseCbor(bytesOf(hex))).toMatchObject({ kind: 'more' })
    expect(process.cpuUsage(started).user).toBeLessThan(50_000)
    expect(process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed - before).toBeLessThan(8e6)
  })

  test.each([
    ['9affffffff', 5 + 0xffffffff],
    ['baffffffff', 5 + 2 * 0xffffffff],
    ['5affffffff', 5 + 0xffffffff],
  ])('%s says at once how much it would take', (hex, atLeast) => {
    expect(parseCbor(bytesOf(hex))).toEqual({ kind: 'more', atLeast })
  })

  test('a map of half as many entries as there are bytes is read in one pass', () => {
    const entries = Array.from({ length: 20_000 }, (_, i) => [i, 0] as const)
    const started = process.cpuUsage()
    expect(parseCbor(encodeCbor(new Map(entries))).kind).toBe('value')
    expect(process.cpuUsage(started).user).toBeLessThan(500_000)
  })
})

const cborValue = fc.letrec<{ item: Cbor }>((tie) => ({
  item: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.integer({ min: -4_294_967_296, max: 4_294_967_295 }),
    fc.boolean(),
    fc.constant(null),
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => new Uint8Array(bytes)),
    fc.array(tie('item'), { maxLength: 5 }),
    fc
      .uniqueArray(fc.tuple(fc.oneof(fc.integer({ min: -300, max: 300 }), fc.string({ maxLength: 5 })), tie('item')), {
        selector: ([key]) => key,
        maxLength: 5,
      })
      .map((entries) => new Map(entries)),
  ),
})).item

describe('parseCbor, on what a generator makes', () => {
  test('reads back what a writer of the shortest form wrote', () => {
    fc.assert(
      fc.property(cborValue, (item) => {
        const bytes = encodeCbor(item)
        expect(parseCbor(bytes)).toEqual({ kind: 'value', value: item, used: bytes.length })
      }),
      { seed: 4, numRuns: 300 },
    )
  })

  test('arbitrary bytes never throw, and what is read is spelt as the writer spells it', () => {
    fc.assert(
      fc.property(rawCbor, (bytes) => {
        const parsed = parseCbor(bytes)
        if (parsed.kind === 'more') expect(parsed.atLeast).toBeGreaterThan(bytes.length)
        if (parsed.kind !== 'value') return
        expect(Buffer.from(encodeCbor(parsed.value))).toEqual(Buffer.from(bytes.subarray(0, parsed.used)))
      }),
      { seed: 5, numRuns: 20_000 },
    )
  })

  test('one flipped bit never throws', () => {
    fc.assert(
      fc.property(cborValue, fc.nat(), (item, at) => {
        const bytes = encodeCbor(item)
        bytes[(at >> 3) % bytes.length]! ^= 1 << (at & 7)
        expect(['value', 'more', 'invalid']).toContain(parseCbor(bytes).kind)
      }),
      { seed: 6, numRuns: 2000 },
    )
  })
})
