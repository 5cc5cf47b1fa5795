import { describe, expect, test } from 'vitest'
import { anyOf, nearest, printable, showPath } from '../../../core/access/place.ts'

describe('nearest', () => {
  const known = ['db_labels', 'db_users', 'db_names', 'uri']

  test.each([
    ['db_lables', 'db_labels'],
    ['db_label', 'db_labels'],
    ['dbLabels', 'db_labels'],
    ['DB-Labels', 'db_labels'],
    ['db_user', 'db_users'],
    ['url', 'uri'],
  ])('%s is probably %s', (word, meant) => {
    expect(nearest(word, known)).toBe(meant)
  })

  test.each(['db_roles', 'node_labels', 'app_labels', 'kube_labels', 'logins', 'rules', 'request', '', 'x'.repeat(61)])(
    '%j is a thing of its own',
    (word) => {
      expect(nearest(word, known)).toBeUndefined()
    },
  )
})

test('showPath names places as people write them, and nothing that moves a terminal', () => {
  expect(showPath([])).toBe('')
  expect(showPath(['spec', 'allow', 'db_users', 2])).toBe('spec.allow.db_users[2]')
  expect(showPath(['spec', 'allow', 'db_labels', '*', 0])).toBe('spec.allow.db_labels.*[0]')
  expect(showPath(['metadata', 'labels', 'a.b/c'])).toBe('metadata.labels["a.b/c"]')
  expect(showPath(['\u001b[2J'])).toBe('["\\u{1b}[2J"]')
})

test('printable shows what cannot be seen, and cuts what is long', () => {
  expect(printable('a\nb\u202ec\u200bd\ud800')).toBe('a\\u{a}b\\u{202e}c\\u{200b}d\\u{d800}')
  expect(printable('x'.repeat(61))).toBe(`${'x'.repeat(60)}…`)
  expect(printable('Zoë 水')).toBe('Zoë 水')
})

test('anyOf lists alternatives', () => {
  expect(['a', 'b', 'c'].map((_, at, all) => anyOf(all.slice(at)))).toEqual(['a, b or c', 'b or c', 'c'])
})
