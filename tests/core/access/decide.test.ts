import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DbDocument } from '../../../core/access/db.ts'
import { type Decision, decide, type Facts, locksByTarget } from '../../../core/access/decide.ts'
import type { LockDocument } from '../../../core/access/lock.ts'
import { defaultPreference } from '../../../core/access/preference.ts'
import type { RoleConditions, RoleDocument, RoleOptions } from '../../../core/access/role.ts'
import { hours, minutes } from '../../../core/model.ts'

const now = 1_800_000_000_000

const pg: DbDocument = {
  kind: 'db',
  version: 'v3',
  metadata: { name: 'pg-1', labels: { env: 'dev', team: 'orders' } },
  spec: { protocol: 'postgres', uri: '127.0.0.1:5432', tls: { mode: 'verify-full' } },
}

const role = (
  name: string,
  allow: RoleConditions = {},
  { deny = {}, options = {} }: { deny?: RoleConditions; options?: RoleOptions } = {},
): RoleDocument => ({ kind: 'role', version: 'v7', metadata: { name }, spec: { options, allow, deny } })

const lockOn = (user: string, more: Partial<LockDocument['spec']> = {}): LockDocument => ({
  kind: 'lock',
  version: 'v2',
  metadata: { name: 'away' },
  spec: { target: { user }, ...more },
})

const reader: RoleConditions = { db_labels: { env: ['dev'] }, db_users: ['reader'], db_names: ['orders'] }
const everything: RoleConditions = { db_labels: { '*': ['*'] }, db_users: ['*'], db_names: ['*'] }

function facts(roles: readonly RoleDocument[], more: Partial<Facts> = {}): Facts {
  return {
    user: { name: 'Ada', roles: roles.map(({ metadata }) => metadata.name) },
    roles: new Map(roles.map((one) => [one.metadata.name, one])),
    locks: new Map(),
    preference: defaultPreference,
    resource: pg,
    principal: { db_user: 'reader', db_name: 'orders' },
    now,
    ...more,
  }
}

const because = (decision: Decision) => (decision.outcome === 'allow' ? 'allow' : decision.because)

describe('decide', () => {
  test.each<[string, Facts, string]>([
    ['no role', facts([]), 'not_allowed'],
    ['a role that names it', facts([role('r', reader)]), 'allow'],
    ['wildcards', facts([role('r', everything)]), 'allow'],
    [
      'a role that the user holds and nobody wrote',
      facts([], { user: { name: 'Ada', roles: ['gone'] } }),
      'not_allowed',
    ],
    ['another label', facts([role('r', { ...reader, db_labels: { env: ['prod'] } })]), 'not_allowed'],
    ['one label of two', facts([role('r', { ...reader, db_labels: { env: ['dev'], tier: ['1'] } })]), 'not_allowed'],
    ['a label with any value', facts([role('r', { ...reader, db_labels: { team: ['*'] } })]), 'allow'],
    [
      'a label that is not there, with any value',
      facts([role('r', { ...reader, db_labels: { tier: ['*'] } })]),
      'not_allowed',
    ],
    [
      'a label of the language itself',
      facts([role('r', { ...reader, db_labels: { constructor: ['*'] } })]),
      'not_allowed',
    ],
    ['labels left out', facts([role('r', { db_users: ['*'], db_names: ['*'] })]), 'not_allowed'],
    ['no label at all', facts([role('r', { ...reader, db_labels: {} })]), 'not_allowed'],
    ['another user', facts([role('r', { ...reader, db_users: ['writer'] })]), 'not_allowed'],
    ['another database', facts([role('r', { ...reader, db_names: ['billing'] })]), 'not_allowed'],
    [
      'user and database of two roles',
      facts([role('a', { ...reader, db_users: ['x'] }), role('b', { ...reader, db_names: ['x'] })]),
      'not_allowed',
    ],
    [
      'a deny of the user, in another role',
      facts([role('a', reader), role('b', {}, { deny: { db_users: ['reader'] } })]),
      'denied',
    ],
    ['a deny of the database', facts([role('a', reader, { deny: { db_names: ['orders'] } })]), 'denied'],
    ['a deny of the labels', facts([role('a', reader, { deny: { db_labels: { env: ['dev'] } } })]), 'denied'],
    ['a deny of other labels', facts([role('a', reader, { deny: { db_labels: { env: ['prod'] } } })]), 'allow'],
    ['a lock', facts([role('r', everything)], { locks: locksByTarget([lockOn('Ada')]) }), 'locked'],
    ['a lock in other letters', facts([role('r', everything)], { locks: locksByTarget([lockOn('ADA')]) }), 'locked'],
    ['a lock of somebody else', facts([role('r', everything)], { locks: locksByTarget([lockOn('Bob')]) }), 'allow'],
    [
      'a lock until now',
      facts([role('r', everything)], {
        locks: locksByTarget([lockOn('Ada', { expires: new Date(now).toISOString() })]),
      }),
      'allow',
    ],
    [
      'a lock for a moment more',
      facts([role('r', everything)], {
        locks: locksByTarget([lockOn('Ada', { expires: new Date(now + 1).toISOString() })]),
      }),
      'locked',
    ],
    [
      'a lock whose end cannot be read',
      facts([role('r', everything)], { locks: locksByTarget([lockOn('Ada', { expires: 'soon' })]) }),
      'locked',
    ],
  ])('%s', (_, given, expected) => {
    expect(because(decide(given))).toBe(expected)
  })

  test('a tap is wanted when any role that reaches the resource wants it, and for nothing that it does not reach', () => {
    const wanting = (labels: RoleConditions['db_labels']) =>
      role('w', labels === undefined ? {} : { db_labels: labels }, { options: { require_session_mfa: true } })
    const tapOf = (...roles: RoleDocument[]) => decide(facts([role('r', reader), ...roles]))
    expect(tapOf()).toMatchObject({ constraints: { tap: false } })
    expect(tapOf(wanting({ env: ['dev'] }))).toMatchObject({ constraints: { tap: true } })
    expect(tapOf(wanting({ env: ['prod'] }))).toMatchObject({ constraints: { tap: false } })
    expect(tapOf(wanting(undefined))).toMatchObject({ constraints: { tap: false } })
  })

  test('the cluster can want a tap for every session, and shorten all of them', () => {
    const preference = { ...defaultPreference, requireSessionMfa: true, defaultSessionTtl: hours(2) }
    expect(decide(facts([role('r', reader)], { preference }))).toMatchObject({
      constraints: { tap: true, maxTtl: hours(2) },
    })
    const short = role('t', {}, { options: { max_session_ttl: '1h' } })
    expect(decide(facts([role('r', reader), short], { preference }))).toMatchObject({
      constraints: { maxTtl: hours(1) },
    })
  })

  test('the shortest life of all roles counts, 12 hours where none says', () => {
    const ttlOf = (...ttls: string[]) =>
      decide(
        facts([role('r', reader), ...ttls.map((ttl, i) => role(`t${i}`, {}, { options: { max_session_ttl: ttl } }))]),
      )
    expect(ttlOf()).toMatchObject({ constraints: { maxTtl: hours(12) } })
    expect(ttlOf('8h', '30m')).toMatchObject({ constraints: { maxTtl: minutes(30) } })
    expect(ttlOf('30h')).toMatchObject({ constraints: { maxTtl: hours(12) } })
    expect(ttlOf('a while')).toMatchObject({ constraints: { maxTtl: 0 } })
  })

  test('the trace says of each role what it said, and remedies what would help', () => {
    const roles = [role('a', { ...reader, db_users: ['writer'] }), role('b', everything, { deny: { db_names: ['x'] } })]
    expect(decide(facts(roles.slice(0, 1))).trace()).toEqual(['a: allow.db_users does not match'])
    expect(decide(facts(roles.slice(0, 1)))).toMatchObject({
      remedies: [
        {
          told: 'Your roles allow --db-user=writer and --db-name=orders there.',
          command: 'sallyport db connect pg-1 --db-user=writer --db-name=orders',
        },
      ],
    })
    expect(decide(facts(roles)).trace()).toEqual(['a: allow.db_users does not match', 'b: allows'])
    expect(decide(facts([], { locks: locksByTarget([lockOn('Ada', { message: 'On leave.' })]) }))).toMatchObject({
      told: 'This user is locked: On leave.',
    })
  })
})

