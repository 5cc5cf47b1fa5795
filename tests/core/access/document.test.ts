/** What a document may say, and that whatever else it says is refused by name. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseDocument, revisionOf } from '../../../core/access/document.ts'
import { isPreset, presets } from '../../../core/access/presets.ts'
import { canonicalJson, type Json } from '../../../core/intent.ts'
import { acceptsAndRefuses, dotted, problemsOf, read, type Wrong } from './reading.ts'
import { certificate, changed, db, lock, preference, role } from './samples.ts'

const samples: Record<string, Json> = { role, db, lock, cluster_auth_preference: preference }
const longText = 'x'.repeat(257)
const manyLabels = Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`l${at}`, 'x']))
const manyNames = Array.from({ length: 257 }, (_, at) => `n${at}`)
const characters = 'expected 1 to 256 characters'
const invisible = 'has a control or invisible character'

describe('any document', () => {
  acceptsAndRefuses(
    role,
    [
      ['metadata.description', '', undefined],
      ['metadata.description', ' Two\r\nlines \n', 'Two\nlines'],
      ['metadata.description', 'Zoë 👩‍💻', 'Zoë 👩‍💻'],
      ['metadata.labels', {}, undefined],
      ['metadata.labels', null, undefined],
      ['metadata.labels', { 'a.b/c:d_e-f': 'x y', constructor: 'z' }, { 'a.b/c:d_e-f': 'x y', constructor: 'z' }],
    ],
    [
      ['kind', undefined, 'missing: expected role, db, lock or cluster_auth_preference'],
      ['kind', 7, 'expected role, db, lock or cluster_auth_preference, not a number'],
      ['kind', 'node', '`node`: not supported in this version: expected role, db, lock or cluster_auth_preference'],
      ['kind', 'roles', '`roles`: did you mean `role`?'],
      [
        'kind',
        '__proto__',
        '`__proto__`: not supported in this version: expected role, db, lock or cluster_auth_preference',
      ],
      ['version', undefined, 'missing: expected v5, v6 or v7'],
      ['version', 7, 'expected v5, v6 or v7, not a number'],
      ['version', '', '``: not supported in this version: expected v5, v6 or v7'],
      ['metadata', undefined, 'missing: expected a map of name, description, labels'],
      ['metadata', null, 'expected a map of name, description, labels, not nothing'],
      ['metadata.name', undefined, 'missing: expected text'],
      ['metadata.description', null, 'expected text, not nothing'],
      ['metadata.description', 'x'.repeat(1025), 'expected at most 1024 characters'],
      ['metadata.description', 'a\u202eb', invisible],
      ['metadata.description', 'a\u001bb', invisible],
      ['metadata.labels', ['a'], 'expected a map of labels, not a list'],
      ['metadata.labels', manyLabels, '65 entries: at most 64'],
      ['metadata.labels', { env: ['dev'] }, '.env: expected text, not a list'],
      ['metadata.labels', { '*': 'x' }, '.*: `*`: expected a label of letters, digits and . _ : / -'],
      ['metadata.labels', { _x: 'x' }, '._x: `_x`: expected a label of letters, digits and . _ : / -'],
      ['metadata.revision', 'x', 'role has no field `revision`: not supported in this version'],
      ['spec', undefined, 'missing: expected a map of options, allow, deny'],
      ['sub_kind', 'x', 'role has no field `sub_kind`: not supported in this version'],
    ],
  )

  test.each([null, 1, 'x', true, []])('refuses %j', (json) => {
    expect(problemsOf(json)).toEqual([
      expect.stringMatching(/^: expected a map of kind, version, metadata, spec, not /),
    ])
  })

  test('says what was probably meant where the kind is misspelt', () => {
    expect(problemsOf({ ...role, kind: null, Kind: 'role' })).toEqual([
      'kind: expected role, db, lock or cluster_auth_preference, not nothing',
    ])
    const { kind: _, ...rest } = role
    expect(problemsOf({ ...rest, Kind: 'role' })).toEqual([
      'Kind: a document has no field `Kind`: did you mean `kind`?',
      'kind: missing: expected role, db, lock or cluster_auth_preference',
    ])
  })

  test('does not take from a prototype what is missing', () => {
    expect(problemsOf(Object.create(role) as Json)).toEqual([
      'kind: missing: expected role, db, lock or cluster_auth_preference',
    ])
  })

  test('tells all problems at once, a hundred at most', () => {
    const two = changed(changed(role, ['version'], 'v8'), dotted('spec.allow.logins'), ['root'])
    expect(problemsOf(two)).toEqual([
      'version: `v8`: not supported in this version: expected v5, v6 or v7',
      'spec.allow.logins: role has no field `logins`: not supported in this version',
    ])
    const many = Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`field${at}`, at]))
    expect(problemsOf({ ...role, ...many })).toHaveLength(100)
  })

  test('refuses what fits each bound and is too large as a whole', () => {
    const entries = Array.from({ length: 256 }, (_, at) => `${at}`.padEnd(256, 'x'))
    const large = changed(role, dotted('spec.allow'), { db_users: entries, db_names: entries })
    expect(problemsOf(large)).toEqual([': too large: at most 128 KiB'])
  })
})

const literal = 'not supported in this version: name each value'
const star = '`*` within text is not supported in this version: name each, or `*` for all'

describe('a role', () => {
  acceptsAndRefuses(
    role,
    [
      ['version', 'v5', 'v5'],
      ['version', 'v6', 'v6'],
      ['metadata.name', '0', '0'],
      ['metadata.name', 'a'.repeat(63), 'a'.repeat(63)],
      ['spec', {}, { options: {}, allow: {}, deny: {} }],
      ['spec', { options: null, allow: null, deny: null }, { options: {}, allow: {}, deny: {} }],
      ['spec.options.max_session_ttl', '30h0m0s', '30h'],
      ['spec.options.max_session_ttl', '1m', '1m'],
      ['spec.options.require_session_mfa', false, false],
      ['spec.options.require_session_mfa', 'yes', true],
      ['spec.options.require_session_mfa', 'On', true],
      ['spec.options.require_session_mfa', 'TRUE', true],
      ['spec.options.require_session_mfa', 'no', false],
      ['spec.options.require_session_mfa', 'off', false],
      ['spec.options.require_session_mfa', 'false', false],
      ['spec.options.device_flow', true, true],
      ['spec.options.device_flow', 'Yes', true],
      ['spec.options.device_flow', false, false],
      ['spec.allow.db_labels', null, undefined],
      ['spec.allow.db_labels', {}, undefined],
      ['spec.allow.db_labels', { '*': '*' }, { '*': ['*'] }],
      ['spec.allow.db_labels', { env: 'dev', team: '*' }, { env: ['dev'], team: ['*'] }],
      ['spec.allow.db_labels', { env: ['b', 'a', 'b'] }, { env: ['b', 'a'] }],
      ['spec.allow.db_users', [], undefined],
      ['spec.allow.db_users', null, undefined],
      ['spec.allow.db_users', ['*'], ['*']],
      ['spec.allow.db_users', ['ada@example.com', 'svc$', 'Zoë'], ['ada@example.com', 'svc$', 'Zoë']],
      ['spec.deny', { db_labels: { env: 'prod' } }, { db_labels: { env: ['prod'] } }],
    ],
    [
      ['metadata.name', 'Dev', '`Dev`: expected a name of 1 to 63 lower case letters, digits and -'],
      ['metadata.name', '', '``: expected a name of 1 to 63 lower case letters, digits and -'],
      ['metadata.name', '-a', '`-a`: expected a name of 1 to 63 lower case letters, digits and -'],
      ['metadata.name', 'a\n', '`a\\u{a}`: expected a name of 1 to 63 lower case letters, digits and -'],
      ['metadata.name', 'access', 'the role `access` is built in: choose another name'],
      ['metadata.name', 'editor', 'the role `editor` is built in: choose another name'],
      ['metadata.name', 'auditor', 'the role `auditor` is built in: choose another name'],
      ['spec.options.max_session_ttl', 8, 'expected text: put 8 in quotes'],
      ['spec.options.max_session_ttl', null, 'expected text, not nothing'],
      ['spec.options.max_session_ttl', 'long', '`long`: expected a duration such as 8h or 1h30m'],
      ['spec.options.max_session_ttl', '59s', 'expected 1m to 30h'],
      ['spec.options.max_session_ttl', '30h1s', 'expected 1m to 30h'],
      ['spec.options.require_session_mfa', null, 'expected true or false, not nothing'],
      ['spec.options.require_session_mfa', 1, 'expected true or false, not a number'],
      ['spec.options.require_session_mfa', 'y', '`y`: expected true or false'],
      [
        'spec.options.require_session_mfa',
        'hardware_key_touch',
        '`hardware_key_touch`: not supported in this version: true asks for a tap',
      ],
      ['spec.options.device_flow', null, 'expected true or false, not nothing'],
      ['spec.options.device_flow', 'hardware_key', '`hardware_key`: expected true or false'],
      [
        'spec.options.device_trust_mode',
        'required',
        'role has no field `device_trust_mode`: not supported in this version',
      ],
      ['spec.allow.logins', [], 'role has no field `logins`: not supported in this version'],
      ['spec.allow.node_labels', {}, 'role has no field `node_labels`: not supported in this version'],
      ['spec.allow.db_roles', [], 'role has no field `db_roles`: not supported in this version'],
      ['spec.deny.db_lables', {}, 'role has no field `db_lables`: did you mean `db_labels`?'],
      ['spec.deny', [], 'expected a map of db_labels, db_users, db_names, not a list'],
      ['spec.allow.db_users', 'ada', 'expected a list of text, not text'],
      ['spec.allow.db_users', { ada: true }, 'expected a list of text, not a map'],
      ['spec.allow.db_users', manyNames, '257 entries: at most 256'],
      ['spec.allow.db_users', ['a', 7], '[1]: expected text: put 7 in quotes'],
      ['spec.allow.db_users', ['a', null], '[1]: expected text, not nothing'],
      ['spec.allow.db_users', [''], `[0]: ${characters}`],
      ['spec.allow.db_users', [longText], `[0]: ${characters}`],
      ['spec.allow.db_users', [' a'], '[0]: has white space at its ends'],
      ['spec.allow.db_users', ['a\u0000'], `[0]: ${invisible}`],
      ['spec.allow.db_users', ['a\u200bb'], `[0]: ${invisible}`],
      ['spec.allow.db_users', ['\ud800'], `[0]: ${invisible}`],
      ['spec.allow.db_users', ['{{internal.db_users}}'], `[0]: templates \`{{…}}\` are ${literal}`],
      ['spec.deny.db_names', ['^prod-.*$'], `[0]: regular expressions \`^…$\` are ${literal}`],
      ['spec.deny.db_names', ['prod-*'], `[0]: ${star}`],
      ['spec.deny.db_names', ['**'], `[0]: ${star}`],
      ['spec.allow.db_labels', [], 'expected a map of labels, not a list'],
      ['spec.allow.db_labels', manyLabels, '65 entries: at most 64'],
      ['spec.allow.db_labels', { env: [] }, '.env: expected at least one value'],
      ['spec.allow.db_labels', { env: null }, '.env: expected text, not nothing'],
      ['spec.allow.db_labels', { env: true }, '.env: expected text: put true in quotes'],
      ['spec.allow.db_labels', { env: ['a', 'b-*'] }, `.env[1]: ${star}`],
      ['spec.allow.db_labels', { 'en*': 'x' }, '.en*: `en*`: expected a label of letters, digits and . _ : / -'],
      ['spec.allow.db_labels', { '*': 'dev' }, '.*: the label `*` takes only the value `*`: name the label'],
      ['spec.allow.db_labels', { '*': ['*', 'a'] }, '.*: the label `*` takes only the value `*`: name the label'],
    ],
  )
})

describe('a database', () => {
  const unverified = 'mode `insecure` verifies nothing: choose verify-full or leave out ca_cert'
  const spec = { protocol: 'postgres', uri: 'db:5432' } as const
  acceptsAndRefuses(
    db,
    [
      ['metadata.name', 'a', 'a'],
      ['spec', spec, { ...spec, tls: { mode: 'verify-full' } }],
      ['spec.tls', null, { mode: 'verify-full' }],
      ['spec.tls', { mode: 'insecure' }, { mode: 'insecure' }],
      ['spec.tls', { mode: 'insecure', server_name: 'A.b' }, { mode: 'insecure', server_name: 'a.b' }],
      ['spec.tls', { mode: 'verify-ca', ca_cert: `CA\n${certificate}` }, { mode: 'verify-ca', ca_cert: certificate }],
      ['spec.uri', '[2001:DB8::0]:5432', '[2001:db8::]:5432'],
    ],
    [
      ...['', 'A', 'a.b', '-a', 'a-', 'a_b', 'a'.repeat(64)].map((name): Wrong => {
        const shown = name.length > 60 ? `${name.slice(0, 60)}…` : name
        const expected = 'a name of 1 to 63 lower case letters, digits and -, with no - at its ends'
        return ['metadata.name', name, `\`${shown}\`: expected ${expected}`]
      }),
      ['version', 'v2', '`v2`: not supported in this version: expected v3'],
      ['version', 'V3', '`V3`: did you mean `v3`?'],
      ['spec.protocol', 'mysql', '`mysql`: not supported in this version: expected postgres'],
      ['spec.protocol', 'postgresql', '`postgresql`: did you mean `postgres`?'],
      ['spec.protocol', undefined, 'missing: expected postgres'],
      ['spec.uri', undefined, 'missing: expected text'],
      ['spec.uri', 5432, 'expected text: put 5432 in quotes'],
      ['spec.uri', 'postgres://db:5432', 'leave out the scheme: expected HOST:PORT'],
      ['spec.tls.mode', 'none', '`none`: not supported in this version: expected verify-full, verify-ca or insecure'],
      ['spec.tls.mode', null, 'expected verify-full, verify-ca or insecure, not nothing'],
      ['spec.tls.ca_cert', '/etc/ca.pem', 'expected certificates in PEM: -----BEGIN CERTIFICATE-----'],
      ['spec.tls.server_name', 'a b', '`a b`: expected a host name'],
      ['spec.tls', { mode: 'insecure', ca_cert: certificate }, `.ca_cert: ${unverified}`],
      ['spec.aws', {}, 'db has no field `aws`: not supported in this version'],
      [
        'spec.tls.trust_system_cert_pool',
        true,
        'db has no field `trust_system_cert_pool`: not supported in this version',
      ],
    ],
  )
})

describe('a lock', () => {
  const instant = 'expected an instant such as 2030-01-31T12:00:00Z'
  const target = (name: string): Wrong => [
    `spec.target.${name}`,
    'x',
    `lock target has no field \`${name}\`: not supported in this version`,
  ]
  const targets = ['role', 'login', 'node', 'server_id', 'device', 'mfa_device', 'windows_desktop', 'access_request']
  acceptsAndRefuses(
    lock,
    [
      ['metadata.name', '7f0b1c9e-58a5-4a4b-9c3e-0d0f2f1b7a11', '7f0b1c9e-58a5-4a4b-9c3e-0d0f2f1b7a11'],
      ['spec', { target: { user: 'ada' } }, { target: { user: 'ada' } }],
      ['spec.target.user', ' Zoe\u0308 ', 'Zoë'],
      ['spec.message', '', undefined],
      ['spec.message', 'Ask Bob\n', 'Ask Bob'],
      ['spec.expires', '2030-01-31T14:00:00+02:00', '2030-01-31T12:00:00Z'],
      ['spec.expires', '2030-01-31t12:00:00z', '2030-01-31T12:00:00Z'],
      ['spec.expires', '2030-01-31T12:00:00.5Z', '2030-01-31T12:00:00.500Z'],
      ['spec.expires', '2030-01-31T12:00:00.123456789Z', '2030-01-31T12:00:00.123Z'],
      ['spec.expires', '2028-02-29T00:00:00Z', '2028-02-29T00:00:00Z'],
    ],
    [
      ...targets.map(target),
      ['spec.target.users', 'x', 'lock target has no field `users`: did you mean `user`?'],
      ['spec.target', {}, '.user: missing: expected text'],
      ['spec.target', undefined, 'missing: expected a map of user'],
      ['spec.target.user', '', '``: expected the name of a user'],
      ['spec.target.user', '*', '`*`: expected the name of a user'],
      ['spec.message', longText, characters],
      ['spec.message', 'two\nlines', invisible],
      ['spec.expires', null, 'expected text, not nothing'],
      ['spec.expires', '', `\`\`: ${instant}`],
      [
        'metadata.name',
        'a b',
        '`a b`: expected a name of 1 to 128 letters, digits and . _ -, beginning with one of the first two',
      ],
      ...[
        '2030-01-31',
        '2030-01-31T12:00:00',
        '2030-01-31 12:00:00Z',
        '2030-02-30T12:00:00Z',
        '2029-02-29T12:00:00Z',
        '2030-13-01T12:00:00Z',
        '2030-01-31T24:00:00Z',
        '2030-01-31T12:00:60Z',
        '2030-01-31T12:00:00+24:00',
        '0000-01-01T00:00:00+01:00',
        '9999-12-31T23:59:59-01:00',
        '2030-01-31T12:00:00Z\n',
        'tomorrow',
        '24h',
      ].map((text): Wrong => ['spec.expires', text, `\`${text.replace('\n', '\\u{a}')}\`: ${instant}`]),
    ],
  )
})

describe('presets', () => {
  test('are access, editor and auditor, which nobody may write', () => {
    expect(presets.map((preset) => preset.metadata.name)).toEqual(['access', 'editor', 'auditor'])
    for (const preset of presets) {
      expect(isPreset(preset.metadata.name)).toBe(true)
      expect(problemsOf(preset)).toHaveLength(1)
      const renamed = changed(preset, ['metadata', 'name'], 'other')
      expect(read(renamed)).toEqual(renamed)
    }
    expect(isPreset('dev')).toBe(false)
  })
})

describe('revisionOf', () => {
  test('is 32 bytes, and the same for the same content however it was written', () => {
    const turned = Object.fromEntries(Object.entries(role).reverse())
    expect(revisionOf(read(turned))).toBe(revisionOf(role))
    expect(revisionOf(role)).toMatch(/^[A-Za-z0-9_-]{43}$/)
  })

  test('changes with any content', () => {
    const other = changed(role, dotted('spec.allow.db_users'), ['writer'])
    expect(revisionOf(read(other))).not.toBe(revisionOf(role))
  })
})

/** Every map in a document whose fields are named by this version, by path. */
const closedMaps: Record<string, readonly string[]> = {
  role: ['', 'metadata', 'spec', 'spec.options', 'spec.allow', 'spec.deny'],
  db: ['', 'metadata', 'spec', 'spec.tls'],
  lock: ['', 'metadata', 'spec', 'spec.target'],
}
const places = Object.entries(closedMaps).flatMap(([kind, paths]) => paths.map((path) => ({ kind, path })))

