import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nameKey, parseName } from '../../../core/login/name.ts'
import { Refusal } from '../../../core/refusal.ts'

const refused = (text: string): unknown => {
  try {
    return parseName(text)
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}

const odd: readonly (readonly [what: string, text: string])[] = [
  ['nothing', ''],
  ['white space', ' \t '],
  ['65 characters', 'x'.repeat(65)],
  ['two spaces', 'Ada  Lovelace'],
  ['a tab', 'Ada\tLovelace'],
  ['a line break', 'Ada\nadmin'],
  ['a carriage return', 'Ada\radmin'],
  ['NUL', 'Ada\u0000'],
  ['an escape sequence', 'Ada\u001b[31m'],
  ['DEL', 'Ada\u007f'],
  ['a C1 control', 'Ada\u0085x'],
  ['a right-to-left override', 'Ada\u202etxt'],
  ['a right-to-left embedding', 'Ada\u202btxt'],
  ['a left-to-right isolate', 'Ada\u2066txt\u2069'],
  ['a right-to-left mark', 'Ada\u200f'],
  ['an Arabic letter mark', 'Ada\u061c'],
  ['a zero width space', 'A\u200bda'],
  ['a zero width joiner', 'A\u200dda'],
  ['a zero width non-joiner', 'A\u200cda'],
  ['a word joiner', 'A\u2060da'],
  ['a byte order mark within', 'A\ufeffda'],
  ['a soft hyphen', 'A\u00adda'],
  ['a no-break space', 'Ada\u00a0Lovelace'],
  ['an ideographic space', 'Ada\u3000Lovelace'],
  ['a line separator', 'Ada\u2028x'],
  ['a tag character', 'Ada\u{e0041}'],
  ['a private use character', 'Ada\ue000'],
  ['an emoji', 'Ada \u{1f600}'],
  ['a Braille blank', 'Ada\u2800x'],
  ['a lone surrogate', 'Ada\ud800'],
  ['a mark first', '\u0301Ada'],
  ['a dot first', '.ada'],
  ['a dash first', '-ada'],
  ['markup', '<b>Ada</b>'],
  ['a quote', 'Ada"'],
  ['a backslash', 'Ada\\'],
  ['a slash', 'ada/../root'],
  ['an ampersand', 'a&b'],
  ['a typographic apostrophe', 'O\u2019Brien'],
]

describe('parseName', () => {
  test.each([
    'a',
    '7',
    'Ada Lovelace',
    "O'Brien-Smith",
    'ada@example.com',
    'a.b_c+d',
    'Zoë Åström',
    'Ελένη',
    'Иван Петров',
    '山田 太郎',
    'विद्या',
    'محمد',
    'x'.repeat(64),
  ])('keeps %j as it is', (name) => {
    expect(parseName(name)).toBe(name)
  })

  test('writes one spelling: composed, without white space around it', () => {
    expect(parseName('  Zoe\u0308\t')).toBe('Zo\u00eb')
    expect(parseName('\u00a0Ada\ufeff')).toBe('Ada')
    expect(parseName('e\u0301'.repeat(64))).toBe('\u00e9'.repeat(64))
  })

  test.each(odd)('refuses %s', (_what, text) => {
    expect(refused(text)).toBe('name_invalid')
  })

  /** Letters and marks by their category, but nobody sees them: with one, two names look like one. */
  const unseen = [0x034f, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x180b, 0x180f, 0x3164, 0xfe00, 0xfe0f, 0xffa0, 0xe0100]
  test.each(unseen)('refuses the invisible letter or mark U+%s', (code) => {
    expect(refused(`Ada${String.fromCodePoint(code)}`)).toBe('name_invalid')
  })

  test('answers a name or refuses, whatever it is given, and its own answer is one more time the same', () => {
    const unit = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 3 }),
      fc.constantFrom(' ', 'a', '\u0301', '\ud800', '.'),
    )
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 12 }), (parts) => {
        const name = refused(parts.join(''))
        if (name !== 'name_invalid') expect(parseName(String(name))).toBe(name)
      }),
      { seed: 9, numRuns: 2000 },
    )
  })
})

describe('nameKey', () => {
  test.each([
    ['letter case', 'Ada', 'ADA'],
    ['full width letters', 'Ada', 'Ａｄａ'],
    ['mathematical letters', 'Ada', '\u{1d400}\u{1d41d}\u{1d41a}'],
    ['ligatures', 'Griffin', 'Gri\ufb03n'],
    ['a long s', 'Jessie', 'Je\u017f\u017fie'],
    ['superscripts', 'user2', 'user\u00b2'],
    ['letter case beyond ASCII', 'Ägir', 'äGIR'],
    ['the Kelvin sign', 'Kim', '\u212aim'],
    ['Roman numerals', 'Henry IV', 'Henry \u2163'],
  ])('takes names that differ only in %s for one', (_what, one, other) => {
    expect(nameKey(parseName(one))).toBe(nameKey(parseName(other)))
  })

  test('tells names apart that a reader can tell apart', () => {
    const names = ['Ada', 'Ada L', 'Adá', 'Ida', 'Ada1', 'Ada.']
    expect(new Set(names.map(nameKey)).size).toBe(names.length)
  })
})
