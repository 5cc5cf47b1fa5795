/** What a document may say, and that whatever else it says is refused by name. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseDocument, revisionOf } from '../../../core/access/document.ts'
import { lockTargets } from '../../../core/access/lock.ts'
import { administratorRoles, isPreset, presets } from '../../../core/access/presets.ts'
import { canonicalJson, type Json } from '../../../core/intent.ts'
import { acceptsAndRefuses, dotted, problemsOf, read, readPolicy, type Wrong } from './reading.ts'
import {
  app,
  certificate,
  changed,
  db,
  kubeCluster,
  lock,
  node,
  preference,
  role,
  user,
  windowsDesktop,
} from './samples.ts'

const samples: Record<string, Json> = {
  role,
  node,
  db,
  kube_cluster: kubeCluster,
  app,
  windows_desktop: windowsDesktop,
  lock,
  cluster_auth_preference: preference,
  user,
}
const kinds = 'role, node, db, kube_cluster, app, windows_desktop, lock, cluster_auth_preference or user'
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
      ['kind', undefined, `missing: expected ${kinds}`],
      ['kind', 7, `expected ${kinds}, not a number`],
      ['kind', 'token', `\`token\`: not supported in this version: expected ${kinds}`],
      ['kind', 'roles', '`roles`: did you mean `role`?'],
      ['kind', '__proto__', `\`__proto__\`: not supported in this version: expected ${kinds}`],
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
    expect(problemsOf({ ...role, kind: null, Kind: 'role' })).toEqual([`kind: expected ${kinds}, not nothing`])
    const { kind: _, ...rest } = role
    expect(problemsOf({ ...rest, Kind: 'role' })).toEqual([
      'Kind: a document has no field `Kind`: did you mean `kind`?',
      `kind: missing: expected ${kinds}`,
    ])
  })

  test('does not take from a prototype what is missing', () => {
    expect(problemsOf(Object.create(role) as Json)).toEqual([`kind: missing: expected ${kinds}`])
  })

  test('tells all problems at once, a hundred at most', () => {
    const two = changed(changed(role, ['version'], 'v8'), dotted('spec.allow.join_sessions'), ['root'])
    expect(problemsOf(two)).toEqual([
      'version: `v8`: not supported in this version: expected v5, v6 or v7',
      'spec.allow.join_sessions: role has no field `join_sessions`: not supported in this version',
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

const template = 'expected one template such as {{internal.logins}} or {{external.team}}'

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
      ['spec.options.bearer_grants', 'no', false],
      ['spec.options.bearer_grants', true, true],
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
      ['spec.allow.db_users', ['a-*', '^b$', '{{external.x}}'], ['a-*', '^b$', '{{external.x}}']],
      ['spec.allow.node_labels', { env: 'prod-*' }, { env: ['prod-*'] }],
      ['spec.allow.kubernetes_resources', [{ kind: 'pod', verbs: ['*'] }], [{ kind: 'pod', verbs: ['*'] }]],
      ['spec.allow.rules', [], undefined],
      ['spec.allow.kubernetes_users', ['ada'], ['ada']],
      ['spec.options.max_sessions', 0, undefined],
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
        'required-for-humans',
        '`required-for-humans`: not supported in this version: expected off, optional or required',
      ],
      ['spec.options.lock', 'off', '`off`: not supported in this version: expected strict or best_effort'],
      ['spec.options.client_idle_timeout', '1s', 'expected 1m to 24h'],
      ['spec.options.max_sessions', -1, 'expected a whole number, 1 to 100000'],
      ['spec.options.max_connections', '3', 'expected a whole number, 1 to 100000'],
      ['spec.options.forward_agent', true, 'role has no field `forward_agent`: not supported in this version'],
      ['spec.allow.request', {}, 'role has no field `request`: not supported in this version'],
      [
        'spec.allow.require_session_join',
        [],
        'role has no field `require_session_join`: not supported in this version',
      ],
      ['spec.allow.rules', {}, 'expected a list of rules, each with resources and verbs'],
      ['spec.allow.rules', [{ resources: ['role'] }], '[0].verbs: missing: expected a list of text'],
      ['spec.allow.rules', [{ resources: [], verbs: ['list'] }], '[0].resources: expected at least one'],
      [
        'spec.allow.rules',
        [{ resources: ['roles'], verbs: ['list'] }],
        '[0].resources[0]: `roles`: did you mean `role`?',
      ],
      [
        'spec.allow.rules',
        [{ resources: ['role'], verbs: ['list'], where: 'x' }],
        '[0].where: a rule has no field `where`: not supported in this version',
      ],
      ['spec.allow.kubernetes_resources', [{ namespace: 'a' }], '[0].kind: missing: expected text'],
      [
        'spec.allow.impersonate',
        { where: 'x' },
        '.where: impersonate has no field `where`: not supported in this version',
      ],
      ['spec.allow.impersonate', { user: ['a'] }, '.user: impersonate has no field `user`: did you mean `users`?'],
      ['spec.deny.impersonate', ['a'], 'expected a map of users, roles, not a list'],
      ['spec.allow.impersonate', { users: ['^(a$'] }, ".users[0]: `^(a$`: no regular expression in RE2's syntax"],
      ['spec.allow.db_roles', [], 'role has no field `db_roles`: not supported in this version'],
      ['spec.deny.db_lables', {}, 'role has no field `db_lables`: did you mean `db_labels`?'],
      [
        'spec.deny',
        [],
        'expected a map of logins, node_labels, db_labels, db_users, db_names, app_labels, kubernetes_labels, kubernetes_groups, kubernetes_users, kubernetes_resources, windows_desktop_labels, windows_desktop_logins, hosts, rules, impersonate, not a list',
      ],
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
      ['spec.allow.db_users', ['{{email.local(x)}}'], `[0]: \`{{email.local(x)}}\`: ${template}`],
      ['spec.deny.db_names', ['^prod-(.*$'], "[0]: `^prod-(.*$`: no regular expression in RE2's syntax"],
      ['spec.allow.db_labels', [], 'expected a map of labels, not a list'],
      ['spec.allow.db_labels', manyLabels, '65 entries: at most 64'],
      ['spec.allow.db_labels', { env: [] }, '.env: expected at least one value'],
      ['spec.allow.db_labels', { env: null }, '.env: expected text, not nothing'],
      ['spec.allow.db_labels', { env: true }, '.env: expected text: put true in quotes'],
      [
        'spec.allow.db_labels',
        { env: ['a', '^b'] },
        '.env[1]: `^b`: a regular expression ends with `$`, so that it is of the whole text',
      ],
      ['spec.allow.db_labels', { 'en*': 'x' }, '.en*: `en*`: expected a label of letters, digits and . _ : / -'],
      ['spec.allow.db_labels', { '*': 'dev' }, '.*: the label `*` takes only the value `*`: name the label'],
      ['spec.allow.db_labels', { '*': ['*', 'a'] }, '.*: the label `*` takes only the value `*`: name the label'],
    ],
  )
})

describe('a database', () => {
  const mysqlTls =
    'mysql asks for TLS within its protocol, which the proxy passes as it is: write `tls: { mode: disable }`, and let clients verify the server'
  const unverified = 'mode `insecure` verifies nothing: choose verify-full or leave out ca_cert'
  const spec = { protocol: 'postgres', uri: 'db:5432' } as const
  acceptsAndRefuses(
    db,
    [
      ['metadata.name', 'a', 'a'],
      ['spec', spec, { ...spec, tls: { mode: 'verify-full' } }],
      ['spec.tls', null, { mode: 'verify-full' }],
      ['spec.tls', { mode: 'insecure' }, { mode: 'insecure' }],
      ...(['redis', 'mongodb'] as const).flatMap((protocol): readonly (readonly [string, Json, Json])[] => [
        ['spec', { ...spec, protocol }, { ...spec, protocol, tls: { mode: 'verify-full' } }],
        ['spec', { ...spec, protocol, tls: { mode: 'disable' } }, { ...spec, protocol, tls: { mode: 'disable' } }],
      ]),
      [
        'spec',
        { ...spec, protocol: 'mysql', tls: { mode: 'disable' } },
        { ...spec, protocol: 'mysql', tls: { mode: 'disable' } },
      ],
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
      [
        'spec.protocol',
        'oracle',
        '`oracle`: not supported in this version: expected postgres, mysql, mongodb or redis',
      ],
      ['spec.protocol', 'postgresql', '`postgresql`: did you mean `postgres`?'],
      ['spec.protocol', undefined, 'missing: expected postgres, mysql, mongodb or redis'],
      ['spec.uri', undefined, 'missing: expected text'],
      ['spec.uri', 5432, 'expected text: put 5432 in quotes'],
      ['spec.uri', 'postgres://db:5432', 'leave out the scheme: expected HOST:PORT'],
      [
        'spec.tls.mode',
        'none',
        '`none`: not supported in this version: expected verify-full, verify-ca, insecure or disable',
      ],
      ['spec.tls.mode', null, 'expected verify-full, verify-ca, insecure or disable, not nothing'],
      [
        'spec.tls',
        { mode: 'disable' },
        '.mode: `disable` is not for postgres: `insecure` goes without TLS where the server has none',
      ],
      ['spec', { ...spec, protocol: 'mysql' }, `.tls.mode: ${mysqlTls}`],
      ['spec', { ...spec, protocol: 'mysql', tls: { mode: 'insecure' } }, `.tls.mode: ${mysqlTls}`],
      [
        'spec',
        { ...spec, protocol: 'redis', tls: { mode: 'disable', server_name: 'a' } },
        '.tls.server_name: mode `disable` starts no TLS: leave it out',
      ],
      [
        'spec',
        { ...spec, protocol: 'redis', tls: { mode: 'disable', ca_cert: certificate } },
        '.tls.ca_cert: mode `disable` starts no TLS: leave it out',
      ],
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

describe('other resources', () => {
  acceptsAndRefuses(
    node,
    [
      ['sub_kind', undefined, undefined],
      ['spec', { addr: 'h:22' }, { addr: 'h:22' }],
    ],
    [
      ['sub_kind', 'teleport', '`teleport`: not supported in this version: expected openssh'],
      ['spec.addr', 'h', 'expected HOST:PORT, such as db.example.com:5432'],
      ['spec.hostname', 'a b', '`a b`: expected a host name'],
      ['spec.rotation', {}, 'node has no field `rotation`: not supported in this version'],
    ],
  )
  acceptsAndRefuses(
    kubeCluster,
    [['spec', { uri: 'K:6443' }, { uri: 'k:6443', tls: { mode: 'verify-full' } }]],
    [['spec.kubeconfig', 'x', 'kube_cluster has no field `kubeconfig`: not supported in this version']],
  )
  const schemes = 'expected http://HOST:PORT, https://HOST:PORT or tcp://HOST:PORT'
  acceptsAndRefuses(
    app,
    [
      ['spec.uri', 'HTTP://Wiki', 'http://wiki:80'],
      ['spec.uri', 'https://wiki/', 'https://wiki:443'],
      ['spec.uri', 'tcp://[::1]:99', 'tcp://[::1]:99'],
    ],
    [
      ['spec.uri', 'wiki:80', `\`wiki:80\`: ${schemes}`],
      ['spec.uri', 'http://wiki/path', `\`http://wiki/path\`: ${schemes}`],
      ['spec.uri', 'tcp://wiki', 'expected HOST:PORT, such as db.example.com:5432'],
      ['spec.uri', 'http://a@wiki', 'leave out the user: expected HOST:PORT'],
      ['spec.rewrite', {}, 'app has no field `rewrite`: not supported in this version'],
    ],
  )
  acceptsAndRefuses(
    windowsDesktop,
    [['spec', { addr: 'd:3389' }, { addr: 'd:3389' }]],
    [['spec.domain', 'a b', '`a b`: expected a host name']],
  )
})

describe('a lock', () => {
  const instant = 'expected an instant such as 2030-01-31T12:00:00Z'
  const target = (name: string): Wrong => [
    `spec.target.${name}`,
    'x',
    `lock target has no field \`${name}\`: not supported in this version`,
  ]
  const targets = ['server_id', 'access_request', 'join_token']
  const all =
    'user, role, login, mfa_device, device, node, db, kube_cluster, app, windows_desktop, host, proxy or agent'
  acceptsAndRefuses(
    lock,
    [
      ['metadata.name', '7f0b1c9e-58a5-4a4b-9c3e-0d0f2f1b7a11', '7f0b1c9e-58a5-4a4b-9c3e-0d0f2f1b7a11'],
      ['spec', { target: { user: 'ada' } }, { target: { user: 'ada' } }],
      ['spec.target.user', ' Zoe\u0308 ', 'Zoë'],
      ...lockTargets
        .filter((kind) => kind !== 'host')
        .map((kind): [string, Json, Json] => ['spec.target', { [kind]: 'x' }, { [kind]: 'x' }]),
      ['spec.target', { host: 'Git.Internal.:443' }, { host: 'git.internal:443' }],
      ['spec.target', { host: '[2001:DB8::0:1]:22' }, { host: '[2001:db8::1]:22' }],
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
      ['spec.target', {}, `expected one of ${all}`],
      ['spec.target', { user: 'a', role: 'b' }, 'names more than one: write a lock for each'],
      [
        'spec.target',
        { db: 'A' },
        '.db: `A`: expected a name of 1 to 63 lower case letters, digits and -, with no - at its ends',
      ],
      ['spec.target', { host: 'git:443' }, '.host: a host of one label is reached as a resource: write its whole name'],
      [
        'spec.target',
        undefined,
        'missing: expected a map of user, role, login, mfa_device, device, node, db, kube_cluster, app, windows_desktop, host, proxy, agent',
      ],
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
  test('nobody may write them', () => {
    expect(presets.map((preset) => preset.metadata.name)).toEqual([
      ...administratorRoles,
      'reviewer',
      'device-admin',
      'device-enroll',
      'require-trusted-device',
    ])
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
    expect(revisionOf(readPolicy(turned))).toBe(revisionOf(role))
    expect(revisionOf(role)).toMatch(/^[A-Za-z0-9_-]{43}$/)
  })

  test('changes with any content', () => {
    const other = changed(role, dotted('spec.allow.db_users'), ['writer'])
    expect(revisionOf(readPolicy(other))).not.toBe(revisionOf(role))
  })
})

/** Every map in a document whose fields are named by this version, by path. */
const closedMaps: Record<string, readonly string[]> = {
  role: ['', 'metadata', 'spec', 'spec.options', 'spec.allow', 'spec.deny'],
  db: ['', 'metadata', 'spec', 'spec.tls'],
  lock: ['', 'metadata', 'spec', 'spec.target'],
  user: ['', 'metadata', 'spec'],
}
const places = Object.entries(closedMaps).flatMap(([kind, paths]) => paths.map((path) => ({ kind, path })))

/** Like a document in parts, so that readers are reached in depth. */
const nearlyDocument: fc.Arbitrary<Json> = fc
  .record({
    sample: fc.constantFrom<Json>(role, db, lock, user),
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
      ...['spec.roles', 'spec.traits', 'spec.traits.db_users'],
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