/** Like a document in parts, so that readers are reached in depth. */
const nearlyDocument: fc.Arbitrary<Json> = fc
  .record({
    sample: fc.constantFrom(role, db, lock),
    path: fc.constantFrom(
      ...[
        'kind',
        'version',
        'metadata',
        'metadata.name',
        'metadata.labels',
        'metadata.labels.env',
        'metadata.description',
      ],
      ...[
        'spec',
        'spec.options',
        'spec.allow',
        'spec.allow.db_labels',
        'spec.allow.db_labels.env',
        'spec.deny.db_users',
      ],
      ...[
        'spec.uri',
        'spec.tls',
        'spec.tls.ca_cert',
        'spec.target',
        'spec.target.user',
        'spec.message',
        'spec.expires',
      ],
    ),
    value: fc.oneof(
      fc.jsonValue() as fc.Arbitrary<Json>,
      fc.string({ unit: 'binary' }),
      fc.array(fc.string()),
      fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.array(fc.string()))),
    ),
  })
  .map(({ sample, path, value }) => changed(sample, dotted(path), value as Json))

describe('parseDocument', () => {
  test('never throws, and what it reads is canonical: read again, from canonical JSON too, it is the same', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue() as fc.Arbitrary<Json>, nearlyDocument), (json) => {
        const parsed = parseDocument(json)
        if (parsed.kind === 'invalid') {
          expect(parsed.problems.length).toBeGreaterThan(0)
          return
        }
        expect(read(parsed.value)).toEqual(parsed.value)
        const stored = JSON.parse(new TextDecoder().decode(canonicalJson(parsed.value))) as Json
        expect(JSON.stringify(read(stored))).toBe(JSON.stringify(parsed.value))
      }),
      { numRuns: 2000 },
    )
  })

  test('refuses a field that it does not know, wherever it stands and whatever it holds', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...places),
        fc.string({ minLength: 1 }),
        fc.jsonValue(),
        ({ kind, path }, name, value) => {
          const sample = samples[kind]!
          const steps = path === '' ? [] : dotted(path)
          const map = steps.reduce<Json>((json, step) => (json as Record<string, Json>)[step]!, sample) as Record<
            string,
            Json
          >
          fc.pre(!['db_labels', 'db_users', 'db_names', 'description', 'labels', ...Object.keys(map)].includes(name))
          const member = Object.defineProperty({ ...map }, name, { value, enumerable: true }) as Json
          const parsed = parseDocument(changed(sample, steps, member))
          expect(parsed).toMatchObject({ kind: 'invalid', problems: [{ path: [...steps, name] }] })
        },
      ),
      { numRuns: 1000 },
    )
  })
})
