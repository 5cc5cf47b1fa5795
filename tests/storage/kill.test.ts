/** kill -9 in the middle of writes: what was acknowledged is there, and nothing is there by half. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, expect, test } from 'vitest'
import { newFolder, remove } from '../runtime/launch.ts'

const folder = newFolder()
afterAll(() => remove(folder))

const rounds = 8
const script = join(import.meta.dirname, 'login-process.ts')

/** Starts a process that logs in for ever, and kills it at a random moment after its first login. */
async function writeAndKill(file: string, acknowledged: string): Promise<void> {
  const child = spawn(process.execPath, [script, file, acknowledged], { stdio: ['ignore', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (part) => {
    errors += part
  })
  child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), 20 + Math.random() * 130))
  const signal = await new Promise((done) => child.once('close', (_, by) => done(by)))
  expect(signal, errors).toBe('SIGKILL')
}

test('a login that was acknowledged outlives kill -9, and no batch is there by half', async () => {
  const file = join(folder, 'edge.db')
  const list = join(folder, 'acknowledged')
  for (let round = 0; round < rounds; round++) await writeAndKill(file, list)
  const acknowledged = readFileSync(list, 'utf8').split('\n').slice(0, -1)
  const raw = new DatabaseSync(file)
  const count = (sql: string) => Number(Object.values(raw.prepare(sql).get() ?? {})[0])
  const kept = new Set(
    raw
      .prepare('select id from sessions')
      .all()
      .map((row) => row['id']),
  )
  expect(acknowledged.length).toBeGreaterThan(rounds)
  expect(acknowledged.filter((id) => !kept.has(id))).toEqual([])
  expect(raw.prepare('pragma integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
  expect(count('select count(*) from spent')).toBe(kept.size)
  expect(count("select count(*) from audit where kind = 'login'")).toBe(kept.size)
  raw.close()
})
