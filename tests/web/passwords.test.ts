/** Signing in with a password and each second factor, in a real browser: what works, and what a person reads when it does not. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { goodPassword } from '../factors.ts'
import { type Edge, type Key, openBrowser, Person, requireChromium, startEdge } from './browser.ts'
import {
  type App,
  addApp,
  bothFactors,
  enterPassword,
  isFocused,
  makeRecoveryCodes,
  problem,
  region,
  setPassword,
  signInWithCode,
  visitSignIn,
} from './factors.ts'
import { LocalProgram } from './local-program.ts'

const ada = 'Ada Lovelace'

describe('a person with a password and every second factor', () => {
  let browser: Browser | undefined
  let edge: Edge
  let person: Person
  let key: Key
  let program: LocalProgram
  let app: App
  let codes: string[]

  beforeAll(async () => {
    browser = await openBrowser()
    if (!browser) return
    edge = await startEdge()
    person = await Person.at(browser)
    key = await person.newKey()
    await person.registerFirst(edge)
    program = await LocalProgram.at(edge)
    await program.loginOf(person)
    await program.prefer(bothFactors)
    await person.page.goto(`${edge.origin}/account`)
    await setPassword(person, goodPassword)
    await person.page.getByText('The password was set.').waitFor()
    app = await addApp(person, edge, 'Phone')
    codes = await makeRecoveryCodes(person)
  })
  beforeEach((ctx) => requireChromium(ctx))
  afterAll(async () => {
    await browser?.close()
    await program?.end()
    await edge?.end()
  })

  const name = () => person.page.getByLabel('Name', { exact: true })
  const password = () => person.page.getByLabel('Password', { exact: true })
  const account = () => person.page.waitForURL('**/account')
  /** A request that waits already is not answered by a virtual key: it is touched when the next one begins. */
  const touchAtBegin = () =>
    person.page.route(
      '**/v1/login/begin',
      async (route) => {
        await key.touched(true)
        await route.continue()
      },
      { times: 1 },
    )
  /** One text, whatever was wrong. */
  const refusedWith = /^That did not work\. Check name, password and second factor, .* Request \S{16}$/

  test('a password and a tap', async () => {
    await visitSignIn(person, edge, key)
    await enterPassword(person, ada, goodPassword)
    const tap = person.button('Use a passkey or security key')
    expect(await isFocused(tap)).toBe(true)
    await key.touched(true)
    await person.page.keyboard.press('Enter')
    await account()
  })

  test('a password and a code, by keyboard alone, with a code as it is pasted', async () => {
    await visitSignIn(person, edge, key)
    await name().focus()
    await person.page.keyboard.insertText(ada)
    await person.page.keyboard.press('Tab')
    await person.page.keyboard.insertText(goodPassword)
    await person.page.keyboard.press('Enter')
    await person.page.getByRole('heading', { name: 'Your second factor' }).waitFor()
    await person.page.keyboard.press('Tab')
    await person.page.keyboard.insertText(app.code().replace(/^.../, '$& '))
    await person.page.keyboard.press('Enter')
    await account()
  })

  test('a password and a recovery code, in small letters, which is then used up', async () => {
    await visitSignIn(person, edge, key)
    await enterPassword(person, ada, goodPassword)
    await person.page.getByText('Use a recovery code').click()
    await person.page.getByRole('textbox', { name: 'Recovery code' }).fill(codes[0]?.toLowerCase() ?? '')
    await person.page.keyboard.press('Enter')
    await account()
    expect(await region(person, 'Recovery codes').innerText()).toContain('9 of 10 are left.')
  })

  test('a passkey alone still comes first, and its button works where the browser fills in none', async () => {
    await person.page.route('**/v1/login/begin', (route) => route.abort(), { times: 1 })
    const asked = person.page.waitForRequest('**/v1/login/begin')
    await visitSignIn(person, edge, key)
    await asked
    const buttons = await person.page.locator('main').getByRole('button').allInnerTexts()
    expect(buttons).toEqual(['Sign in with a passkey', 'Show', 'Continue'])
    await key.touched(true)
    await person.button('Sign in with a passkey').click()
    await account()
  })

  test('a passkey that is picked in the name’s box signs in without any button', async () => {
    await touchAtBegin()
    await visitSignIn(person, edge, key)
    await account()
  })

  test('whatever is wrong, the answer is one; name and password are still there, and the password has the focus', async () => {
    const wrong: [who: string, password: string, code: string][] = [
      [ada, 'another password', app.code()],
      [ada, goodPassword, app.wrongCode()],
      ['Nobody', goodPassword, app.wrongCode()],
    ]
    for (const [who, secret, code] of wrong) {
      await visitSignIn(person, edge, key)
      await enterPassword(person, who, secret)
      await signInWithCode(person, code)
      await expect.poll(() => problem(person).textContent()).toMatch(refusedWith)
      expect([await name().inputValue(), await password().inputValue()]).toEqual([who, secret])
      expect(await isFocused(password())).toBe(true)
      expect(await person.page.getByRole('heading', { name: 'Your second factor' }).isVisible()).toBe(false)
    }
  })

  test('after a mistake Enter goes on with what is there', async () => {
    await visitSignIn(person, edge, key)
    await enterPassword(person, ada, goodPassword)
    await signInWithCode(person, app.wrongCode())
    await problem(person).waitFor()
    await person.page.keyboard.press('Enter')
    await person.page.getByRole('heading', { name: 'Your second factor' }).waitFor()
    await signInWithCode(person, app.code())
    await account()
  })

  test.each(['the browser’s Back', 'the page’s Back'])('%s goes to the first step, with the name', async (which) => {
    await visitSignIn(person, edge, key)
    await enterPassword(person, ada, goodPassword)
    if (which === 'the page’s Back') await person.button('Back').click()
    else await person.page.goBack()
    await name().waitFor()
    expect(await name().inputValue()).toBe(ada)
    await person.page.reload()
    expect(await name().inputValue()).toBe(ada)
    expect(await password().inputValue()).toBe('')
  })

  test('a tap that is cancelled leaves the second step as it is, for another try', async () => {
    await visitSignIn(person, edge, key)
    await enterPassword(person, ada, goodPassword)
    await key.verifies(false)
    await key.touched(true)
    await person.button('Use a passkey or security key').click()
    await expect.poll(() => problem(person).textContent()).toContain('Nothing was approved')
    await key.verifies(true)
    await person.button('Use a passkey or security key').click()
    await account()
  })

  test('a challenge that is not the hash of a login with a password is given to no key', async () => {
    const before = (await key.credentials())[0]?.signCount
    await visitSignIn(person, edge, key)
    await person.changeAnswer('/v1/login/password/begin', ({ options }) =>
      Object.assign(options ?? {}, { challenge: 'A'.repeat(43) }),
    )
    await name().fill(ada)
    await password().fill(goodPassword)
    await person.page.keyboard.press('Enter')
    await expect.poll(() => problem(person).textContent()).toContain('Something went wrong in this page')
    expect((await key.credentials())[0]?.signCount).toBe(before)
  })

  test('five failures lock a name, whoever has it, and the page says so and what to do', async () => {
    await visitSignIn(person, edge, key)
    for (let i = 0; i < 6; i++) {
      await enterPassword(person, 'Somebody', `guess number ${i}`)
      await signInWithCode(person, '123456')
      await problem(person).waitFor()
    }
    expect(await problem(person).textContent()).toContain('wait half an hour, or sign in with a passkey')
  })

  test('the password can be shown, and is hidden again before it is sent', async () => {
    await visitSignIn(person, edge, key)
    await password().fill(goodPassword)
    await person.button('Show the password').click()
    expect(await password().getAttribute('type')).toBe('text')
    expect(await person.button('Show the password').getAttribute('aria-pressed')).toBe('true')
    await enterPassword(person, ada, goodPassword)
    expect(await person.page.locator('#password').getAttribute('type')).toBe('password')
  })

  test('one goes on to where one was going', async () => {
    await visitSignIn(person, edge, key)
    await person.page.goto(`${edge.origin}/?next=${encodeURIComponent('/account?from=link')}`)
    await enterPassword(person, ada, goodPassword)
    await key.touched(true)
    await person.button('Use a passkey or security key').click()
    await person.page.waitForURL('**/account?from=link')
  })

  test('whoever looks for the phone longer than a ticket lives still signs in, with a new one', async () => {
    const code = app.code()
    const later = await Person.at(browser)
    await later.page.clock.install()
    await later.page.goto(edge.origin)
    await enterPassword(later, ada, goodPassword)
    await later.page.clock.fastForward(290_000)
    const again = later.page.waitForRequest('**/v1/login/password/begin')
    await signInWithCode(later, code)
    await again
    await later.page.waitForURL('**/account')
    await later.leave()
  })

  test('the request for a passkey in the name’s box is made anew before its ticket ends', async () => {
    await person.page.clock.install()
    const offered = person.page.waitForResponse('**/v1/login/begin')
    await visitSignIn(person, edge, key)
    await offered
    await touchAtBegin()
    await person.page.clock.fastForward(46_000)
    await account()
  })

  test('where a passkey alone is not enough, there is no button for it and nothing is filled in', async () => {
    await program.prefer({ type: 'local', second_factor: 'webauthn', allow_passwords: true, passwordless: false })
    await visitSignIn(person, edge, key)
    expect(await person.button('Sign in with a passkey').count()).toBe(0)
    expect(await name().getAttribute('autocomplete')).toBe('username')
    await key.touched(true)
    // Taps are all that is taken: the browser asks for one without another click.
    await name().fill(ada)
    await password().fill(goodPassword)
    await person.button('Continue').click()
    await account()
  })

  test('where second factors are off, the password is all', async () => {
    await program.prefer({ type: 'local', second_factor: 'off', allow_passwords: true })
    await visitSignIn(person, edge, key)
    await name().fill(ada)
    await password().fill('wrong')
    await person.page.keyboard.press('Enter')
    await expect.poll(() => problem(person).textContent()).toMatch(refusedWith)
    await password().fill(goodPassword)
    await person.page.keyboard.press('Enter')
    await account()
  })

  test('where they are optional, whoever has one must show it, and is told no more than anybody', async () => {
    await program.prefer({ type: 'local', second_factor: 'optional', allow_passwords: true })
    await visitSignIn(person, edge, key)
    await enterPassword(person, ada, goodPassword)
    await person.button('I have no second factor').click()
    await expect.poll(() => problem(person).textContent()).toMatch(refusedWith)
  })

  test('where passwords are not taken, there is no form', async () => {
    await program.prefer({ type: 'local', second_factor: 'webauthn', allow_passwords: false })
    await visitSignIn(person, edge, key)
    expect(await person.page.locator('main input').count()).toBe(0)
    await key.touched(true)
    await person.signIn(edge)
  })

  test('no page complained about anything but what was provoked', async () => {
    await person.leave({ refusals: 13 })
  })
})
