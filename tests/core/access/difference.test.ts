import { describe, expect, test } from 'vitest'
import { changesHash, differenceOf, linesOf } from '../../../core/access/difference.ts'
import type { Json } from '../../../core/intent.ts'

describe('linesOf', () => {
  test('is YAML that people read, whatever the order of members', () => {
    const json = { spec: { b: ['x', { c: 1, a: 'two words' }], a: {} }, kind: 'role', n: [] }
    const lines = ['kind: role', 'n: []', 'spec:', '  a: {}', '  b:', '    - x', '    - a: two words', '      c: 1']
    expect(linesOf(json)).toEqual(lines)
    expect(linesOf({ n: [], kind: 'role', spec: { a: {}, b: ['x', { a: 'two words', c: 1 }] } })).toEqual(lines)
  })

  test('hides nothing: what cannot be seen or turns the line stands as its number', () => {
    expect(linesOf('a\u202eb\u200bc\u0007')).toEqual(['"a\\u{202e}b\\u{200b}c\\u0007"'])
    expect(linesOf('-----BEGIN X-----\nAAAA\n')).toEqual(['|', '-----BEGIN X-----', 'AAAA', ''])
    expect(linesOf('one \ntwo')).toEqual(['"one \\ntwo"'])
  })

  const twins: [Json, Json][] = [
    ['true', true],
    ['1', 1],
    ['1e3', 1000],
    ['1h', '"1h"'],
    ['null', null],
    ['a: b', { a: 'b' }],
    [['a: b'], [{ a: 'b' }]],
    [['- a'], [['a']]],
    ['a\nb', '|\na\nb'],
    [{ a: '' }, { a: {} }],
    ['a', 'a '],
    [{ 'a: b': 'c' }, { a: 'b: c' }],
    [['a', 'b'], ['a\nb']],
    [{ a: { b: 'c' } }, { a: '\n  b: c' }],
  ]
  test.each(twins)('%j and %j have not the same lines', (one, other) => {
    expect(linesOf(one)).not.toEqual(linesOf(other))
  })
})

describe('differenceOf', () => {
  const apply = (difference: readonly string[], mark: '+' | '-') =>
    difference.flatMap((line) => (line.startsWith(mark) || line.startsWith(' ') ? [line.slice(2)] : []))

  test('is empty for one text, and the shortest way between two', () => {
    expect(differenceOf(['a', 'b'], ['a', 'b'])).toEqual([])
    expect(differenceOf(['a', 'b', 'c'], ['a', 'x', 'c'])).toEqual(['  a', '- b', '+ x', '  c'])
    expect(differenceOf([], ['a'])).toEqual(['+ a'])
    expect(differenceOf(['a'], [])).toEqual(['- a'])
  })

  test('leaves out what is far from a change, and says how much', () => {
    const many = Array.from({ length: 20 }, (_, i) => `line ${i}`)
    const difference = differenceOf(many, many.with(10, 'other'))
    expect(difference).toEqual([
      '@ 7 lines stay as they are',
      ...['  line 7', '  line 8', '  line 9', '- line 10', '+ other', '  line 11', '  line 12', '  line 13'],
      '@ 6 lines stay as they are',
    ])
  })

  test('holds both texts, for any two', () => {
    let seed = 7
    const next = (most: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return seed % most
    }
    for (let round = 0; round < 300; round++) {
      const text = () => Array.from({ length: next(7) }, () => 'abc'.charAt(next(3)))
      const [before, after] = [text(), text()]
      const difference = differenceOf(before, after)
      if (difference.length === 0) expect(before).toEqual(after)
      else if (!difference.some((line) => line.startsWith('@'))) {
        expect(apply(difference, '-')).toEqual(before)
        expect(apply(difference, '+')).toEqual(after)
      }
    }
  })

  test('of texts with nothing in common takes no time', () => {
    const lines = (word: string) => Array.from({ length: 5000 }, (_, i) => `${word} ${i}`)
    const since = performance.now()
    expect(differenceOf(lines('a'), lines('b'))).toHaveLength(10_000)
    expect(performance.now() - since).toBeLessThan(5000)
  })
})

test('changesHash of nothing is nothing', () => {
  expect(changesHash('')).toBe('')
  expect(changesHash('x')).toHaveLength(43)
})
