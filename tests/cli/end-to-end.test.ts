/** From an empty folder to a running team, as its people do it: npm start, a browser, and the command sallyport. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Edge, openBrowser, Person, requireChromium, startEdge } from '../web/browser.ts'
import { keepCli, type Running } from './run-cli.ts'

describe('sallyport, from an empty folder', () => {
  let browser: Browser | undefined
  let edge: Edge
  let ada: Person
  let bob: Person
  const cli = keepCli()

  beforeAll(async () => {
    browser = await openBrowser()
    if (!browser) return
    edge = await startEdge()
    ada = await Person.at(browser)
    bob = await Person.at(browser)
    await ada.newKey()
    await bob.newKey()
    await ada.registerFirst(edge, 'Ada')
  })
  beforeEach((ctx) => requireChromium(ctx))
  afterAll(async () => {
    await browser?.close()
    await edge?.end()
    cli.end()
  })

  const env = () => ({ SALLYPORT_HOME: edge.home })
  const start = (...args: string[]) => cli.start(args, env())
  const run = (...args: string[]) => start(...args).ended
  /** The page that a command waits for. */
  const pageOf = async (running: Running) => (await running.seen(/^http:\/\/localhost:\S+$/m))[0]

  async function approveIn(person: Person, running: Running): Promise<void> {
    await person.page.goto(await pageOf(running))
    await person.button('Approve with a passkey').click()
    await person.page.waitForURL(/127\.0\.0\.1/)
  }

  /** A command whose page Ada approves. */
  async function approved(...args: string[]) {
    const running = start(...args)
    await approveIn(ada, running)
    return running.ended
  }

  async function logIn(person: Person, ...args: string[]) {
    const running = start('login', `--proxy=localhost:${edge.proxyPort}`, '--no-browser', ...args)
    await approveIn(person, running)
    return running.ended
  }

  test('login: the page asks, a tap approves, the terminal says who, where and until when', async () => {
    const { code, stdout, stderr } = await logIn(ada)
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(stdout).toMatch(/Ada/)
    expect(stdout).toMatch(/access, auditor, editor/)
    const status = await run('status', '--format=json')
    expect(JSON.parse(status.stdout)).toMatchObject({ user: 'Ada', roles: ['access', 'auditor', 'editor'] })
  })

  test('login that is refused in the browser: the command says so and ends with 3', async () => {
    const running = start('login', `--proxy=localhost:${edge.proxyPort}`, '--no-browser', '--profile=other')
    await ada.page.goto(await pageOf(running))
    await ada.button('Refuse').click()
    const { code, stderr } = await running.ended
    expect(code).toBe(3)
    expect(stderr).toMatch(/^sallyport: error: Cannot sign in: it was refused in the browser$/m)
  })

  test('admin users add: a tap, a link, and whoever opens it registers', async () => {
    const running = start('admin', 'users', 'add', 'Bob', '--roles=access', '--no-browser')
    await ada.page.goto(await pageOf(running))
    expect(await ada.page.getByRole('heading', { level: 1 }).innerText()).toMatch(/Invite Bob with the role access/)
    await ada.button('Approve with a passkey').click()
    await ada.page.waitForURL(/127\.0\.0\.1/)
    const { code, stdout } = await running.ended
    expect(code).toBe(0)
    const [link = ''] = stdout.trim().split('\n')
    expect(link).toMatch(/\/invite#[\w-]{43}\.[\w-]{43}$/)
    await bob.page.goto(link)
    await bob.button('Register a passkey').click()
    await bob.page.waitForURL('**/account')
    const users = JSON.parse((await run('admin', 'users', 'ls', '--format=json')).stdout)
    expect(users).toMatchObject([
      { name: 'Ada', state: 'active', passkeys: 1 },
      { name: 'Bob', roles: ['access'], state: 'active', passkeys: 1 },
    ])
  })

  test('somebody without the role editor administers nothing', async () => {
    expect((await logIn(bob, '--profile=bob')).code).toBe(0)
    const { code, stderr } = await run('admin', 'users', 'ls', '--profile=bob')
    expect(code).toBe(3)
    expect(stderr).toMatch(/Ask an administrator for a role/)
    expect((await run('config', 'use', `localhost_${edge.proxyPort}`)).code).toBe(0)
  })

  test('admin create, get and rm: documents round-trip', async () => {
    mkdirSync(cli.home, { recursive: true })
    const file = join(cli.home, 'documents.yaml')
    writeFileSync(
      file,
      `kind: role
version: v7
metadata: { name: db-reader }
spec:
  options: { require_session_mfa: true, max_session_ttl: 8h }
  allow: { db_labels: { env: dev }, db_users: [reader], db_names: [orders] }
---
kind: db
version: v3
metadata: { name: pg-1, labels: { env: dev } }
spec: { protocol: postgres, uri: "127.0.0.1:5432", tls: { mode: insecure } }
`,
    )
    expect(await approved('admin', 'create', '-f', file)).toMatchObject({ code: 0 })
    const again = await run('admin', 'create', '-f', file)
    expect(again.code).not.toBe(0)
    expect(again.stderr).toMatch(/is there already/)
    const yaml = (await run('admin', 'get', 'all')).stdout
    writeFileSync(
      file,
      yaml
        .split(/^---$/m)
        .filter((part) => /db-reader|pg-1/.test(part))
        .join('---\n'),
    )
    // Nothing is another than it was: nobody is asked.
    expect(await run('admin', 'create', '--force', '-f', file)).toMatchObject({ code: 0 })
    expect((await approved('admin', 'rm', 'db/pg-1')).code).toBe(0)
    expect((await run('admin', 'get', 'db/pg-1')).code).not.toBe(0)
  })

  test('a lock: its user is told why, at the command and in the browser, until it is removed', async () => {
    const lock = `kind: lock
version: v2
metadata: { name: bob-away }
spec: { target: { user: Bob }, message: Bob is on leave. }
`
    const locking = cli.start(['admin', 'create', '-'], env(), lock)
    await approveIn(ada, locking)
    expect((await locking.ended).code).toBe(0)
    const { code, stderr } = await run('status', '--profile=bob')
    expect(code).not.toBe(0)
    expect(stderr).toMatch(/Bob is on leave\./)
    await bob.page.goto(`${edge.origin}/account`)
    await bob.button('Sign in with a passkey').click()
    await bob.page.getByText('Bob is on leave.').waitFor()
    expect((await approved('admin', 'rm', 'lock/bob-away')).code).toBe(0)
    expect((await run('status', '--profile=bob')).code).toBe(0)
  })

  test('admin status, keys rotate and audit ls', async () => {
    const before = JSON.parse((await run('admin', 'status', '--format=json')).stdout)
    expect(before).toMatchObject({ cluster: 'localhost', roots: [{ user: 'Ada' }] })
    expect((await approved('admin', 'keys', 'rotate')).code).toBe(0)
    expect((await run('status')).code).toBe(0)
    const events = JSON.parse((await run('admin', 'audit', 'ls', '--limit=200', '--format=json')).stdout)
    const kinds = new Set(JSON.stringify(events).match(/"kind":"[\w.]+"/g))
    for (const kind of [
      'user.invite',
      'user.register',
      'document.put',
      'keys.rotate',
      'client.approve',
      'client.login',
    ])
      expect(kinds).toContain(`"kind":"${kind}"`)
  })

  test('token prints a token for scripts, and a proof for exactly one request', async () => {
    const token = (await run('token')).stdout.trim()
    expect(token.split('.')).toHaveLength(3)
    const proof = (await run('token', '--proof', 'GET', `${edge.origin}/v1/me`)).stdout.trim()
    const asked = await fetch(`${edge.origin}/v1/me`, { headers: { authorization: `DPoP ${token}`, dpop: proof } })
    const nonce = asked.headers.get('dpop-nonce') ?? ''
    const again = (await run('token', '--proof', 'GET', `${edge.origin}/v1/me`, `--nonce=${nonce}`)).stdout.trim()
    const headers = { authorization: `DPoP ${token}`, dpop: again }
    expect(await (await fetch(`${edge.origin}/v1/me`, { headers })).json()).toMatchObject({ user: { name: 'Ada' } })
  })

  test('admin users rm ends what the user had', async () => {
    expect((await approved('admin', 'users', 'rm', 'Bob')).code).toBe(0)
    const { code, stderr } = await run('status', '--profile=bob')
    expect(code).toBe(4)
    expect(stderr).toMatch(/hint: sallyport login/)
  })

  test('the account page lists the command and ends it, and the command says so', async () => {
    await ada.page.goto(`${edge.origin}/account`)
    const programs = ada.page.getByRole('region', { name: 'Programs' })
    expect(await programs.getByRole('listitem').count()).toBe(1)
    await programs.getByRole('button', { name: /End/ }).click()
    await ada.page.getByText('The login was ended.').waitFor()
    const { code, stderr } = await run('status')
    expect(code).toBe(4)
    expect(stderr).toMatch(/sallyport login/)
  })

  test('logout revokes, and a second one says that there is nothing', async () => {
    expect((await logIn(ada)).code).toBe(0)
    expect((await run('logout')).code).toBe(0)
    expect((await run('status')).code).not.toBe(0)
    await ada.page.goto(`${edge.origin}/account`)
    expect(await ada.page.getByText('None is signed in.').isVisible()).toBe(true)
  })

  test('no page complained about anything on the way', async () => {
    await ada.leave()
    await bob.leave({ refusals: 1 })
  })
})
