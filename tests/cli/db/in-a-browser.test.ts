/** The main job from an empty folder: npm start, an invite, a role, a tap, and real psql in a real PostgreSQL; then a lock. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { missingPostgres, type Postgres, readerPassword, startPostgres } from '../../postgres.ts'
import { type Edge, openBrowser, Person, requireChromium, startEdge } from '../../web/browser.ts'
import { keepCli, type Running } from '../run-cli.ts'

describe('a query through one port', () => {
  let browser: Browser | undefined
  let edge: Edge
  let postgres: Postgres
  let ada: Person
  let bob: Person
  const lacking = missingPostgres()
  const cli = keepCli()

  beforeAll(async () => {
    browser = await openBrowser()
    if (!browser || lacking !== undefined) return
    postgres = await startPostgres()
    edge = await startEdge()
    ada = await Person.at(browser)
    bob = await Person.at(browser)
    await ada.newKey()
    await bob.newKey()
    await ada.registerFirst(edge, 'Ada')
  })
  beforeEach((ctx) => {
    requireChromium(ctx)
    if (lacking !== undefined) ctx.skip(lacking)
  })
  afterAll(async () => {
    await browser?.close()
    await edge?.end()
    await postgres?.stop()
    cli.end()
  })

  const env = () => ({ SALLYPORT_HOME: edge.home, PGPASSWORD: readerPassword })
  const start = (args: readonly string[], input?: string) => cli.start(args, env(), input)
  const run = (...args: string[]) => start(args).ended
  const pageOf = async (running: Running) => (await running.seen(/^http:\/\/localhost:\S+$/m))[0]
  const asBob = '--profile=bob'
  const asAda = '--profile=ada'
  const query = (sql: string) =>
    start(['db', 'connect', 'pg-1', '--db-user=reader', '--db-name=app', '--no-browser', asBob, '--', '-Atc', sql])

  async function approve(person: Person, running: Running): Promise<void> {
    await person.page.goto(await pageOf(running))
    await person.button('Approve with a passkey').click()
    await person.page.waitForURL(/127\.0\.0\.1/)
  }

  test('an administrator writes a role and a database, and invites somebody', async () => {
    const login = start(['login', `--proxy=localhost:${edge.proxyPort}`, '--no-browser', asAda])
    await approve(ada, login)
    expect((await login.ended).code).toBe(0)
    const documents = `kind: role
version: v7
metadata: { name: db-reader }
spec:
  options: { require_session_mfa: true }
  allow: { db_labels: { env: dev }, db_users: [reader], db_names: [app] }
---
kind: db
version: v3
metadata: { name: pg-1, labels: { env: dev } }
spec: { protocol: postgres, uri: "127.0.0.1:${postgres.port}", tls: { mode: insecure } }
`
    const creating = start(['admin', 'create', '-', '--no-browser', asAda], documents)
    await approve(ada, creating)
    expect(await creating.ended).toMatchObject({ code: 0 })
    const adding = start(['admin', 'users', 'add', 'Bob', '--roles=access,db-reader', '--no-browser', asAda])
    await approve(ada, adding)
    const { stdout } = await adding.ended
    await bob.page.goto(stdout.trim())
    await bob.button('Register a passkey').click()
    await bob.page.waitForURL('**/account')
    const bobs = start(['login', `--proxy=localhost:${edge.proxyPort}`, '--no-browser', asBob])
    await approve(bob, bobs)
    expect((await bobs.ended).code).toBe(0)
  })

  test('the one who was invited sees the database, taps for one session, and gets his row', async () => {
    expect((await run('db', 'ls', asBob)).stdout).toMatch(/pg-1/)
    const running = query('select current_user')
    await bob.page.goto(await pageOf(running))
    expect(await bob.page.getByRole('heading', { level: 1 }).innerText()).toMatch(/pg-1 as reader/)
    await bob.button('Approve with a passkey').click()
    await bob.page.waitForURL(/127\.0\.0\.1/)
    const ended = await running.ended
    expect(ended, ended.stderr).toMatchObject({ code: 0, stdout: 'reader\n' })
  })

  test('the next query wants a tap of its own, and without it there is none', async () => {
    const running = query('select 2')
    await bob.page.goto(await pageOf(running))
    await bob.button('Refuse').click()
    const { code, stdout, stderr } = await running.ended
    expect({ code: code === 0, stdout }).toEqual({ code: false, stdout: '' })
    expect(stderr).toMatch(/refused in the browser/)
  })

  const backends = () => Number(postgres.sql("select count(*) from pg_stat_activity where usename = 'reader'"))

  test('the account page shows what is open, and its button cuts it', async () => {
    const idle = query('select pg_sleep(60)')
    await approve(bob, idle)
    const connections = bob.page.getByRole('region', { name: 'Connections' })
    const looking = async () => {
      await bob.page.goto(`${edge.origin}/account`)
      return connections.getByRole('listitem').allInnerTexts()
    }
    await expect
      .poll(looking, { timeout: 20_000 })
      .toEqual([expect.stringMatching(/pg-1[\s\S]*user reader, database app/)])
    await connections.getByRole('button', { name: 'End the connection to pg-1' }).click()
    await bob.page.getByText('The connection was ended.').waitFor()
    expect(await connections.getByText('None is open.').isVisible()).toBe(true)
    const { code, stderr } = await idle.ended
    expect(code).not.toBe(0)
    expect(stderr).toContain('This session was ended, by its user or an administrator.')
    // A server that sleeps notices later.
    postgres.sql("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'reader'")
    await expect.poll(backends, { timeout: 10_000 }).toBe(0)
  })

  test('a lock: the open session is gone from the database within five seconds, and no new one opens', async () => {
    const waiting = query('select pg_sleep(0)')
    await approve(bob, waiting)
    expect((await waiting.ended).code).toBe(0)
    const idle = start([
      'db',
      'connect',
      'pg-1',
      '--db-user=reader',
      '--db-name=app',
      '--no-browser',
      asBob,
      '--',
      '-Atc',
      'select pg_sleep(30)',
    ])
    await approve(bob, idle)
    for (const end = Date.now() + 5000; backends() === 0 && Date.now() < end; )
      await new Promise((next) => setTimeout(next, 50))
    expect(backends()).toBe(1)
    const locking = start(['admin', 'locks', 'add', '--user=Bob', '--message=Bob is on leave.', '--no-browser', asAda])
    await approve(ada, locking)
    const since = Date.now()
    expect((await locking.ended).code).toBe(0)
    const { code, stderr } = await idle.ended
    expect(Date.now() - since).toBeLessThan(5000)
    expect(code).not.toBe(0)
    expect(stderr).toMatch(/Bob is on leave\./)
    const refused = await query('select 1').ended
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toMatch(/Bob is on leave\./)
  })

  test('the audit log tells the sessions, each once', async () => {
    const { stdout } = await run('admin', 'audit', 'ls', '--limit=300', '--format=json', asAda)
    const count = (kind: string) => stdout.match(new RegExp(`"kind": ?"${kind}"`, 'g'))?.length ?? 0
    expect(count('session.start')).toBe(4)
    expect(count('session.grant')).toBeGreaterThanOrEqual(3)
  })
})
