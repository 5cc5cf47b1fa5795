/** Real psql and a real PostgreSQL, through the local proxy. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { missingPostgres, type Postgres, readerPassword, startPostgres } from '../../postgres.ts'
import { answerIn, signedIn } from '../tls-edge.ts'
import { newSessionProxy } from './session-proxy.ts'
import { serve } from './wire.ts'

const missing = missingPostgres()
let postgres: Postgres
beforeAll(async () => {
  if (missing === undefined) postgres = await startPostgres()
})
beforeEach((context) => {
  if (missing !== undefined) context.skip(missing)
})
afterAll(() => postgres?.stop())

const as = ['--db-user=reader', '--db-name=app']
const password = { PGPASSWORD: readerPassword }

test('db connect: a tap, then psql has its session, and its exit code is the command’s', async () => {
  const proxy = await newSessionProxy({ tap: true, port: postgres.port })
  const cli = await signedIn(proxy.front, password)
  const connect = async (statement: string) => {
    const psql = ['--', '-XAt', '-v', 'ON_ERROR_STOP=1', '-c', statement]
    const running = cli.start(['db', 'connect', 'orders', ...as, '--no-browser', ...psql])
    await answerIn(running, proxy.front.person)
    return running.ended
  }
  const { code, stdout } = await connect("select current_user || ' in ' || current_database()")
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'reader in app\n' })
  const wrong = await connect('select nothing')
  expect(wrong.stderr).toContain('column "nothing" does not exist')
  expect(wrong.code).toBe(1)
  expect({ faults: proxy.faults, sessions: proxy.sessions }).toEqual({
    faults: [],
    sessions: ['reader@app*', 'reader@app*'],
  })
})

test('~/.pgpass knows the database by its name here, whatever the port', async () => {
  const proxy = await newSessionProxy({ port: postgres.port })
  const cli = await signedIn(proxy.front)
  const file = join(cli.home, '.pgpass')
  writeFileSync(file, `orders:*:app:reader:${readerPassword}\n`)
  chmodSync(file, 0o600)
  const { code, stdout } = await cli.run(['db', 'connect', 'orders', ...as, '--', '-XAtw', '-c', 'select 7'])
  expect({ code, stdout }).toEqual({ code: 0, stdout: '7\n' })
})

test('a million rows come through, and a file of statements goes in by standard input', async () => {
  const proxy = await newSessionProxy({ port: postgres.port })
  const cli = await signedIn(proxy.front, password)
  const psql = ['--', '-XAtq']
  const input = `create temp table t as select generate_series(1, 1000000) as n;\nselect n from t order by n;\n`
  const { code, stdout } = await cli.run(['db', 'connect', 'orders', ...as, ...psql], input)
  expect(code).toBe(0)
  expect(stdout.trimEnd().split('\n')).toHaveLength(1_000_000)
})

test('the database refuses a wrong password itself', async () => {
  const proxy = await newSessionProxy({ port: postgres.port })
  const cli = await signedIn(proxy.front, { PGPASSWORD: 'wrong' })
  const { code, stderr } = await cli.run(['db', 'connect', 'orders', ...as, '--', '-c', 'select 1'])
  expect(stderr).toContain('FATAL:  password authentication failed for user "reader"')
  expect(code).toBe(2)
})

test('why there is no session stands in psql’s own error', async () => {
  const proxy = await newSessionProxy({ tap: true, port: postgres.port })
  const cli = await signedIn(proxy.front, password)
  const start = (...args: string[]) =>
    cli.start(['db', 'connect', 'orders', '--no-browser', ...args, '--', '-c', 'select 1'])
  const refused = start(...as)
  await answerIn(refused, proxy.front.person, 'no')
  const first = await refused.ended
  expect(first.stderr).toContain('FATAL:  sallyport cannot open orders: it was refused in the browser.')
  expect(first.code).toBe(2)
  const second = await start('--db-user=admin', '--db-name=app').ended
  expect(second.stderr).toContain('No role of yours allows orders (user admin, database app).')
  proxy.refusal = { status: 502, error: 'upstream_unreachable', message: 'The database does not answer.' }
  const third = start(...as)
  await answerIn(third, proxy.front.person)
  expect((await third.ended).stderr).toContain('(status 502). The database does not answer.')
})

test('SIGTERM goes on to psql, and ends the command as it ended psql', async () => {
  const proxy = await newSessionProxy({ port: postgres.port })
  const cli = await signedIn(proxy.front, password)
  const running = cli.start(['db', 'connect', 'orders', ...as, '--', '-X', '-c', 'select pg_sleep(20)'])
  const sleeping = "select count(*) from pg_stat_activity where usename = 'reader' and query like '%pg_sleep%'"
  await expect.poll(() => postgres.sql(sleeping), { timeout: 15_000 }).toBe('1')
  running.child.kill('SIGTERM')
  expect((await running.ended).code).toBe(143)
})

test('a server that stops in the middle: psql says so and ends', async () => {
  const proxy = await newSessionProxy({
    port: await serve((socket) => void socket.once('data', () => socket.destroy())),
  })
  const cli = await signedIn(proxy.front, password)
  const { code, stderr } = await cli.run(['db', 'connect', 'orders', ...as, '--', '-c', 'select 1'])
  expect(stderr).toContain('server closed the connection unexpectedly')
  expect(code).toBe(2)
})
