import { describe, expect, test } from 'vitest'
import { isAddressLiteral, normaliseSni } from '../../../core/route/name.ts'

describe('normaliseSni', () => {
  test.each([
    ['A.Example', 'a.example'],
    ['a.example.', 'a.example'],
    ['a', 'a'],
    ['-a-.b', '-a-.b'],
    ['_x.b', '_x.b'],
  ])('%j is %j', (text, name) => {
    expect(normaliseSni(text)).toBe(name)
  })

  test.each([
    '',
    '.',
    '..',
    'a..',
    'a..b',
    '.a',
    'a b',
    'a\0',
    'a/b',
    '*.a',
    'ä.test',
    '\u212a.test',
    '\u017f.test',
    'a'.repeat(64),
  ])('%j is no name', (text) => {
    expect(normaliseSni(text)).toBeUndefined()
  })
})

test.each([
  ['127.0.0.1', true],
  ['127.0.0.1.', true],
  ['[127.0.0.1]', true],
  ['::', true],
  ['[fe80::1]', true],
  ['127.1', false],
  ['256.0.0.1', false],
  ['a.1', false],
  ['[::1', false],
  ['a:443', false],
  ['a.test', false],
])('isAddressLiteral(%j) is %s', (text, is) => {
  expect(isAddressLiteral(text)).toBe(is)
})
