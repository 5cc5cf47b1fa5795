/** Several sessions by one tap, whole: `npm start`, the command, the page in a real browser, and bytes through the one port. */
import { type AddressInfo, createServer, type Server } from 'node:net'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Edge, type Key, openBrowser, Person, picture, requireChromium, startEdge } from '../web/browser.ts'
import { dial } from './db/wire.ts'
import { keepCli, type Running } from './run-cli.ts'

describe('several sessions by one tap', () => {
  let browser: Browser | undefined
  let edge: Edge
  let ada: Person
  let bob: Person
  let key: Key
  let echo: Server
  const cli = keepCli()

  beforeAll(async () => {
    browser = await openBrowser()
    if (!browser) return
    edge = await startEdge()
    echo = createServer((socket) => void socket.on('error', () => undefined).pipe(socket))
    await new Promise<void>((done) => echo.listen(0, '127.0.0.1', done))
    ada = await Person.at(browser)
    bob = await Person.at(browser)
    await ada.newKey()
    key = await bob.newKey()
    await ada.registerFirst(edge, 'Ada')
  })
  beforeEach((ctx) => requireChromium(ctx))
  afterAll(async () => {
    await browser?.close()
    await edge?.end()
    echo?.close()
    cli.end()
  })

  const start = (args: readonly string[], input?: string) => cli.start(args, { SALLYPORT_HOME: edge.home }, input)
  const pages = ({ stderr }: Running) => stderr().match(/^http:\/\/localhost:\d+\/\S+$/gm) ?? []
  const newestPage = async (running: Running, count = 1) => {
    await expect.poll(() => pages(running).length, { timeout: 15_000 }).toBe(count)
    return pages(running).at(-1) ?? ''
  }
  const [asAda, asBob] = ['--profile=ada', '--profile=bob']

  async function approve(person: Person, running: Running, count = 1): Promise<void> {
    await person.page.goto(await newestPage(running, count))
    await person.button('Approve with a passkey').click()
    await person.page.waitForURL(/127\.0\.0\.1/)
  }

  const login = async (person: Person, profile: string) => {
    const running = start(['login', `--proxy=localhost:${edge.proxyPort}`, '--no-browser', profile])
    await approve(person, running)
    expect((await running.ended).code).toBe(0)
  }

  test('an administrator writes down what there is, and invites somebody', async () => {
    await login(ada, asAda)
    const { port } = echo.address() as AddressInfo
    const app = (name: string) =>
      `---\nkind: app\nversion: v3\nmetadata: { name: ${name}, labels: { env: dev } }\nspec: { uri: "http://127.0.0.1:${port}" }\n`
    const documents = `kind: role
version: v7
metadata: { name: dev }
spec:
  options: { require_session_mfa: true }
  allow: { app_labels: { env: dev }, node_labels: { env: dev }, logins: [ubuntu] }
---
kind: node
version: v2
metadata: { name: web-1, labels: { env: dev } }
spec: { addr: "127.0.0.1:${port}" }
${['wiki', 'grafana', 'tracker', 'builds'].map(app).join('')}`
    const creating = start(['admin', 'create', '-', '--no-browser', asAda], documents)
    await approve(ada, creating)
    expect(await creating.ended).toMatchObject({ code: 0 })
    const adding = start(['admin', 'users', 'add', 'Bob', '--roles=access,dev', '--no-browser', asAda])
    await approve(ada, adding)
    await bob.page.goto((await adding.ended).stdout.trim())
    await bob.button('Register a passkey').click()
    await bob.page.waitForURL('**/account')
    await login(bob, asBob)
  })

  const serve = async (...args: string[]) => {
    const running = start(['proxy', 'tcp', '--no-browser', asBob, ...args])
    const portOf = async (name: string) =>
      Number((await running.seen(new RegExp(`^listening on 127\\.0\\.0\\.1:(\\d+) for ${name}$`, 'm')))[1])
    return { running, portOf }
  }
  const largeWords = async () => (await bob.page.locator('h1').innerText()).replaceAll(/\s+/g, ' ')
  const factOf = (term: string) =>
    bob.page.locator('.terms div').filter({ has: bob.page.getByText(term, { exact: true }) })

  test('the page lists each with its count, and one tap opens them all, each so often', async () => {
    const { running, portOf } = await serve('node/web-1', 'app/wiki', '--login=ubuntu', '--count=2')
    const [host, wiki] = [await portOf('node/web-1'), await portOf('app/wiki')]
    const first = dial(host)
    first.send('one')
    await bob.page.goto(await newestPage(running))
    expect(await largeWords()).toBe('Bob, open these sessions on localhost? web-1 as ubuntu, wiki')
    expect(await factOf('web-1').innerText()).toMatch(/the host, login ubuntu, 2 times/)
    expect(await factOf('wiki').innerText()).toMatch(/the app, 2 times/)
    expect(await factOf('And nothing else').innerText()).toMatch(/4 sessions in all/)
    await picture(bob, 'approve-set')
    await bob.button('Approve with a passkey').click()
    await bob.page.waitForURL(/127\.0\.0\.1/)
    await first.until(/one/)
    for (const port of [host, wiki, wiki]) {
      const wire = dial(port)
      wire.send('more')
      await wire.until(/more/)
    }
    expect(pages(running)).toHaveLength(1)
    const anew = dial(wiki)
    anew.send('anew')
    await approve(bob, running, 2)
    await anew.until(/anew/)
  })

  test('refused, what was asked for is reset; of five the large words say how many there are', async () => {
    const all = ['node/web-1', 'app/wiki', 'app/grafana', 'app/tracker', 'app/builds']
    const { running, portOf } = await serve(...all, '--login=ubuntu')
    const wire = dial(await portOf('app/builds'))
    await bob.page.goto(await newestPage(running))
    expect(await largeWords()).toBe('Bob, open these sessions on localhost? 5 sessions on 5 resources')
    for (const name of ['web-1', 'wiki', 'grafana', 'tracker', 'builds'])
      expect(await factOf(name).innerText()).toMatch(/once/)
    await picture(bob, 'approve-set-of-five')
    const [before] = await key.credentials()
    await bob.button('Refuse').click()
    await bob.page.waitForURL(/127\.0\.0\.1/)
    expect(await wire.ended).toBe('reset')
    expect((await key.credentials())[0]?.signCount).toBe(before?.signCount)
  })

  test('a page that shows another count than the ticket has never asks a key', async () => {
    const { running, portOf } = await serve('node/web-1', 'app/wiki', '--login=ubuntu')
    const wire = dial(await portOf('app/wiki'))
    const url = await newestPage(running)
    await bob.page.route('**/approve?*', async (route) => {
      const response = await route.fetch()
      const text = await response.text()
      await route.fulfill({ response, body: text.replace('&quot;count&quot;:1', '&quot;count&quot;:2') })
    })
    await bob.page.goto(url)
    const [before] = await key.credentials()
    await expect.poll(() => bob.page.getByRole('alert').textContent()).toContain('Something went wrong in this page')
    expect(await bob.button('Approve with a passkey').isDisabled()).toBe(true)
    expect((await key.credentials())[0]?.signCount).toBe(before?.signCount)
    await bob.page.unroute('**/approve?*')
    await bob.page.goto(url)
    await bob.button('This was not me').click()
    await bob.page.waitForURL('**/account')
    wire.socket.destroy()
    const again = dial(await portOf('node/web-1'))
    expect(await again.ended).toBe('reset')
    await running.seen(/sallyport login/)
  })

  test('no page complained about anything', async () => {
    await ada.leave()
    await bob.leave()
  })
})
