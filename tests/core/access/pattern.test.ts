import { describe, expect, test } from 'vitest'
import { matches, shown, type Traits, whyNoPattern } from '../../../core/access/pattern.ts'

const traits: Traits = { logins: ['ada', '*', '^.*$'], team: ['orders', 'ops'], 'https://idp.example/groups': ['dba'] }
const match = (pattern: string, text: string, of: Traits = traits) => matches([pattern], text, of)

describe('matches', () => {
  test.each([
    ['*', 'anything at all', true],
    ['web-1', 'web-1', true],
    ['web-1', 'web-10', false],
    ['web-1', 'Web-1', false],
    ['web-*', 'web-', true],
    ['web-*', 'web-1.eu', true],
    ['web-*', 'x-web-1', false],
    ['*-prod-*', 'db-prod-1', true],
    ['a.c*', 'abcd', false],
    ['^web-\\d+$', 'web-42', true],
    ['^web-\\d+$', 'web-42\n', false],
    ['^(dev|test)$', 'test', true],
    ['^(dev|test)$', 'attest', false],
    ['^a|b$', 'ax', false],
    ['{{internal.logins}}', 'ada', true],
    ['{{ external.team }}', 'ops', true],
    ['svc-{{external.team}}-ro', 'svc-orders-ro', true],
    ['{{external["https://idp.example/groups"]}}', 'dba', true],
    ['{{external.nothing}}', '', false],
    ['{{external.nothing}}', '{{external.nothing}}', false],
  ])('%s of %s: %s', (pattern, text, expected) => {
    expect(match(pattern, text)).toBe(expected)
  })

  test('what stands in a trait is text: an asterisk or an expression there widens nothing', () => {
    expect(match('{{internal.logins}}', 'root')).toBe(false)
    expect(match('{{internal.logins}}', '*')).toBe(true)
    expect(match('{{internal.logins}}', '^.*$')).toBe(true)
  })

  test('what a prototype has is no trait', () => {
    expect(match('{{external.constructor}}', 'x', {})).toBe(false)
    expect(match('{{external.__proto__}}', 'x', {})).toBe(false)
  })

  test('an expression that would run for years where it is tried backwards ends', () => {
    const text = `${'a'.repeat(255)}b`
    for (const pattern of ['^(a+)+$', '^(a|a)*$', '^(a*)*c$', '^(.*a){12}$', `^${'a*'.repeat(100)}c$`]) {
      expect([pattern, match(pattern, text)]).toEqual([pattern, false])
    }
    expect(match(`${'*a'.repeat(60)}*`, text.slice(0, 80).replaceAll('a', 'b'))).toBe(false)
  })

  test('what no longer can be read matches nothing but itself', () => {
    expect(match('^(a$', 'a')).toBe(false)
    expect(match('{{email.local(external.email)}}', 'ada')).toBe(false)
  })
})

describe('whyNoPattern', () => {
  test.each([
    ['*', undefined],
    ['web-*', undefined],
    ['^web-\\d+$', undefined],
    ['{{internal.logins}}', undefined],
    ['x-{{external.any-name}}-y', undefined],
    ['^web', '`^web`: a regular expression ends with `$`, so that it is of the whole text'],
    ['^(a$', "`^(a$`: no regular expression in RE2's syntax"],
    ['^(a)\\1$', "`^(a)\\1$`: no regular expression in RE2's syntax"],
    ['^(?=a)a$', "`^(?=a)a$`: no regular expression in RE2's syntax"],
    [
      '{{internal.teams}}',
      '`{{internal.teams}}`: internal traits are logins, windows_logins, kubernetes_users, kubernetes_groups, db_users or db_names',
    ],
    [
      '{{email.local(external.email)}}',
      '`{{email.local(external.email)}}`: expected one template such as {{internal.logins}} or {{external.team}}',
    ],
    [
      '{{external.a}}{{external.b}}',
      '`{{external.a}}{{external.b}}`: expected one template such as {{internal.logins}} or {{external.team}}',
    ],
    ['a}}', '`a}}`: expected one template such as {{internal.logins}} or {{external.team}}'],
  ])('%s', (pattern, expected) => {
    expect(whyNoPattern(pattern)).toBe(expected)
  })
})

describe('shown', () => {
  test('fills templates in, and leaves patterns as they are written', () => {
    expect(shown(['root', 'web-*', '{{external.team}}', '{{external.nothing}}'], traits)).toEqual([
      'root',
      'web-*',
      'orders',
      'ops',
    ])
  })
})
