/** What a user document may say, and that whatever else it says is refused by name. */
import { describe, expect, test } from 'vitest'
import { userDocument, userRevision } from '../../../core/access/user.ts'
import type { UserId } from '../../../core/model.ts'
import { acceptsAndRefuses, problemsOf, read, type Wrong } from './reading.ts'
import { changed, user } from './samples.ts'

const many = (count: number) => Array.from({ length: count }, (_, at) => `n${at}`)
const manyTraits = Object.fromEntries(many(65).map((name) => [name, ['x']]))
const unsupported = ['status', 'created_by', 'saml_identities', 'oidc_identities', 'github_identities', 'expires']

describe('user', () => {
  acceptsAndRefuses(
    user,
    [
      ['metadata.name', "Zoë O'Neil", "Zoë O'Neil"],
      ['spec', {}, {}],
      ['spec.roles', [], undefined],
      ['spec.roles', null, undefined],
      ['spec.roles', ['dev', 'access', 'dev'], ['access', 'dev']],
      ['spec.traits', {}, undefined],
      ['spec.traits', { logins: [], db_names: null }, undefined],
      ['spec.traits', { logins: ['b', '*', 'a', 'b', '{{x}}'] }, { logins: ['b', '*', 'a', '{{x}}'] }],
      ['spec.traits', { z: ['1'], constructor: ['x'] }, { constructor: ['x'], z: ['1'] }],
    ],
    [
      ['version', 'v1', '`v1`: not supported in this version: expected v2'],
      ['metadata.name', '../x', '`../x`: expected the name of a user'],
      ['metadata.name', 'a\u202eb', '`a\\u{202e}b`: expected the name of a user'],
      ['metadata.labels', { a: 'b' }, 'user has no field `labels`: not supported in this version'],
      ['metadata.description', 'x', 'user has no field `description`: not supported in this version'],
      ['metadata.expires', '2030-01-01T00:00:00Z', 'user has no field `expires`: not supported in this version'],
      ...unsupported.map((field): Wrong => {
        return [`spec.${field}`, [], `user has no field \`${field}\`: not supported in this version`]
      }),
      ['spec.role', ['dev'], 'user has no field `role`: did you mean `roles`?'],
      ['spec', undefined, 'missing: expected a map of roles, traits'],
      ['spec.roles', 'dev', 'expected a list of text, not text'],
      ['spec.roles', ['Dev'], '[0]: `Dev`: expected the name of a role'],
      ['spec.roles', many(65), '65 entries: at most 64'],
      ['spec.traits', ['logins'], 'expected a map of traits, not a list'],
      ['spec.traits', manyTraits, '65 entries: at most 64'],
      ['spec.traits', { 'a b': ['x'] }, '["a b"]: `a b`: expected a trait of letters, digits and . _ : / -'],
      ['spec.traits', { logins: 'ada' }, '.logins: expected a list of text, not text'],
      ['spec.traits', { logins: [7] }, '.logins[0]: expected text: put 7 in quotes'],
      ['spec.traits', { logins: [''] }, '.logins[0]: expected 1 to 256 characters'],
      ['spec.traits', { logins: ['x'.repeat(257)] }, '.logins[0]: expected 1 to 256 characters'],
      ['spec.traits', { logins: ['a\u200bb'] }, '.logins[0]: has a control or invisible character'],
      ['spec.traits', { logins: many(257) }, '.logins: 257 entries: at most 256'],
    ],
  )

  test('a trait that is named like a part of every object is no trait', () => {
    const json = changed(user, ['spec', 'traits'], JSON.parse('{"__proto__": ["x"]}'))
    expect(problemsOf(json)).toEqual([
      'spec.traits.__proto__: `__proto__`: expected a trait of letters, digits and . _ : / -',
    ])
  })

  test('no larger than what the edge takes', () => {
    const traits = Object.fromEntries(many(10).map((name) => [name, many(256).map((value) => value.padEnd(200, 'x'))]))
    expect(problemsOf(changed(user, ['spec', 'traits'], traits))).toEqual([': too large: at most 128 KiB'])
  })
})

describe('userDocument', () => {
  test('is what reading it gives, whatever the order of the roles', () => {
    const { roles, traits } = user.spec
    const made = userDocument(user.metadata.name, { roles: roles.toReversed(), traits })
    expect(JSON.stringify(read(made))).toBe(JSON.stringify(made))
    expect(made).toEqual(user)
    expect(userDocument('Bob', { roles: [], traits: {} })).toEqual(
      read(changed({ ...user, spec: {} }, ['metadata', 'name'], 'Bob')),
    )
  })
})

test('userRevision: another for another person, role, trait or name', () => {
  const of = (id: string, document = user as Parameters<typeof userRevision>[1]) => userRevision(id as UserId, document)
  const others = [
    of('b'),
    of('a', { ...user, spec: { ...user.spec, roles: ['access'] } }),
    of('a', { ...user, spec: { ...user.spec, traits: { db_users: ['ada'] } } }),
    of('a', { ...user, metadata: { name: 'Ada' } }),
  ]
  expect(new Set([of('a'), ...others]).size).toBe(5)
  expect(of('a')).toMatch(/^[A-Za-z0-9_-]{43}$/)
})
