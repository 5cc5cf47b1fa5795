/** Text in, the lines that a person reads out. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { printDocuments, readDocuments, showProblem } from '../../cli/documents.ts'
import { type Document, parseDocument } from '../../core/access/document.ts'
import { presets } from '../../core/access/presets.ts'
import type { Json } from '../../core/intent.ts'
import { changed, db, lock, role } from '../core/access/samples.ts'

/** What is printed for a file: its problems, or kind, name and line of each document. */
function transcript(text: string, file = 'f.yaml'): string[] {
  const read = readDocuments(file, text)
  if ('problems' in read) return read.problems.map(showProblem)
  return read.documents.map(({ document, line }) => `${line}: ${document.kind} ${document.metadata.name}`)
}

const documentsOf = (text: string): Document[] => {
  const read = readDocuments('f.yaml', text)
  if ('problems' in read) throw new Error(read.problems.map(showProblem).join('\n'))
  return read.documents.map(({ document }) => document)
}

/** The shape that the guides of that world show. */
const guide = `kind: role
version: v5
metadata:
  name: developer
spec:
  options:
    # Per-session MFA
    require_session_mfa: yes
    max_session_ttl: 8h0m0s
  allow:
    db_labels:
      environment: ["dev", "stage"]
      'team': 'orders'
    db_users:
    - viewer
    - editor
    db_names: ["*"]
  deny:
    db_names:
      - postgres
`

const lockText = `kind: lock
version: v2
metadata: { name: ada-left }
spec:
  target: { user: ada }
`

describe('readDocuments reads', () => {
  test('a role as guides show it', () => {
    expect(documentsOf(guide)).toEqual([
      {
        kind: 'role',
        version: 'v5',
        metadata: { name: 'developer' },
        spec: {
          options: { require_session_mfa: true, max_session_ttl: '8h' },
          allow: {
            db_labels: { environment: ['dev', 'stage'], team: ['orders'] },
            db_users: ['viewer', 'editor'],
            db_names: ['*'],
          },
          deny: { db_names: ['postgres'] },
        },
      },
    ])
  })

  test.each([
    ['Windows line ends', guide.replaceAll('\n', '\r\n')],
    ['a byte order mark', `\ufeff${guide}`],
    ['no line end at its end', guide.trimEnd()],
    ['a directive', `%YAML 1.2\n---\n${guide}`],
    ['the directive of the version before, with its booleans', `%YAML 1.1\n---\n${guide}`],
    ['an end of document', `${guide}...\n`],
    ['comments and a document that is empty', `# roles\n---\n# none\n---\n${guide}---\n`],
    ['an anchor and its alias', guide.replace("'orders'", '&o orders').replace('- editor', '- editor\n    - *o')],
    ['tags that change nothing', guide.replace('name: developer', 'name: !!str developer')],
  ])('%s', (_what, text) => {
    const [document] = documentsOf(text)
    expect({ name: document?.metadata.name, kind: document?.kind }).toEqual({ name: 'developer', kind: 'role' })
  })

  test('several documents, and says where each begins', () => {
    expect(transcript(`${lockText}---\n\n${guide}---\n${guide.replace('developer', 'other')}`)).toEqual([
      '1: lock ada-left',
      '8: role developer',
      '29: role other',
    ])
  })

  test('an instant as text, whatever version of YAML the file says it is', () => {
    const text = `${lockText}  expires: 2030-01-31T14:00:00+02:00\n`
    const [lock, older] = [text, `%YAML 1.1\n---\n${text}`].flatMap(documentsOf)
    expect(lock?.spec).toEqual({ target: { user: 'ada' }, expires: '2030-01-31T12:00:00Z' })
    expect(older).toEqual(lock)
  })

  test('JSON, and a list of documents', () => {
    expect(documentsOf(JSON.stringify(role))).toEqual([role])
    expect(documentsOf(JSON.stringify([role, db, lock], null, 2))).toEqual([role, db, lock])
  })
})

type Case = readonly [what: string, text: string, lines: readonly string[]]

const unsupported = `kind: role
version: v7
metadata:
  name: ops
spec:
  options:
    require_session_mfa: hardware_key_touch
    forward_agent: true
  allow:
    logins: ['{{internal.logins}}', root]
    node_labels:
      '*': '*'
    db_labels:
      '*': '*'
    db_users: ['{{internal.db_users}}', 'app-*']
    rules:
    - resources: [session]
      verbs: [list, read]
  deny:
    db_lables:
      env: prod
`

