import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  bitsOf,
  booleanOf,
  derOf,
  elementsOf,
  explicit,
  magnitudeOf,
  numberOf,
  octetsOf,
  oidOf,
  parseDer,
  tags,
  timeOf,
  within,
} from '../../../core/lib/der.ts'
import { der } from '../certificates.ts'

const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const one = (text: string) => {
  const parsed = parseDer(hex(text))
  return parsed.kind === 'value' ? parsed.value : undefined
}
const text = (tag: number, content: string) => derOf(der(tag, Buffer.from(content)), tag)

describe('parseDer', () => {
  test('reads one element and says how long it is', () => {
    expect(parseDer(hex('ff 04 02 0102 99'), 1)).toEqual({
      kind: 'value',
      value: { tag: 4, content: hex('0102'), whole: hex('04020102') },
      used: 4,
    })
    for (const length of [0, 127, 128, 255, 256, 65_535]) {
      const bytes = der(0x30, new Uint8Array(length))
      expect(parseDer(bytes)).toMatchObject({ kind: 'value', used: bytes.length })
    }
  })

  test('reads tags with a number of one and of two bytes more', () => {
    for (const number of [0, 30, 31, 127, 128, 600, 719, 16_383])
      expect(derOf(der(explicit(number), [5, 0]), explicit(number))?.content, `${number}`).toEqual(hex('0500'))
  })

  test('says how many bytes are missing', () => {
    expect(parseDer(hex(''))).toEqual({ kind: 'more', atLeast: 1 })
    expect(parseDer(hex('04'))).toEqual({ kind: 'more', atLeast: 2 })
    expect(parseDer(hex('04 03 01'))).toEqual({ kind: 'more', atLeast: 5 })
    expect(parseDer(hex('04 82 01'))).toEqual({ kind: 'more', atLeast: 4 })
    expect(parseDer(hex('bf'))).toEqual({ kind: 'more', atLeast: 2 })
    expect(parseDer(hex('bf 84'))).toEqual({ kind: 'more', atLeast: 3 })
  })

  test.each([
    ['a length without end', '30 80 00 00'],
    ['a length of four bytes', '04 84 00 00 00 01 00'],
    ['one that fits into the first byte', '04 81 01 00'],
    ['a zero before the length', '04 82 00 80'],
    ['a tag number below 31 in the long form', 'bf 1e 00'],
    ['a zero before the tag number', 'bf 80 1f 00'],
    ['a tag number of three bytes', 'bf 81 80 00 00'],
  ])('refuses %s', (_what, bytes) => {
    expect(parseDer(hex(bytes)).kind).toBe('invalid')
  })
})

test('derOf and elementsOf want the tag, and nothing left over', () => {
  expect(derOf(hex('04 01 ff'), tags.octets)?.content).toEqual(hex('ff'))
  expect(derOf(hex('04 01 ff'), tags.oid)).toBeUndefined()
  expect(derOf(hex('04 01 ff 00'), tags.octets)).toBeUndefined()
  expect(derOf(undefined, tags.octets)).toBeUndefined()
  expect(elementsOf(one('30 06 02 01 01 02 01 02'), tags.sequence)).toHaveLength(2)
  expect(elementsOf(one('30 00'), tags.sequence)).toEqual([])
  expect(elementsOf(one('30 04 02 01 01 02'), tags.sequence)).toBeUndefined()
  expect(elementsOf(one('30 00'), tags.set)).toBeUndefined()
  expect(within(one('a1 03 02 01 05'), 1, tags.integer)?.content).toEqual(hex('05'))
  expect(within(one('a1 03 02 01 05'), 2, tags.integer)).toBeUndefined()
})

test('numberOf reads small positive numbers in their one form', () => {
  expect(['00', '7f', '0080', '7fffffff'].map((at) => numberOf(derOf(der(2, hex(at)), 2)))).toEqual([
    0,
    127,
    128,
    2 ** 31 - 1,
  ])
  for (const wrong of ['', '80', 'ff', '0001', '0080000000'])
    expect(numberOf(derOf(der(2, hex(wrong)), 2)), wrong).toBeUndefined()
  expect(numberOf(one('0a 01 01'))).toBeUndefined()
  expect(numberOf(one('0a 01 01'), tags.enumerated)).toBe(1)
})

test('magnitudeOf fills up from the left, and refuses what is negative, longer, or in two forms', () => {
  expect(magnitudeOf(one('02 01 05'), 3)).toEqual(hex('000005'))
  expect(magnitudeOf(one('02 02 00 ff'), 1)).toEqual(hex('ff'))
  for (const wrong of ['02 00', '02 01 ff', '02 02 00 01', '02 02 01 00', '04 01 05'])
    expect(magnitudeOf(one(wrong), 1), wrong).toBeUndefined()
})

test('booleanOf, bitsOf, octetsOf', () => {
  expect(['0101ff', '010100', '010101', '0100', '0102ffff'].map((at) => booleanOf(one(at)))).toEqual([
    true,
    false,
    undefined,
    undefined,
    undefined,
  ])
  expect(bitsOf(one('03 02 00 a5'))).toEqual(hex('a5'))
  expect(bitsOf(one('03 02 01 a4'))).toBeUndefined()
  expect(bitsOf(one('03 00'))).toBeUndefined()
  expect(octetsOf(one('03 02 00 a5'))).toBeUndefined()
})

test('oidOf', () => {
  expect(oidOf(one('06 03 55 1d 13'))).toBe('2.5.29.19')
  expect(oidOf(one('06 0a 2b 06 01 04 01 d6 79 02 01 11'))).toBe('1.3.6.1.4.1.11129.2.1.17')
  expect(oidOf(one('06 03 88 37 03'))).toBe('2.999.3')
  for (const wrong of ['06 00', '06 02 55 80', '06 03 55 80 01', '06 08 55 ff ff ff ff ff ff 7f', '04 03 55 1d 13'])
    expect(oidOf(one(wrong)), wrong).toBeUndefined()
})

test('timeOf reads both forms of RFC 5280, to the second and in UTC', () => {
  expect(timeOf(text(0x17, '491231235959Z'))).toBe(Date.UTC(2049, 11, 31, 23, 59, 59))
  expect(timeOf(text(0x17, '500101000000Z'))).toBe(Date.UTC(1950, 0, 1))
  expect(timeOf(text(0x18, '30240101000000Z'))).toBe(Date.UTC(3024, 0, 1))
  const wrong = ['4912312359Z', '491231235959', '491231235959+0100', '490230000000Z', '491301000000Z', '491231240000Z']
  for (const time of wrong) expect(timeOf(text(0x17, time)), time).toBeUndefined()
  for (const time of ['20490101000000.5Z', '491231235959Z']) expect(timeOf(text(0x18, time)), time).toBeUndefined()
})

test('no bytes make a reader throw', () => {
  const bytes = fc.uint8Array({ maxLength: 40 })
  fc.assert(
    fc.property(bytes, fc.constantFrom(...Object.values(tags), explicit(0), explicit(600)), (content, tag) => {
      parseDer(content)
      const element = derOf(der(tag, content), tag)
      expect(element?.content).toEqual(new Uint8Array(content))
      for (const read of [booleanOf, bitsOf, octetsOf, oidOf, timeOf]) read(element)
      elementsOf(element, tag)
      numberOf(element, tag)
      magnitudeOf(element, 32)
    }),
    { numRuns: 2000 },
  )
})
