/** The rules between rooms: each holds in this checkout, and each is shown able to fail. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readHouse, rules } from './house/check.ts'
import { loadTree, type Tree } from './house/tree.ts'

type RuleName = keyof typeof rules
type Case = [breaks: string, tree: Tree]

const lines = (count: number, line = 'x()') => `${line}\n`.repeat(count)
const body = (count: number) => `function f() {\n${lines(count - 2)}}\n`
const core = (source: string): Tree => ({ 'core/a.ts': source })
const worker = (source: string): Tree => ({ 'worker/a.ts': source })

const breaking: Record<RuleName, Case[]> = {
  'every file parses': [['a syntax error', core('const = 1')]],
  'imports point downstairs': [
    ['core knows storage', core(`import { d1 } from '../storage/ports.ts'`)],
    ['core knows storage as a type', core(`import type { D1 } from '../storage/ports.ts'`)],
    ['core knows storage in an inline type', core(`type D1 = import('../storage/ports.ts').D1`)],
    ['core knows node', core(`import { join } from 'node:path'`)],
    ['core knows hono', core(`import { Hono } from 'hono'`)],
    ['core knows a package whose name begins like an allowed one', core(`import * as x from 'jose-fake'`)],
    ['a bare import', core(`import 'hono'`)],
    ['a re-export', core(`export { a } from '../proxy/a.ts'`)],
    ['import() upstairs', core(`await import('../worker/app.ts')`)],
    ['import() of a computed name', core('await import(name)')],
    ['storage touches node outside sqlite.ts', { 'storage/d1.ts': `import 'node:fs'` }],
    ['worker serves with node outside serve.ts', worker(`import { serve } from '@hono/node-server'`)],
    ['worker knows proxy', worker(`import { main } from '../proxy/main.ts'`)],
    ['proxy knows storage', { 'proxy/a.ts': `import { s } from '../storage/schema.ts'` }],
    ['cli knows the proxy beyond local.ts', { 'cli/a.ts': `import { main } from '../proxy/main.ts'` }],
    ['web ships core', { 'web/a.ts': `import { decide } from '../core/decide.ts'` }],
    ['web ships core in an inline type import', { 'web/a.ts': `import { type D } from '../core/decide.ts'` }],
    ['web knows the worker', { 'web/a.ts': `import type { App } from '../worker/app.ts'` }],
    ['app.ts opens D1', { 'worker/app.ts': `import { d1 } from '../storage/d1.ts'` }],
    ['the Worker opens SQLite', { 'worker/index.ts': `import { open } from '../storage/sqlite.ts'` }],
    ['storage itself opens D1', { 'storage/ports.ts': `import { openD1 } from './d1.ts'` }],
    ['start.ts knows the database', { 'start.ts': `import { schema } from './storage/schema.ts'` }],
  ],
  'relative imports end in .ts': [
    ['no ending', core(`import { b } from './b'`)],
    ['the ending of what it compiles to', core(`import { b } from './b.js'`)],
  ],
  'no value-import cycles': [
    ['two files', { 'core/a.ts': `import { b } from './b.ts'`, 'core/b.ts': `export * from './a.ts'` }],
    ['itself', core(`import { a } from './a.ts'`)],
    [
      'a cycle closed by import()',
      {
        'core/a.ts': `import { b } from './b.ts'`,
        'core/b.ts': `import { c } from './login/c.ts'`,
        'core/login/c.ts': `await import('../a.ts')`,
      },
    ],
    ['an inline type', { 'core/a.ts': `import { type B } from './b.ts'`, 'core/b.ts': `import { a } from './a.ts'` }],
  ],
  'no barrel files': [
    ['export from', core(`export { b } from './b.ts'\nexport * from './c.ts'`)],
    ['import, then export', core(`import { b } from './b.ts'\nexport { b }`)],
  ],
  'names are kebab-case': [
    ['a file', { 'core/aB.ts': '' }],
    ['a folder', { 'core/Login/a.ts': '' }],
    ['an underscore', { 'core/a_b.ts': '' }],
  ],
  'no top-level folder that says nothing': ['src', 'lib', 'utils', 'shared', 'types', 'common', 'helpers'].map(
    (name): Case => [name, { [`${name}/`]: '' }],
  ),
  'core is pure': [
    'Date.now()',
    `Date['now']()`,
    'new Date()',
    'Date()',
    'const { now } = Date',
    'performance.now()',
    'process.pid',
    'fetch(url)',
    'const get = fetch',
    'f({ fetch })',
    'console.log(1)',
    'setTimeout(f, 1)',
    'setInterval(f, 1)',
    'queueMicrotask(f)',
    'AbortSignal.timeout(1)',
    'Math.random()',
    'crypto.getRandomValues(bytes)',
    'crypto.randomUUID()',
    'crypto!.randomUUID()',
    '(crypto as Crypto).randomUUID()',
    'globalThis.fetch(url)',
    'function f({ fetch }) { fetch() }\nfunction g() { fetch() }',
  ].map((source): Case => [source, core(source)]),
  'the environment is read in four places': [
    'process.env.HOME',
    `process['env']`,
    'globalThis.process.env',
    'const { env } = process',
    `import { env } from 'node:process'`,
    'Deno.env.get("HOME")',
    'import.meta.env.MODE',
  ].map((source): Case => [source, worker(source)]),
  'one file of the CLI prints': [
    'console.log(1)',
    'process.stdout.write(text)',
    `process['stderr'].write(text)`,
    'const { stdout } = process',
    `import { stderr } from 'node:process'`,
  ].map((source): Case => [source, { 'cli/a.ts': source }]),
  'no interactive transactions': [
    ['on db', worker('await db.transaction(async (tx) => {})')],
    ['on a field', worker('await this.db?.transaction(f)')],
  ],
  'no any': [
    ['a type', worker('let a: any')],
    ['a cast', worker('f(a as any)')],
    ['an argument of a type', worker('let a: Map<string, any[]>')],
  ],
  'no @ts-ignore': [
    ['a line comment', worker('// @ts-ignore\nf()')],
    ['a block comment for a whole file', worker('/* @ts-nocheck */')],
  ],
  'no empty words in type names': [
    'interface IUser {}',
    'class StoreImpl {}',
    'class LockManager {}',
    'type LoginService = {}',
    'const x = class TokenHelper {}',
    'class StringUtils {}',
  ].map((source): Case => [source, core(source)]),
  'functions are short': [
    ['one over 80 lines', core(body(81) + body(3).repeat(20))],
    ['an arrow over 80 lines', core(`const f = () => [\n${lines(80, '1,')}]\n${body(3).repeat(20)}`)],
    ['many over 45 lines', core(body(46).repeat(3) + body(3).repeat(10))],
  ],
  'files are short': [['401 lines', core(lines(401))]],
  'nothing deletes by cascade': [
    ['a migration', { 'storage/migrations/0000_a.sql': 'REFERENCES users(id) on  delete CASCADE' }],
    ['a migration without foreign keys', { 'storage/migrations/0001_a.sql': 'PRAGMA foreign_keys=OFF;' }],
    ['the schema', { 'storage/schema.ts': `text().references(() => users.id, { onDelete: 'cascade' })` }],
    ['SQL in a source', { 'storage/a.ts': 'sql`REFERENCES users(id) ON DELETE CASCADE`' }],
  ],
  'ARCHITECTURE.md names what exists': [
    ['a file', { 'ARCHITECTURE.md': 'See `core/gone.ts`.' }],
    ['a folder', { 'ARCHITECTURE.md': 'See `gone/`.', 'core/a.ts': '' }],
    ['a file at the top', { 'ARCHITECTURE.md': 'See `gone.ts`.', 'core/a.ts': '' }],
    ['a pattern', { 'ARCHITECTURE.md': 'See `core/*.sql`.', 'core/a.ts': '' }],
  ],
}

