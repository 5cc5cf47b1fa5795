/** A program asks to act for the user, in a real browser: from the first link to the tokens, and to the end of its login. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Edge, type Key, openBrowser, Person, requireChromium, startEdge } from './browser.ts'
import { LocalProgram } from './local-program.ts'

describe('a program that asks to act for the user', () => {
  let browser: Browser | undefined
  let edge: Edge
  let ada: Person
  let key: Key
  let program: LocalProgram

  beforeAll(async () => {
    browser = await openBrowser()
    if (!browser) return
    edge = await startEdge()
    ada = await Person.at(browser)
    key = await ada.newKey()
    await ada.registerFirst(edge)
    await ada.signOut()
    program = await LocalProgram.at(edge)
  })
  beforeEach((ctx) => requireChromium(ctx))
  afterAll(async () => {
    await browser?.close()
    await program?.end()
    await edge?.end()
  })

  const approve = () => ada.button('Approve with a passkey')
  const refuse = () => ada.button('Refuse')
  const problem = () => ada.page.getByRole('alert').filter({ hasText: /\S/ })
  const programs = () => ada.page.getByRole('region', { name: 'Programs' }).getByRole('listitem')

  test('whoever is not signed in signs in first, and is then at exactly this request', async () => {
    const asked = program.ask()
    await ada.page.goto(asked.url)
    expect(await ada.page.getByText('the request of a program that wants to act for you').isVisible()).toBe(true)
    await ada.button('Sign in with a passkey').click()
    await approve().waitFor()
    expect(ada.page.url()).toBe(asked.url)
  })

  test('the page says who asks, from where and what for, and the program is the largest text', async () => {
    const { page } = ada
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toMatch(/Ada Lovelace[\s\S]*Sallyport CLI/)
    const port = new URL(program.redirectUri).port
    expect(await page.getByText(`at port ${port}.`).innerText()).toMatch(/^this browser, at (127\.0\.0\.1|::1)\./)
    expect(await page.getByText('Do whatever your roles let you do, for 12 hours at most').isVisible()).toBe(true)
    expect(await largestText(ada)).toBe('Sallyport CLI')
    await page.goto(program.ask({ scope: 'openid' }).url)
    expect(await page.getByText('Learn who you are, and nothing else').isVisible()).toBe(true)
  })

  test('the keyboard comes to Refuse first', async () => {
    await ada.page.goto(program.ask().url)
    for (const button of [refuse(), approve()]) {
      await ada.page.keyboard.press('Tab')
      expect(await button.evaluate((element) => element === document.activeElement)).toBe(true)
    }
  })

  test('approved with a passkey, it has a code with state and issuer, and the code becomes tokens of this user', async () => {
    const asked = program.ask()
    await ada.page.goto(asked.url)
    await approve().click()
    const { code = '', ...rest } = await program.answerAt(ada)
    expect(rest).toEqual({ state: asked.state, iss: edge.origin })
    const { status, json } = await program.redeem(code, asked)
    expect(status).toBe(200)
    const me = await program.program.call('GET', '/v1/me', json.access_token)
    expect(me).toMatchObject({ status: 200, json: { user: { name: 'Ada Lovelace' }, client: 'Sallyport CLI' } })
  })

  test('going back shows the request again, not a page that is stuck, and so does a reload', async () => {
    await ada.page.goBack()
    await approve().waitFor()
    expect(await approve().getAttribute('aria-busy')).toBe(null)
    await ada.page.reload()
    await refuse().click()
    expect(await program.answerAt(ada)).toMatchObject({ error: 'access_denied' })
  })

  test('refused, the program is told so, and no key was asked', async () => {
    const asked = program.ask()
    const [before] = await key.credentials()
    await ada.page.goto(asked.url)
    await refuse().click()
    expect(await program.answerAt(ada)).toEqual({ error: 'access_denied', state: asked.state, iss: edge.origin })
    expect((await key.credentials())[0]?.signCount).toBe(before?.signCount)
  })

  test('refusing works while the browser waits for a tap', async () => {
    await key.touched(false)
    await ada.page.goto(program.ask().url)
    await approve().click()
    await ada.page.getByText('Waiting for your passkey').waitFor()
    await refuse().click()
    expect(await program.answerAt(ada)).toMatchObject({ error: 'access_denied' })
    await key.touched(true)
  })

  test('a finger that is not the right one approves nothing, and one can try again', async () => {
    await key.verifies(false)
    await ada.page.goto(program.ask().url)
    await approve().click()
    await expect.poll(() => problem().textContent()).toContain('Nothing was approved')
    expect(await approve().getAttribute('aria-busy')).toBe(null)
    await key.verifies(true)
    await approve().click()
    expect(await program.answerAt(ada)).toHaveProperty('code')
  })

  test('a client that nobody knows, or an address elsewhere, is told on a page and sent nowhere', async () => {
    for (const wrong of [{ client_id: 'unknown' }, { redirect_uri: 'https://attacker.example/callback' }]) {
      await ada.page.goto(program.ask(wrong).url)
      expect(ada.page.url()).toContain(`${edge.origin}/oauth/authorize`)
      await ada.page.getByRole('heading', { name: 'That did not work' }).waitFor()
      expect(await ada.page.getByRole('button').count()).toBe(0)
    }
  })

  test.each([
    ['code_challenge_method', 'plain', 'invalid_request'],
    ['dpop_jkt', undefined, 'invalid_request'],
    ['scope', 'everything', 'invalid_scope'],
    ['response_type', 'token', 'unsupported_response_type'],
  ])('a wrong %s (%s) goes back to the program as %s', async (name, value, error) => {
    const asked = program.ask({ [name]: value })
    await ada.page.goto(asked.url)
    expect(await program.answerAt(ada)).toMatchObject({ error, state: asked.state, iss: edge.origin })
  })

  test('a session that has ended meanwhile leads to signing in, and back to this request', async () => {
    const asked = program.ask()
    await ada.page.goto(asked.url)
    await ada.page.context().clearCookies({ name: '__Host-sallyport' })
    await approve().click()
    await expect.poll(() => problem().textContent()).toContain('Sign in, then try again')
    await problem().getByRole('link', { name: 'Sign in' }).click()
    await ada.button('Sign in with a passkey').click()
    await approve().click()
    expect(await program.answerAt(ada)).toMatchObject({ state: asked.state })
  })

  test('the account page lists its login, and ends it', async () => {
    await program.loginOf(ada)
    expect((await program.call('GET', '/v1/me')).status).toBe(200)
    await ada.page.goto(`${edge.origin}/account`)
    const before = await programs().count()
    expect(await programs().first().innerText()).toMatch(
      /^Sallyport CLI\n[\s\S]*127\.0\.0\.1[\s\S]*Ends today|tomorrow/,
    )
    await ada.button('End the login of Sallyport CLI').last().click()
    await ada.page.getByText('The login was ended.').waitFor()
    expect(await programs().count()).toBe(before - 1)
    expect(await program.call('GET', '/v1/me')).toMatchObject({ status: 401, json: { error: 'invalid_token' } })
  })

  test('a login that was ended because a code came twice stays listed, with the reason', async () => {
    const asked = program.ask()
    await ada.page.goto(asked.url)
    await approve().click()
    const { code = '' } = await program.answerAt(ada)
    for (const status of [200, 400]) expect((await program.redeem(code, asked)).status).toBe(status)
    await ada.page.goto(`${edge.origin}/account`)
    const ended = programs().filter({ hasText: 'The code of this login was used a second time' })
    expect(await ended.innerText()).toMatch(/Ended[\s\S]*Ended today/)
    expect(await ended.getByRole('button').count()).toBe(0)
  })

  test('no page complained about anything but what was provoked', async () => {
    await ada.leave({ refusals: 3 })
  })
})

/** What a person in a hurry reads. */
const largestText = ({ page }: Person): Promise<unknown> =>
  page.evaluate(`[...document.querySelectorAll('main *')]
    .filter((element) => element.children.length === 0 && element.checkVisibility() && element.textContent.trim())
    .map((element) => [Number.parseFloat(getComputedStyle(element).fontSize), element.textContent])
    .sort(([a], [b]) => b - a)[0][1]`)
