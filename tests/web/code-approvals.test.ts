/** Approving programs with password and code, in a real browser: a cluster of codes, and somebody without a passkey. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Visitor } from '../client.ts'
import { askForCodes, headlessRole, poll } from '../device-flow.ts'
import { goodPassword } from '../factors.ts'
import { newProofKey, Program } from '../program.ts'
import { exchangeForm } from '../proxies.ts'
import { type Administered, startWithAdministrator } from './administrator.ts'
import { type Edge, Person, picture, requireChromium } from './browser.ts'
import {
  type App,
  addApp,
  bothFactors,
  enterPassword,
  isFocused,
  problem,
  removePasskeysOf,
  setPassword,
  signInWithCode,
  visitSignIn,
} from './factors.ts'
import { LocalProgram } from './local-program.ts'

const onlyCodes = { type: 'local', second_factor: 'otp', allow_passwords: true }

const labels = { env: 'dev' }
const dev = {
  ...{ kind: 'role', version: 'v7', metadata: { name: 'dev' } },
  spec: { options: { require_session_mfa: true }, allow: { app_labels: labels }, deny: {} },
}
const wiki = {
  ...{ kind: 'app', version: 'v3', metadata: { name: 'wiki', labels } },
  spec: { uri: 'http://127.0.0.1:80' },
}

describe('approving with password and code', () => {
  let started: Administered | undefined
  let edge: Edge
  let grace: Person
  let program: LocalProgram
  let app: App

  beforeAll(async () => {
    started = await startWithAdministrator()
    if (!started) return
    ;({ edge, program } = started)
    await program.prefer(onlyCodes)
    expect((await program.call('POST', '/v1/documents', { documents: [headlessRole(), dev, wiki] })).status).toBe(200)
    const link = await program.invite(started.ada, 'Grace Hopper', ['access', 'headless', 'dev'])
    grace = await Person.at(started.browser)
    const key = await grace.newKey()
    await grace.page.goto(link)
    await grace.button('Register a passkey').click()
    await grace.page.waitForURL('**/account')
    await setPassword(grace, goodPassword)
    await grace.page.getByText('The password was set.').waitFor()
    app = await addApp(grace, edge, 'Phone')
    removePasskeysOf(edge, 'Grace Hopper')
    await visitSignIn(grace, edge, key)
    await enterPassword(grace, 'Grace Hopper', goodPassword)
    await signInWithCode(grace, app.code())
    await grace.page.waitForURL('**/account')
  })
  beforeEach((ctx) => requireChromium(ctx))
  afterAll(() => started?.end())

  const password = () => grace.page.getByLabel('Your password')
  const code = () => grace.page.getByLabel('Code from your authenticator app')
  const approve = () => grace.button('Approve with password and code')

  test('the page asks for both; the keyboard goes through them to Refuse and Approve', async () => {
    await grace.page.goto(program.ask().url)
    await picture(grace, 'authorize-code')
    await password().focus()
    for (const target of [grace.button('Show the password'), code(), grace.button('Refuse'), approve()]) {
      await grace.page.keyboard.press('Tab')
      expect(await isFocused(target)).toBe(true)
    }
    await approve().click()
    expect(await isFocused(password())).toBe(true)
  })

  test('a wrong code is told, in words that tell nothing else, and the next one is typed where it was', async () => {
    await password().fill(goodPassword)
    await code().fill(app.wrongCode())
    await grace.page.keyboard.press('Enter')
    await problem(grace).waitFor()
    expect(await problem(grace).innerText()).toContain('A code works once: wait for the next one.')
    expect([await password().inputValue(), await code().inputValue()]).toEqual([goodPassword, ''])
    expect(await isFocused(code())).toBe(true)
    await picture(grace, 'authorize-code-refused')
  })

  test('password and code approve exactly this request: the program has its tokens', async () => {
    const asked = program.ask()
    await grace.page.goto(asked.url)
    await password().fill(goodPassword)
    await code().fill(app.code())
    await grace.page.keyboard.press('Enter')
    const { code: given = '' } = await program.answerAt(grace)
    expect(await program.redeem(given, asked)).toMatchObject({ status: 200, json: { token_type: 'DPoP' } })
    await grace.page.goto(`${edge.origin}/account`)
    expect(await grace.page.getByText('By a code').count()).toBe(1)
    await picture(grace, 'account-program-by-code')
  })

  test('a ticket for something else than the page shows gets neither password nor code', async () => {
    await grace.page.goto(program.ask().url)
    const finishes: string[] = []
    grace.page.on('request', (request) => void finishes.push(new URL(request.url()).pathname))
    await grace.page.evaluate("document.querySelector('#asked').dataset.address = '192.0.2.99'")
    await password().fill(goodPassword)
    await code().fill(app.code())
    await approve().click()
    await expect.poll(() => problem(grace).innerText()).toContain('Something went wrong in this page')
    expect(finishes).not.toContain('/v1/authorize/finish')
  })

  test('Refuse needs nothing typed', async () => {
    await grace.page.goto(program.ask().url)
    await grace.button('Refuse').click()
    expect(await program.answerAt(grace)).toMatchObject({ error: 'access_denied' })
  })

  test('a headless login is approved the same way, after the comparison', async () => {
    const headless = new Program(await newProofKey(), new Visitor(edge.origin))
    const codes = await askForCodes(headless)
    await grace.page.goto(codes.verification_uri_complete)
    await picture(grace, 'device-code-approval')
    await password().fill(goodPassword)
    await code().fill(app.code())
    await approve().click()
    await expect.poll(() => problem(grace).innerText()).toContain('First compare the code with the terminal')
    await grace.page.getByRole('checkbox').check()
    await code().fill(app.code())
    await approve().click()
    await grace.page.getByRole('heading', { name: 'Approved: go back to the terminal' }).waitFor()
    expect((await poll(headless, codes)).status).toBe(200)
  })

  test('a session is approved with a code alone, by the keyboard, and the program hears only of which app it was', async () => {
    const own = await LocalProgram.at(edge)
    const asked = own.ask()
    await grace.page.goto(asked.url)
    await password().fill(goodPassword)
    await code().fill(app.code())
    await approve().click()
    const { access_token: token } = (await own.redeem((await own.answerAt(grace))['code'] ?? '', asked)).json
    const { proxies } = (await program.call('GET', '/v1/proxies')).json
    const proxy = { id: proxies[0].id, boot: 'Hq7XbW2nqyYgEkGk0f9Nsw' }
    const session = { resource: { kind: 'app', name: 'wiki' }, principal: {}, proxy } as const
    const body = { ...session, redirect_uri: own.redirectUri, state: 'here' }
    const begun = (await own.program.call('POST', '/v1/sessions', token, { body })).json
    await grace.page.goto(begun.approve_url)
    expect(await grace.page.getByLabel('Your password').count()).toBe(0)
    await picture(grace, 'approve-by-code')
    await code().focus()
    for (const target of [grace.button('Refuse'), grace.button('Approve with a code')]) {
      await grace.page.keyboard.press('Tab')
      expect(await isFocused(target)).toBe(true)
    }
    await code().fill(app.wrongCode())
    await grace.page.keyboard.press('Enter')
    await problem(grace).waitFor()
    expect([await code().inputValue(), await isFocused(code())]).toEqual(['', true])
    const typed = app.code()
    await code().fill(typed)
    await grace.page.keyboard.press('Enter')
    const { tap = '', ...rest } = await own.answerAt(grace)
    expect(rest).toEqual({ state: 'here', iss: edge.origin })
    const sent = Buffer.from(tap, 'base64url').toString()
    expect(JSON.parse(sent)).toEqual({ ticket: begun.ticket, app: expect.any(String) })
    expect(sent).not.toContain(typed)
    const reply = await own.program.token(exchangeForm(token, session, tap))
    expect(reply).toMatchObject({ status: 200, json: { token_type: 'DPoP' } })
    await own.end()
  })

  test('where a passkey is wanted again, the page that was open says so; a new one says what to do', async () => {
    const asked = program.ask()
    await grace.page.goto(asked.url)
    await program.prefer(bothFactors)
    await password().fill(goodPassword)
    await code().fill(app.code())
    await approve().click()
    await expect.poll(() => problem(grace).innerText()).toContain('ask an administrator for a link')
    // A process may have heard of the preference a minute ago: one that has refused has heard the newest.
    await grace.page.goto(asked.url)
    await grace.page.getByText('You cannot approve this').waitFor()
    await picture(grace, 'authorize-without-passkey')
    await grace.button('Refuse').click()
    expect(await program.answerAt(grace)).toMatchObject({ error: 'access_denied' })
  })

  test('no page complained about anything but what was provoked', async () => {
    await grace.leave({ refusals: 3 })
  })
})