const fine: [why: string, tree: Tree][] = [
  ['core imports what it may', core(`import { sign } from 'jose'\nimport { x } from '@peculiar/x509'\nsign(x)`)],
  ['a subpath of an allowed package', { 'storage/a.ts': `import { text } from 'drizzle-orm/sqlite-core'\ntext()` }],
  ['worker/serve.ts touches node', { 'worker/serve.ts': `import 'node:fs'\nimport { s } from '@hono/node-server'` }],
  ['the two that open a database', { 'worker/index.ts': `import { d1 } from '../storage/d1.ts'` }],
  ['web takes intent.ts by value', { 'web/a.ts': `import { i } from '../core/intent.ts'\ni()` }],
  ['web takes core/lib by value', { 'web/a.ts': `import { i } from '../core/lib/bytes.ts'\ni()` }],
  ['web takes a type from core', { 'web/a.ts': `import type { D } from '../core/decide.ts'\nlet d: D` }],
  ['cli uses the local proxy', { 'cli/a.ts': `import { local } from '../proxy/local.ts'\nlocal()` }],
  [
    'a cycle of types',
    { 'core/a.ts': `import type { B } from './b.ts'\nlet b: B`, 'core/b.ts': `import { a } from './a.ts'\na()` },
  ],
  ['time and I/O that come in as arguments', core('function f({ fetch, now }: Needs) { return () => fetch(now()) }')],
  ['a property of that name', core('ports.fetch(ports.process, { console: 1, setTimeout: 2 })')],
  ['a type of that name', core('type Needs = { fetch: typeof fetch; at: Date }')],
  ['a date of a given instant', core('export const at = (ms: number) => new Date(ms).toISOString()')],
  ['hashing', core('crypto.subtle.digest("SHA-256", bytes)')],
  ['term.ts prints', { 'cli/term.ts': 'process.stdout.write(text)' }],
  ['the output of a child', { 'cli/a.ts': 'child.stdout.on("data", keep)' }],
  ['the launcher reads the environment', { 'start.ts': 'process.env.PORT' }],
  [
    'names that begin with I, or are nouns',
    core('type Invite = 1; type IPAddress = 2; type IPv6 = 3; type Implicit = 4'),
  ],
  ['a function of 45 lines', core(body(45))],
  ['a file of 400 lines', core(lines(400))],
  ['a file that re-exports beside its own work', core(`export { b } from './b.ts'\nexport const a = 1`)],
  ['a comment that names the word', core('/* any ON DELETE CASCADE, process.env, Date.now() */')],
  [
    'ARCHITECTURE.md that names what exists',
    {
      'ARCHITECTURE.md':
        '`core/` `core/a.ts` `a.ts` `core/*.ts` `dist/` `hono/html` `application/json` `/v1/users` `proxy.yaml`',
      'core/a.ts': '',
    },
  ],
]

const check = (tree: Tree) => Object.values(rules).flatMap((rule) => rule(readHouse(tree)))

describe('each rule can fail', () => {
  for (const [name, cases] of Object.entries(breaking) as [RuleName, Case[]][]) {
    test.each(cases)(`${name}: %s`, (_, tree) => {
      expect(rules[name](readHouse(tree))).not.toEqual([])
    })
  }

  test.each(fine)('none forbids: %s', (_, tree) => {
    expect(check(tree)).toEqual([])
  })

  test('a violation says where and why', () => {
    expect(check(core('f()\nconst at = Date.now()'))).toEqual([
      'core/a.ts:2: Date.now: core has no clock: `now` comes in through ports',
    ])
  })
})

describe('this house', () => {
  const house = readHouse(loadTree(join(import.meta.dirname, '..')))

  test('has sources to look at', () => {
    expect(house.sources.length).toBeGreaterThan(0)
  })

  test.each(Object.entries(rules))('%s', (_, rule) => {
    expect(rule(house)).toEqual([])
  })
})
