/** A program without a browser asks to act for the user: the code, the comparison, the answer, in a real browser. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Visitor } from '../client.ts'
import { askForCodes, type Codes, headlessRole, poll } from '../device-flow.ts'
import { newProofKey, Program } from '../program.ts'
import { type Edge, type Key, openBrowser, Person, picture, requireChromium, startEdge } from './browser.ts'
import { LocalProgram } from './local-program.ts'

describe('a program without a browser', () => {
  let browser: Browser | undefined
  let edge: Edge
  let ada: Person
  let grace: Person
  let key: Key
  let program: Program

  beforeAll(async () => {
    browser = await openBrowser()
    if (!browser) return
    edge = await startEdge()
    ada = await Person.at(browser)
    await ada.newKey()
    await ada.registerFirst(edge)
    const local = await LocalProgram.at(edge)
    await local.loginOf(ada)
    await local.put({ documents: [headlessRole()] })
    const link = await local.invite(ada, 'Grace Hopper', ['access', 'headless'])
    await local.end()
    grace = await Person.at(browser)
    key = await grace.newKey()
    await grace.page.goto(link)
    await grace.button('Register a passkey').click()
    await grace.page.waitForURL('**/account')
    await grace.signOut()
    program = new Program(await newProofKey(), new Visitor(edge.origin))
  })
  beforeEach((ctx) => requireChromium(ctx))
  afterAll(async () => {
    await browser?.close()
    await edge?.end()
  })

  const approve = () => grace.button('Approve with a passkey')
  const refuse = () => grace.button('Refuse')
  const compared = () => grace.page.getByRole('checkbox')
  const problem = () => grace.page.getByRole('alert').filter({ hasText: /\S/ })
  const codeBox = () => grace.page.getByRole('textbox', { name: 'Code' })
  const enter = async (code: string) => {
    await codeBox().fill(code)
    await grace.button('Go on').click()
  }
  const told = async (codes: Codes) => (await poll(program, codes)).json.error
  const heading = () => grace.page.getByRole('heading', { level: 1 }).innerText()

  test('whoever is not signed in signs in first, and comes back to where the code is entered', async () => {
    await grace.page.goto(`${edge.origin}/device`)
    expect(await grace.page.getByText('the login of a program that shows you a code').isVisible()).toBe(true)
    await picture(grace, 'device-sign-in')
    await grace.button('Sign in with a passkey').click()
    await codeBox().waitFor()
    await picture(grace, 'device-code')
  })

  test('a code that nobody has is told at the box, and typed again', async () => {
    await enter('zzzz zzzz')
    await problem().waitFor()
    expect(await codeBox().inputValue()).toBe('zzzz zzzz')
    expect(await codeBox().evaluate((element) => element === document.activeElement)).toBe(true)
    await picture(grace, 'device-code-unknown')
    const codes = await askForCodes(program)
    await enter(codes.user_code.toLowerCase().replace('-', ' '))
    expect(await heading()).toContain(codes.user_code)
  })

  test('the page shows code, program, address and when; nothing goes without the comparison', async () => {
    const codes = await askForCodes(program)
    await grace.page.goto(codes.verification_uri_complete)
    expect(await heading()).toMatch(new RegExp(`Grace Hopper, [\\s\\S]*${codes.user_code}`))
    const terms = await grace.page.getByRole('main').innerText()
    expect(terms).toMatch(/Sallyport CLI[\s\S]*(127\.0\.0\.1|::1), today, \d+:\d+/)
    expect(terms).toContain('Has somebody sent you here, or given you this code? Then refuse')
    expect(await compared().isChecked()).toBe(false)
    await picture(grace, 'device')
    const [before] = await key.credentials()
    await approve().click()
    await problem().waitFor()
    expect(await problem().innerText()).toContain('First compare the code with the terminal')
    expect(await compared().evaluate((element) => element === document.activeElement)).toBe(true)
    expect((await key.credentials())[0]?.signCount).toBe(before?.signCount)
    await picture(grace, 'device-not-compared')
    expect(await told(codes)).toBe('authorization_pending')
  })

  test('the keyboard comes to the comparison, to Refuse, and then to Approve', async () => {
    await grace.page.reload()
    for (const target of [compared(), refuse(), approve()]) {
      await grace.page.keyboard.press('Tab')
      expect(await target.evaluate((element) => element === document.activeElement)).toBe(true)
    }
  })

  test('compared and approved with a passkey, the program has tokens of this user', async () => {
    const codes = await askForCodes(program)
    await grace.page.goto(codes.verification_uri_complete)
    await grace.page.getByText('shows exactly this code').click()
    expect(await compared().isChecked()).toBe(true)
    await approve().click()
    await grace.page.getByRole('heading', { name: 'Approved: go back to the terminal' }).waitFor()
    await picture(grace, 'device-approved')
    const { status, json } = await poll(program, codes)
    expect(status).toBe(200)
    const me = await program.call('GET', '/v1/me', json.access_token)
    expect(me.json).toMatchObject({ user: { name: 'Grace Hopper' }, via: 'device_flow' })
    await grace.page.goto(`${edge.origin}/account`)
    const programs = grace.page.getByRole('region', { name: 'Programs' })
    expect(await programs.getByText('Headless').isVisible()).toBe(true)
    await picture(grace, 'account-headless')
  })

  test('refused, also while the browser waits for a tap, the program is told so, and nobody is asked again', async () => {
    const codes = await askForCodes(program)
    await key.touched(false)
    await grace.page.goto(codes.verification_uri_complete)
    await compared().check()
    await approve().click()
    await grace.page.getByText('Waiting for your passkey').waitFor()
    await refuse().click()
    await grace.page.getByRole('heading', { name: 'Refused' }).waitFor()
    await key.touched(true)
    await picture(grace, 'device-refused')
    expect(await told(codes)).toBe('access_denied')
    await grace.page.goto(codes.verification_uri_complete)
    expect(await grace.page.getByRole('button').count()).toBe(0)
  })

  test('a finger that is not the right one approves nothing, and one can try again', async () => {
    const codes = await askForCodes(program)
    await grace.page.goto(codes.verification_uri_complete)
    await compared().check()
    await key.verifies(false)
    await approve().click()
    await expect.poll(() => problem().textContent()).toContain('Nothing was approved')
    await key.verifies(true)
    await approve().click()
    await grace.page.getByRole('heading', { name: 'Approved' }).waitFor()
    expect((await poll(program, codes)).status).toBe(200)
  })

  test('no passkey is asked for another code than the one that the page shows', async () => {
    const [codes, others] = [await askForCodes(program), await askForCodes(program)]
    await grace.page.goto(codes.verification_uri_complete)
    await compared().check()
    const [before] = await key.credentials()
    const postData = JSON.stringify({ user_code: others.user_code })
    await grace.page.route('**/v1/device/begin', (route) => route.continue({ postData }), { times: 1 })
    await approve().click()
    await expect.poll(() => problem().textContent()).toContain('Something went wrong in this page')
    expect((await key.credentials())[0]?.signCount).toBe(before?.signCount)
    expect(await told(others)).toBe('authorization_pending')
  })

  test('somebody whom no role allows it is told so, and what to ask for', async () => {
    const codes = await askForCodes(program)
    await ada.page.goto(codes.verification_uri_complete)
    await ada.page.getByRole('heading', { name: 'Headless logins are off for you' }).waitFor()
    expect(await ada.page.getByRole('button').count()).toBe(0)
    await picture(ada, 'device-off')
  })

  test('no page complained about anything but what was provoked', async () => {
    await grace.leave({ refusals: 1 })
    await ada.leave({ refusals: 1 })
  })
})