describe('decide, whatever the policy', () => {
  const word = fc.constantFrom('*', 'dev', 'prod', 'reader', 'writer', 'orders', 'billing')
  const words = fc.array(word, { maxLength: 3 })
  const labels = fc.dictionary(fc.constantFrom('env', 'team', '*', 'tier'), words, { maxKeys: 2 })
  const conditions: fc.Arbitrary<RoleConditions> = fc.record(
    { db_labels: labels, db_users: words, db_names: words },
    { requiredKeys: [] },
  )
  const options: fc.Arbitrary<RoleOptions> = fc.record(
    { require_session_mfa: fc.boolean(), max_session_ttl: fc.constantFrom('5m', '1h', '20h') },
    { requiredKeys: [] },
  )
  const roles = fc
    .array(fc.record({ allow: conditions, deny: conditions, options }), { maxLength: 4 })
    .map((all) => all.map(({ allow, ...more }, i) => role(`r${i}`, allow, more)))

  test('one more deny never widens', () => {
    fc.assert(
      fc.property(roles, conditions, (given, deny) => {
        const [before, after] = [decide(facts(given)), decide(facts([...given, role('more', {}, { deny })]))]
        if (before.outcome === 'refuse') expect(after.outcome).toBe('refuse')
      }),
    )
  })

  test('a deny that matches beats whatever allows', () => {
    fc.assert(
      fc.property(roles, (given) => {
        const denying = role('deny', everything, { deny: { db_users: ['reader'] } })
        expect(decide(facts([...given, denying])).outcome).toBe('refuse')
      }),
    )
  })

  test('of two settings the stricter wins', () => {
    fc.assert(
      fc.property(roles, options, (given, more) => {
        const [before, after] = [
          decide(facts(given)),
          decide(facts([...given, role('more', everything, { options: more })])),
        ]
        if (before.outcome === 'refuse' || after.outcome === 'refuse') return
        expect(after.constraints.maxTtl).toBeLessThanOrEqual(before.constraints.maxTtl)
        if (before.constraints.tap) expect(after.constraints.tap).toBe(true)
      }),
    )
  })

  test('a lock refuses, whatever allows', () => {
    fc.assert(
      fc.property(roles, (given) => {
        expect(
          because(decide(facts([...given, role('all', everything)], { locks: locksByTarget([lockOn('ada')]) }))),
        ).toBe('locked')
      }),
    )
  })
})