const cases: readonly Case[] = [
  [
    'each field that this version does not have, by its own line',
    unsupported,
    [
      'f.yaml:7: spec.options.require_session_mfa: `hardware_key_touch`: not supported in this version: true asks for a tap',
      'f.yaml:8: spec.options.forward_agent: role has no field `forward_agent`: not supported in this version',
      'f.yaml:20: spec.deny.db_lables: role has no field `db_lables`: did you mean `db_labels`?',
    ],
  ],
  [
    'what is missing, by the line of what it is missing from',
    'kind: db\nversion: v3\nmetadata:\n  labels: {a: b}\nspec:\n  protocol: postgres\n',
    ['f.yaml:3: metadata.name: missing: expected text', 'f.yaml:5: spec.uri: missing: expected text'],
  ],
  [
    'a missing part of the document, by its first line',
    '\n\nkind: db\nversion: v3\nmetadata: {name: a}\n',
    ['f.yaml:3: spec: missing: expected a map of protocol, uri, tls'],
  ],
  [
    'an entry of a list, by its own line',
    guide.replace('- editor', '- 7').replace('- postgres', '- ^no'),
    [
      'f.yaml:16: spec.allow.db_users[1]: expected text: put 7 in quotes',
      'f.yaml:20: spec.deny.db_names[0]: `^no`: a regular expression ends with `$`, so that it is of the whole text',
    ],
  ],
  [
    'lines in a file with Windows line ends and a byte order mark',
    `\ufeff${guide.replace('- editor', '- 7').replaceAll('\n', '\r\n')}`,
    ['f.yaml:16: spec.allow.db_users[1]: expected text: put 7 in quotes'],
  ],
  [
    'a byte order mark in the middle, which nobody sees',
    `${lockText}---\n\ufeff${lockText}`,
    [
      'f.yaml:7: ["\\u{feff}kind"]: a document has no field `\\u{feff}kind`: did you mean `kind`?',
      'f.yaml:7: kind: missing: expected role, node, db, kube_cluster, app, windows_desktop, lock, cluster_auth_preference or user',
    ],
  ],
  [
    'problems of a later document',
    `${lockText}---\n${lockText.replace('user', 'server_id')}`,
    ['f.yaml:11: spec.target.server_id: lock target has no field `server_id`: not supported in this version'],
  ],
  [
    'two documents of one kind and name',
    `${lockText}---\n${guide}---\n${lockText}---\n${lockText}`,
    [
      'f.yaml:30: metadata.name: the lock `ada-left` stands twice: first at line 3',
      'f.yaml:36: metadata.name: the lock `ada-left` stands twice: first at line 3',
    ],
  ],
  [
    'a kind that it does not have',
    'kind: token\nlogins: [root]\n',
    [
      'f.yaml:1: kind: `token`: not supported in this version: expected role, node, db, kube_cluster, app, windows_desktop, lock, cluster_auth_preference or user',
    ],
  ],
  ['a tab', guide.replace('  name:', '\tname:'), ['f.yaml:4: Tabs are not allowed as indentation']],
  ['a quote without its end', 'kind: role\nversion: "v7\n', ['f.yaml:3: Missing closing "quote']],
  [
    'a bracket without its end',
    'kind: role\nspec: [a,\nb\n',
    ['f.yaml:3: Flow sequence in block collection must be sufficiently indented and end with a ]'],
  ],
  ['JSON with a comma too few', '{"kind": "role"\n"version": "v7"}', ['f.yaml:2: Missing , between flow map items']],
  [
    'a field that stands twice',
    guide.replace("'team'", 'environment'),
    ['f.yaml:13: `environment` stands twice: first at line 12'],
  ],
  [
    'a field that stands twice, in JSON',
    '{"kind": "role",\n"kind": "db"}',
    ['f.yaml:2: `kind` stands twice: first at line 1'],
  ],
  [
    'a merge key',
    guide.replace('deny:\n', 'deny:\n    <<: { db_users: [a] }\n'),
    ['f.yaml:19: spec.deny["<<"]: role has no field `<<`: not supported in this version'],
  ],
  [
    'a merge key after a directive that would allow it',
    `%YAML 1.1\n---\n${guide.replace('deny:\n', 'deny:\n    <<: { db_users: [a] }\n')}`,
    ['f.yaml:21: spec.deny["<<"]: role has no field `<<`: not supported in this version'],
  ],
  ['a tag', guide.replace('developer', '!env developer'), ['f.yaml:4: Unresolved tag: !env']],
  [
    'a tag of the YAML library',
    guide.replace('developer', '!!binary aGk='),
    ['f.yaml:4: Unresolved tag: tag:yaml.org,2002:binary'],
  ],
  ['a version of YAML to come', `%YAML 1.3\n---\n${guide}`, ['f.yaml:1: Unsupported YAML version 1.3']],
  ['a name that is no text', guide.replace("'team'", '[team]'), ['f.yaml:13: the name of a field must be text']],
  [
    'an alias without its anchor',
    guide.replace("'orders'", '*o'),
    ['f.yaml:13: no anchor `o` stands before this alias'],
  ],
  ['an alias within its anchor', 'a: &a\n  b: *a\n', ['f.yaml:2: no anchor `a` stands before this alias']],
  ['nothing', '', ['f.yaml:1: no document in it']],
  ['only comments', '# a\n---\n# b\n', ['f.yaml:1: no document in it']],
  ['an empty list', '[]', ['f.yaml:1: no document in it']],
  ['text', 'hello\n', ['f.yaml:1: expected a map of kind, version, metadata, spec, not text']],
  ['a list in a list', '[[]]', ['f.yaml:1: expected a map of kind, version, metadata, spec, not a list']],
  [
    'what would move a terminal',
    '"kind\\e[2J": role\nkind: "\\e[2J"\n',
    [
      'f.yaml:2: kind: `\\u{1b}[2J`: not supported in this version: expected role, node, db, kube_cluster, app, windows_desktop, lock, cluster_auth_preference or user',
    ],
  ],
]

