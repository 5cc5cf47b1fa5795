import fc from 'fast-check'
import { expect, test } from 'vitest'
import { passwordIn } from '../../../core/route/basic.ts'

const coded = (pair: string) => Buffer.from(pair, 'latin1').toString('base64')
const isControl = (char: string) => char < ' ' || char === '\x7f'

const latin1 = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) })
const printable = latin1.map((text) => [...text].filter((char) => !isControl(char)).join(''))
const user = printable.map((text) => text.replaceAll(':', ''))
const scheme = fc
  .array(fc.boolean(), { minLength: 5, maxLength: 5 })
  .map((upper) => [...'basic'].map((char, at) => (upper[at] ? char.toUpperCase() : char)).join(''))
const spaces = fc.integer({ min: 1, max: 5 }).map((count) => ' '.repeat(count))

test('the password is what stands behind the first colon, whatever the user and the case of the scheme', () => {
  fc.assert(
    fc.property(scheme, spaces, user, printable, (name, gap, first, password) => {
      expect(passwordIn(`${name}${gap}${coded(`${first}:${password}`)}`)).toBe(password)
    }),
  )
})

test('whatever comes, there is an answer, and it is behind a colon', () => {
  const whatever = fc.oneof(fc.string(), latin1, latin1.map(coded))
  fc.assert(
    fc.property(
      fc.oneof(
        whatever,
        fc.tuple(scheme, spaces, whatever).map((all) => all.join('')),
      ),
      (credential) => {
        const found = passwordIn(credential)
        if (found === undefined) return
        const [, text = ''] = /^basic +(.*)$/i.exec(credential) ?? []
        expect(Buffer.from(text, 'base64').toString('latin1').split(':').slice(1).join(':')).toBe(found)
      },
    ),
  )
})

test('another spelling of the same bytes is none', () => {
  fc.assert(
    fc.property(user, printable, fc.constantFrom('=', '==', ' ', '.', '-', '\n', '\t'), (first, password, more) => {
      expect(passwordIn(`Basic ${coded(`${first}:${password}`)}${more}`)).toBeUndefined()
    }),
  )
})

test.each([
  ['none', undefined],
  ['an empty one', ''],
  ['the scheme alone', 'Basic'],
  ['the scheme and a space', 'Basic '],
  ['no space', `Basic${coded('a:b')}`],
  ['a tab', `Basic\t${coded('a:b')}`],
  ['another scheme', `Bearer ${coded('a:b')}`],
  ['something before it', `x Basic ${coded('a:b')}`],
  ['something behind it', `Basic ${coded('a:b')} x`],
  ['a parameter', `Basic realm="a", ${coded('a:b')}`],
  ['no colon', `Basic ${coded('word')}`],
  ['no padding', 'Basic YTpiYg'],
  ['padding alone', 'Basic =='],
  ['padding within', 'Basic YTpi=YTpi'],
  ['too much padding', 'Basic YTpiYg==='],
  ['a length that no bytes have', 'Basic YTpiY'],
  ['bits left over', 'Basic YTpiYh=='],
  ['base64url', `Basic ${coded('a:\xff\xff\xff').replaceAll('/', '_')}`],
])('%s is no password', (_, credential) => {
  expect(passwordIn(credential)).toBeUndefined()
})

test.each(['\0', '\n', '\x1f', '\x7f'])('the control character %j is in neither part', (char) => {
  expect(passwordIn(`Basic ${coded(`a:b${char}`)}`)).toBeUndefined()
  expect(passwordIn(`Basic ${coded(`a${char}:b`)}`)).toBeUndefined()
})

test('what stands beside the control characters passes, and an empty part is one', () => {
  expect(passwordIn(`Basic ${coded('a: ~\x80\xff')}`)).toBe(' ~\x80\xff')
  expect(passwordIn(`Basic ${coded(':')}`)).toBe('')
  expect(passwordIn(`Basic ${coded('a:b:c')}`)).toBe('b:c')
})
