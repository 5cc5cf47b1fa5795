/** parseNext: whatever a link says, a person stays here. Each trick is resolved as a browser resolves a Location. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { longestNext, parseNext } from '../../worker/next.ts'

const origin = 'https://access.example.com'
const home = '/account'

/** Where a browser that is at `origin` goes. */
const goesTo = (location: string) => new URL(location, `${origin}/somewhere/else`)

describe('parseNext keeps', () => {
  test.each([
    ['/', '/'],
    ['/account', '/account'],
    ['/a/b?c=d&e=f#g', '/a/b?c=d&e=f#g'],
    ['/authorize?redirect_uri=https%3A%2F%2Fevil.example', '/authorize?redirect_uri=https%3A%2F%2Fevil.example'],
    ['/a?next=//evil.example', '/a?next=//evil.example'],
    ['/a#//evil.example', '/a#//evil.example'],
    ['/a/../b', '/b'],
    ['/./b', '/b'],
    ['/ü', '/%C3%BC'],
    ['/a b', '/a%20b'],
    ['/%2F%2Fevil.example', '/%2F%2Fevil.example'],
    ['/%5Cevil.example', '/%5Cevil.example'],
    ['/@evil.example', '/@evil.example'],
    ['/:80', '/:80'],
    ['/a//b', '/a//b'],
  ])('%j as %j', (text, kept) => {
    expect(parseNext(text, origin)).toBe(kept)
  })
})

const tricks = [
  undefined,
  '',
  ' ',
  'account',
  './account',
  '../account',
  '?a',
  '#a',
  '.',
  '//evil.example',
  '///evil.example',
  '////evil.example',
  '//evil.example/%2e%2e',
  '//evil.example@access.example.com',
  '//access.example.com@evil.example',
  '//access.example.com.evil.example',
  '//access.example.com:8443/',
  '//access.example.com',
  '/\\evil.example',
  '\\/evil.example',
  '\\\\evil.example',
  '/\\/evil.example',
  '/\\\\evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '/\r/evil.example',
  '/\r\n/evil.example',
  '/\t\\evil.example',
  '\t//evil.example',
  '\n//evil.example',
  ' //evil.example',
  '\u0000//evil.example',
  '\u0001//evil.example',
  '/.//evil.example',
  '/..//evil.example',
  '/a/..//evil.example',
  '/a/../../..//evil.example',
  '/%2e//evil.example',
  '/%2e%2e//evil.example',
  '/%2E%2E/%2e//evil.example',
  '/.\\/evil.example',
  '/./\\evil.example',
  '/a/..\\\\evil.example',
  '/.\t/\t/evil.example',
  'https://evil.example',
  'https:evil.example',
  'https:/evil.example',
  'https:///evil.example',
  'HTTPS://evil.example',
  'http://access.example.com/',
  'https://access.example.com/',
  'https://access.example.com@evil.example/',
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'java\tscript:alert(1)',
  '/\tjavascript:alert(1)//',
  'data:text/html,<script>',
  'vbscript:x',
  'blob:https://access.example.com/x',
  'mailto:a@b',
  '\uff0f\uff0fevil.example',
  '/\uff0fevil.example',
  '/\u2044evil.example',
  '/\u2215evil.example',
  '\u2215\u2215evil.example',
  '/\u3002evil.example',
  '//\u0435vil.example',
  '//[::1]/',
  '//[',
  '//%',
  '//:0',
]

test('parseNext keeps a place as long as the answer may carry, and counts what it became', () => {
  const longest = `/${'a'.repeat(longestNext - 1)}`
  expect(parseNext(longest, origin)).toBe(longest)
  expect(parseNext(`${longest}a`, origin)).toBe(home)
  expect(parseNext(`/${'ü'.repeat(Math.ceil(longestNext / 6))}`, origin)).toBe(home)
})

describe('parseNext stays on this origin', () => {
  test.each(tricks)('whatever it is given: %j', (text) => {
    const location = parseNext(text, origin)
    expect(goesTo(location).origin).toBe(origin)
    expect(location).toMatch(/^\/(?![/\\])[\x21-\x7e]*$/)
  })

  test.each(tricks.filter((text) => text === undefined || !/^\/[^/\\]/.test(text)))(
    'and leaves %j for the account',
    (text) => {
      expect(parseNext(text, origin)).toBe(home)
    },
  )

  test.each([
    '/\t/evil.example',
    '/.//evil.example',
    '/a/..//evil.example',
    '/%2e%2e//evil.example',
    '/.\\/evil.example',
  ])('and leaves %j for the account, which a browser would take for another host', (text) => {
    expect(parseNext(text, origin)).toBe(home)
  })

  test('on an origin with a port, and on plain http', () => {
    for (const own of ['http://localhost:3080', 'https://access.example.com:8443']) {
      expect(parseNext('/a?b', own)).toBe('/a?b')
      expect(parseNext('//localhost:3081', own)).toBe(home)
      expect(parseNext('//access.example.com', own)).toBe(home)
    }
  })

  test('with anything that is put together from such pieces', () => {
    const pieces = fc.constantFrom(
      ...['/', '\\', '.', '..', '%2e', '%2f', '\t', '\n', '\r', ' ', ':', '@', '?', '#', 'a', 'evil.example', 'https:'],
      ...['%09', '%0d%0a', '\u0000', '\uff0f', '[', ']', '%', ';', '\u{1f600}', '\ud800'],
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 8 }), (parts) => {
        const location = parseNext(`/${parts.join('')}`, origin)
        expect(goesTo(location).origin).toBe(origin)
        expect(location).toMatch(/^\/(?![/\\])[\x21-\x7e]*$/)
      }),
      { seed: 11, numRuns: 5000 },
    )
  })
})