describe('readDocuments tells', () => {
  test.each(cases)('%s', (_what, text, lines) => {
    expect(transcript(text)).toEqual(lines)
  })

  test('the name of the file as it can be printed', () => {
    expect(transcript('', 'roles/\u001b[2J.yaml')).toEqual(['roles/\\u{1b}[2J.yaml:1: no document in it'])
  })
})

describe('readDocuments is bounded', () => {
  const levels = (count: number) => `${'['.repeat(count)}${']'.repeat(count)}`
  const letters = [...'abcdefghijklmnopqrstuvwxy']
  const bomb = letters
    .map((name, at) => `${name}: &${name} [${Array(9).fill(at ? `*${letters[at - 1]}` : 'x')}]\n`)
    .join('')

  const tooMany = 'more than 100 documents, which are as many as one tap approves: put the rest into another file'
  const hundredAndOne = Array.from({ length: 101 }, (_, at) => lockText.replace('ada-left', `l${at}`)).join('---\n')

  test.each<Case>([
    ['depth', levels(34), ['f.yaml:1: more than 32 levels deep']],
    ['depth that would exhaust the stack', levels(100_000), ['f.yaml:1: more than 32 levels deep']],
    ['depth of maps', 'a: &x\n  ? '.concat('? '.repeat(50_000)), ['f.yaml:2: more than 32 levels deep']],
    ['size', `#${'é'.repeat(524_288)}`, ['f.yaml:1: too large: at most 1 MiB']],
    ['number', hundredAndOne, [`f.yaml:601: ${tooMany}`]],
    ['number of empty ones', '---\n'.repeat(200_000), [`f.yaml:1: ${tooMany}`]],
    ['number in a list', `[${'{},'.repeat(101)}]`, [`f.yaml:1: ${tooMany}`]],
  ])('in %s', (_what, text, lines) => {
    expect(transcript(text).slice(0, 1)).toEqual(lines)
  })

  test('in aliases: nothing is copied', () => {
    expect(transcript(bomb)).toHaveLength(letters.length + 1)
    const name = `kind: lock\nversion: v2\nmetadata:\n  name: x\n  labels: *y\nspec: *y\n`
    expect(transcript(`- ${bomb.replaceAll('\n', '\n  ')}\n- ${name.replaceAll('\n', '\n  ')}`).at(-1)).toBe(
      'f.yaml:32: spec: expected a map of target, message, expires, not a list',
    )
  })

  test('in problems, and a field among a hundred thousand is looked up at once', () => {
    const many = Array.from({ length: 100_000 }, (_, at) => `f${at}:`).join('\n')
    expect(transcript(many)).toHaveLength(100)
    expect(transcript('a:\n'.repeat(100_000))).toHaveLength(100)
  })

  test('and never throws', () => {
    const pieces = [
      'kind: role\n',
      'a: ',
      '- ',
      '  ',
      '\t',
      '\n',
      '---\n',
      '...',
      '&a ',
      '*a ',
      '!t ',
      '? ',
      ': ',
      '[',
      ']',
    ]
    const more = [
      '{',
      '}',
      ',',
      '"',
      "'",
      '|',
      '>',
      '#',
      '%YAML 1.1\n',
      '\ufeff',
      '\u0000',
      '\ud800',
      '<<: ',
      '@',
      '`',
      '\r',
    ]
    const text = fc.oneof(
      fc.array(fc.constantFrom(...pieces, ...more)).map((all) => all.join('')),
      fc.string(),
    )
    fc.assert(
      fc.property(text, (yaml) => {
        for (const line of transcript(yaml)) expect(line).not.toMatch(/[\p{Cc}\p{Cs}\p{Bidi_Control}]/u)
      }),
      { numRuns: 2000 },
    )
  })
})

