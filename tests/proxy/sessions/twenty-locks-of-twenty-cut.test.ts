/** A lock of a user whose psql stands idle on a real PostgreSQL: 20 of 20 are gone from the server within five seconds. */
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { lockOf, newPerson, putDocuments } from '../../people.ts'
import { missingPostgres, type Postgres, startPostgres } from '../../postgres.ts'
import { atEnd, until } from '../proxy.ts'
import { type Psql, startPsql } from './psql.ts'
import { newWorld } from './world.ts'

const missing = missingPostgres()
let postgres: Postgres
beforeAll(async () => {
  if (missing !== undefined) return
  postgres = await startPostgres()
  postgres.sql('create database orders')
})
afterAll(() => postgres?.stop())

/** Who the server says is connected, asked ten times a second by a session of its own. */
function watch({ socketFolder, port }: Postgres) {
  const child = spawn('psql', ['-XAtq', '-h', socketFolder, '-p', String(port), '-U', 'postgres'], { stdio: 'pipe' })
  atEnd(() => child.kill('SIGKILL'))
  const there = new Set<string>()
  const goneAt = new Map<string, number>()
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    const lines = (text + part).split('\n')
    text = lines.pop() ?? ''
    for (const line of lines.filter((one) => one.startsWith('now: '))) {
      const now = new Set(line.slice(5).split(',').filter(Boolean))
      for (const name of there) if (!now.has(name)) goneAt.set(name, goneAt.get(name) ?? Date.now())
      for (const name of now) there.add(name)
    }
  })
  const names = `string_agg(application_name, ',') filter (where usename = 'reader' and application_name like 'psql-%')`
  child.stdin.write(`select 'now: ' || coalesce(${names}, '') from pg_stat_activity \\watch 0.1\n`)
  return { there, goneAt }
}

test('20 of 20, each told at its next word', async (context) => {
  if (missing !== undefined) return context.skip(missing)
  const { port } = postgres
  const database = { uri: `127.0.0.1:${port}`, port, connections: [], stop: async () => undefined }
  // As often as a proxy asks that nobody has told otherwise.
  const world = await newWorld({ tap: false, database, askEvery: 2000 })
  const { admin, proxy } = world
  const { there, goneAt } = watch(postgres)
  const everyone: { readonly user: string; readonly name: string; readonly psql: Psql }[] = []
  for (let n = 0; n < 20; n++) {
    const [user, name] = [`User${n}`, `psql-${n}`]
    const psql = await startPsql(world, await newPerson(admin, user, ['access', 'db-reader']), name)
    psql.type("select 'in as ' || current_user;")
    everyone.push({ user, name, psql })
  }
  await until(() => everyone.every(({ psql }) => psql.stdout() === 'in as reader\n'), 20_000)
  await until(() => everyone.every(({ name }) => there.has(name)))
  expect(goneAt.size).toBe(0)

  const lockedAt = new Map<string, number>()
  for (const { user, name } of everyone) {
    // At every moment between two questions of the proxy.
    await sleep(100)
    const { status } = await putDocuments(admin, [lockOf(user, { message: `${user} is on leave.` })])
    expect(status).toBe(200)
    lockedAt.set(name, Date.now())
  }
  await until(() => goneAt.size === 20, 10_000)
  for (const { name } of everyone) expect((goneAt.get(name) ?? 0) - (lockedAt.get(name) ?? 0), name).toBeLessThan(5000)
  expect(proxy.serving.sessions.count).toBe(0)

  for (const { psql } of everyone) psql.type('select 2;')
  for (const { psql, user } of everyone) {
    expect(await psql.ended).not.toBe(0)
    expect(psql.stderr()).toMatch(new RegExp(`FATAL: .*${user} is on leave\\.`))
    expect(psql.stdout()).toBe('in as reader\n')
  }
}, 60_000)
