import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { base64url, concat, equalBytes, fromBase64url, textOf, utf8 } from '../../../core/lib/bytes.ts'

const bytes = fc.uint8Array({ maxLength: 200 })

describe('base64url', () => {
  test('writes what Buffer writes, and reads it back', () => {
    fc.assert(
      fc.property(bytes, (some) => {
        const text = Buffer.from(some).toString('base64url')
        expect(base64url(some)).toBe(text)
        expect(Buffer.from(fromBase64url(text) ?? [0])).toEqual(Buffer.from(some))
      }),
      { seed: 1, numRuns: 300 },
    )
  })

  test('reads a view by its own bounds, not by those of its buffer', () => {
    const whole = new Uint8Array([9, 1, 2, 3, 9])
    expect(base64url(whole.subarray(1, 4))).toBe('AQID')
  })

  test('fromBase64url answers only to the one spelling that base64url writes', () => {
    const spelling = fc.string({
      unit: fc.constantFrom(...'ABCDwxyz0189-_+/= \n.Éé\u0000'.split('')),
      maxLength: 12,
    })
    fc.assert(
      fc.property(spelling, (text) => {
        const read = fromBase64url(text)
        if (read !== undefined) expect(base64url(read)).toBe(text)
      }),
      { seed: 2, numRuns: 3000, examples: [['AA'], ['AB'], ['AAA'], ['AAB']] },
    )
  })

  test.each([
    ['padding', 'AA=='],
    ['one padding character', 'AAA='],
    ['a lone character', 'A'],
    ['five characters', 'AAAAA'],
    ['bits in the tail of two characters', 'AB'],
    ['bits in the tail of three characters', 'AAB'],
    ['the highest tail bit', 'AI'],
    ['the standard alphabet: +', 'AA+A'],
    ['the standard alphabet: /', 'AA/A'],
    ['a space before', ' AAAA'],
    ['a line break after', 'AAAA\n'],
    ['a tab within', 'AA\tAA'],
    ['NUL', 'AAA\u0000'],
    ['a letter beyond ASCII', 'AAAÀ'],
    ['a letter whose low byte is in the alphabet', 'AAA\u0141'],
    ['a character of 7 bits and more', 'AAA\u0080'],
    ['a surrogate pair', 'AA\u{1f600}'],
  ])('fromBase64url refuses %s', (_what, text) => {
    expect(fromBase64url(text)).toBeUndefined()
  })

  test('the empty text is no bytes', () => {
    expect(fromBase64url('')).toEqual(new Uint8Array(0))
    expect(base64url(new Uint8Array(0))).toBe('')
  })
})

describe('textOf', () => {
  test('reads what utf8 wrote', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(textOf(utf8(text))).toBe(text)
      }),
      { seed: 3, numRuns: 200 },
    )
  })

  test.each([
    ['a lone continuation', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['an encoded surrogate', [0xed, 0xa0, 0x80]],
    ['beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
    ['a cut sequence', [0xe2, 0x82]],
  ])('answers undefined for %s', (_what, some) => {
    expect(textOf(new Uint8Array(some))).toBeUndefined()
  })

  test('keeps a byte order mark: it is a character like any other', () => {
    expect(textOf(new Uint8Array([0xef, 0xbb, 0xbf, 0x61]))).toBe('\ufeffa')
  })
})

describe('equalBytes', () => {
  test('is true for the same bytes, and false when any one bit differs', () => {
    const some = new Uint8Array([0, 1, 127, 128, 255])
    expect(equalBytes(some, some.slice())).toBe(true)
    for (let bit = 0; bit < some.length * 8; bit++) {
      const other = some.slice()
      other[bit >> 3]! ^= 1 << (bit & 7)
      expect(equalBytes(some, other), `bit ${bit}`).toBe(false)
    }
  })

  test('is false for a prefix, both ways round', () => {
    const some = new Uint8Array([1, 2])
    expect(equalBytes(some, some.subarray(0, 1))).toBe(false)
    expect(equalBytes(some.subarray(0, 1), some)).toBe(false)
    expect(equalBytes(new Uint8Array(0), some)).toBe(false)
  })
})

test('concat puts parts one after another and shares nothing with them', () => {
  const part = new Uint8Array([1, 2])
  const whole = concat(part, new Uint8Array(0), part)
  part[0] = 9
  expect(whole).toEqual(new Uint8Array([1, 2, 1, 2]))
})