/** Text that YAML would read as something else without quotes. */
const awkward = [
  'yes',
  'No',
  'on',
  'null',
  '~',
  'true',
  '1',
  '1e3',
  '0x1F',
  '010',
  '1:30',
  '2030-01-31',
  '.inf',
  '<<',
  '=',
]
const marks = [
  '- a',
  '# a',
  'a: b',
  'a #b',
  '&a',
  '*',
  '!a',
  '|',
  '>',
  '%a',
  '@a',
  '`a',
  '"',
  "'",
  '[',
  '{',
  ',',
  '?',
  '水',
  '---',
]
const texts = fc.oneof(fc.constantFrom(...awkward, ...marks), fc.string(), fc.string({ unit: 'binary' }))

const documents: fc.Arbitrary<Document[]> = fc
  .tuple(fc.array(texts), fc.dictionary(fc.string(), texts), texts, texts)
  .map(([list, labels, text, message]) => {
    const allow: Json = {
      db_users: list,
      db_names: list,
      db_labels: Object.fromEntries(list.map((v, at) => [`l${at}`, v])),
    }
    const candidates: Json[] = [
      ...['db_users', 'db_names', 'db_labels'].map((name) => changed(role, ['spec', 'allow', name], allow[name]!)),
      changed(db, ['metadata', 'labels'], labels),
      changed(db, ['metadata', 'description'], `${text}\n${message}`),
      changed(lock, ['spec', 'message'], message),
      changed(lock, ['spec', 'target', 'user'], text),
    ].map((candidate, at) => changed(candidate, ['metadata', 'name'], `n${at}`))
    return candidates.map(parseDocument).flatMap((parsed) => (parsed.kind === 'value' ? [parsed.value] : []))
  })
  .filter((all) => all.length > 0)

describe('printDocuments', () => {
  test('writes YAML that people would write', () => {
    expect(printDocuments([role, lock], 'yaml')).toBe(`kind: role
version: v7
metadata:
  name: dev
  description: Developers
  labels:
    team: a
spec:
  options:
    max_session_ttl: 8h
    require_session_mfa: true
  allow:
    db_labels:
      env:
        - dev
        - staging
    db_users:
      - reader
    db_names:
      - app
  deny:
    db_names:
      - postgres
---
kind: lock
version: v2
metadata:
  name: ada-left
spec:
  target:
    user: Ada
  message: Ask the help desk
  expires: "2030-01-31T12:00:00Z"
`)
  })

  test('leaves a long line as long as it is', () => {
    const description = 'word '.repeat(60).trim()
    const long = changed(role, ['metadata', 'description'], description) as Document
    expect(printDocuments([long], 'yaml')).toContain(`  description: ${description}\n`)
  })

  test('writes a table with what each says', () => {
    const any = changed(role, ['spec'], { options: {}, allow: {}, deny: {} }) as Document
    const insecure = changed(db, ['spec', 'tls'], { mode: 'insecure' }) as Document
    const byIssuer = changed(db, ['spec', 'tls'], { mode: 'verify-ca' }) as Document
    const forEver = changed(lock, ['spec'], { target: { user: 'Ada' } }) as Document
    const [access] = presets as readonly Document[]
    expect(printDocuments([role, any, access!, db, byIssuer, insecure, lock, forEver], 'text').split('\n')).toEqual([
      'NAME      KIND  WHAT IT SAYS',
      'dev       role  databases env=dev,staging, users reader, names app; never names postgres; with a tap each session; for 8h at most',
      'dev       role  allows nothing',
      'access    role  Signs in and reaches what other roles name. Has no rights of its own on resources.',
      'orders    db    postgres at db.example.com:5432',
      'orders    db    postgres at db.example.com:5432; its name is not verified',
      'orders    db    postgres at db.example.com:5432; NOT VERIFIED',
      'ada-left  lock  locks the user Ada until 2030-01-31T12:00:00Z: Ask the help desk',
      'ada-left  lock  locks the user Ada for ever',
      '',
    ])
  })

  test('writes nothing for none, or an empty list', () => {
    expect((['yaml', 'json', 'text'] as const).map((format) => printDocuments([], format))).toEqual([
      '',
      '[]\n',
      'NAME  KIND  WHAT IT SAYS\n',
    ])
  })

  test('what it writes as YAML and JSON reads as it was, and the same for a reader of YAML 1.1', () => {
    fc.assert(
      fc.property(documents, (all) => {
        expect(documentsOf(printDocuments(all, 'yaml'))).toEqual(all)
        expect(documentsOf(printDocuments(all, 'json'))).toEqual(all)
        for (const one of all) expect(parse(printDocuments([one], 'yaml'), { version: '1.1' })).toEqual(one)
      }),
      { numRuns: 500 },
    )
  })
})
