/** The two guards that lean on somebody else's tool, on that tool: the counting reporter, and the migrations. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { migrationsInStep } from './migrations.ts'
import { type Quiet, root } from './quiet.ts'
import type { Report } from './report.ts'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

function checkout(files: Record<string, string>): string {
  const top = mkdtempSync(join(tmpdir(), 'sallyport-house-'))
  folders.push(top)
  symlinkSync(join(root, 'node_modules'), join(top, 'node_modules'))
  write(top, { 'package.json': '{"type":"module"}', ...files })
  return top
}

function write(top: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(top, path)), { recursive: true })
    writeFileSync(join(top, path), text)
  }
}

function node(top: string, args: string[], env: Record<string, string> = {}): Quiet {
  const options = { cwd: top, encoding: 'utf8', env: { ...process.env, ...env } } as const
  const { status, stdout, stderr } = spawnSync(process.execPath, args, options)
  return { ok: status === 0, output: stdout + stderr }
}

const suites = {
  'good.test.ts': `
    import { describe, test } from 'vitest'
    test('passes', () => {})
    test('skips', (context) => context.skip('no TPM'))
    test.skip('is off', () => {})
    test.todo('comes later')`,
  'bad.test.ts': `
    import { beforeAll, describe, test } from 'vitest'
    test('fails', () => { throw new Error('wrong') })
    describe('suite', () => {
      beforeAll(() => { throw new Error('no server') })
      test('never runs', () => {})
    })`,
  'broken.test.ts': `import './gone.ts'`,
  'empty.test.ts': '',
  'late.test.ts': `
    import { test } from 'vitest'
    test('leaves a promise', () => { Promise.reject(new Error('late')) })`,
  'gone.test.ts': `
    import { test } from 'vitest'
    test('ends its process', () => { process.kill(process.pid, 'SIGKILL') })`,
}

function report(files: Record<string, string>): Report {
  const top = checkout(files)
  const path = join(top, 'report.json')
  const reporter = join(import.meta.dirname, 'counting-reporter.ts')
  const args = ['node_modules/vitest/vitest.mjs', 'run', `--reporter=${reporter}`]
  node(top, args, { SALLYPORT_TEST_REPORT: path })
  return JSON.parse(readFileSync(path, 'utf8')) as Report
}

test('the counting reporter counts what passes, fails, skips, or never comes to run', { timeout: 60_000 }, () => {
  expect(report(suites)).toEqual({
    passed: 2,
    failed: [
      'bad.test.ts > suite: no server',
      'bad.test.ts > fails: wrong',
      expect.stringMatching(/^broken\.test\.ts: .*gone\.ts/),
      expect.stringMatching(/^empty\.test\.ts: No test suite/),
      'gone.test.ts > ends its process: never finished',
    ],
    skipped: [
      { test: 'bad.test.ts > suite > never runs', reason: 'no reason given' },
      { test: 'good.test.ts > skips', reason: 'no TPM' },
      { test: 'good.test.ts > is off', reason: 'no reason given' },
      { test: 'good.test.ts > comes later', reason: 'no reason given' },
    ],
    errors: ['late', expect.stringMatching(/Worker/)],
  })
})

const schema = (column: string) => `
  import { sqliteTable, text } from 'drizzle-orm/sqlite-core'
  export const users = sqliteTable('users', { id: text('id').primaryKey(), name: text('${column}') })`

test('migrations are out of step when a column comes, goes, or is renamed', { timeout: 60_000 }, () => {
  const top = checkout({
    'storage/schema.ts': schema('name'),
    'drizzle.config.ts': `export default { dialect: 'sqlite', schema: './storage/schema.ts', out: './storage/migrations' }`,
  })
  const generate = (args: string[]) => node(top, ['node_modules/drizzle-kit/bin.cjs', ...args])
  expect(migrationsInStep(top, generate).ok).toBe(false)
  expect(generate(['generate']).ok).toBe(true)
  expect(migrationsInStep(top, generate).ok).toBe(true)
  write(top, { 'storage/schema.ts': schema('nickname') })
  expect(migrationsInStep(top, generate).ok).toBe(false)
  write(top, { 'storage/schema.ts': 'export const = 1' })
  expect(migrationsInStep(top, generate)).toMatchObject({ ok: false })
})
