import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { newUserCode, parseUserCode } from '../../../core/oauth/user-code.ts'

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))
const letters = 'BCDFGHJKLMNPQRSTVWXZ'

describe('newUserCode', () => {
  test('is eight letters without a vowel, as two groups', () => {
    for (let i = 0; i < 1000; i++)
      expect(newUserCode({ random })).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/)
  })

  test('draws each letter as often: bytes that would favour the first ones are drawn again', () => {
    const counts = new Map<string, number>()
    let next = 0
    const everyByte = (length: number) => new Uint8Array(Array.from({ length }, () => next++ % 256))
    for (let i = 0; i < 1600; i++)
      for (const letter of newUserCode({ random: everyByte }).replace('-', ''))
        counts.set(letter, (counts.get(letter) ?? 0) + 1)
    expect([...counts.keys()].sort().join('')).toBe(letters)
    expect(Math.max(...counts.values()) - Math.min(...counts.values())).toBeLessThan(100)
  })

  test('goes on drawing while too little came', () => {
    let left = 3
    const stingy = (length: number) => (left-- > 0 ? new Uint8Array(length).fill(255) : new Uint8Array(length))
    expect(newUserCode({ random: stingy })).toBe('BBBB-BBBB')
  })
})

describe('parseUserCode', () => {
  test.each(['BCDF-GHJK', 'bcdfghjk', ' bcdf ghjk ', 'B C D F G H J K', 'bcdf–ghjk', 'BCDF_GHJK', 'b.c.d.f.g.h.j.k\n'])(
    'reads %j as people type it',
    (typed) => expect(parseUserCode(typed)).toBe('BCDF-GHJK'),
  )

  test.each(['', 'BCDF-GHJ', 'BCDF-GHJKL', 'ACDF-GHJK', 'BCDF-GHJ1', 'BCDF/GHJK', '%', 'ＢCDF-GHJK', 'ßCDFGHJK'])(
    'reads %j as none',
    (typed) => expect(parseUserCode(typed)).toBeUndefined(),
  )

  test('reads each code that is given out, and gives back nothing else than a code', () => {
    expect(parseUserCode(newUserCode({ random }))).toBeDefined()
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (typed) => {
        expect(parseUserCode(typed) ?? 'BCDF-GHJK').toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/)
      }),
    )
  })
})
