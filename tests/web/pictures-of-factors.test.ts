/** Every state of signing in with a password and of the account's factors, as tests/web/pictures.test.ts has the others. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { goodPassword } from '../factors.ts'
import { type Administered, startWithAdministrator } from './administrator.ts'
import { type Edge, type Key, Person, picture, requireChromium } from './browser.ts'
import {
  addApp,
  beginApp,
  bothFactors,
  enterPassword,
  formerly,
  joinAsGrace,
  makeRecoveryCodes,
  problem,
  removePasskeysOf,
  setPassword,
  signInWithCode,
  visitSignIn,
} from './factors.ts'
import type { LocalProgram } from './local-program.ts'

describe('every state of the pages for passwords and codes', () => {
  let started: Administered | undefined
  let edge: Edge
  let ada: Person
  let grace: Person
  let key: Key
  let hers: Key
  let program: LocalProgram

  beforeAll(async () => {
    started = await startWithAdministrator()
    if (!started) return
    ;({ edge, ada, key, program } = started)
    await program.prefer(bothFactors)
    grace = await Person.at(started.browser)
    hers = await joinAsGrace(grace, program, ada)
  })
  beforeEach((ctx) => requireChromium(ctx))
  afterAll(() => started?.end())

  const account = () => ada.page.goto(`${edge.origin}/account`)

  test('setting a password and an app', async () => {
    await account()
    await picture(ada, 'account-factors-none')
    await setPassword(ada, 'too short')
    await problem(ada).waitFor()
    await picture(ada, 'account-password-weak')
    await setPassword(ada, goodPassword)
    await ada.page.getByText('The password was set.').waitFor()
    const app = await beginApp(ada, edge, 'Phone')
    await picture(ada, 'account-app-setup')
    await ada.page.getByLabel('Code that the app shows now').fill(app.wrongCode())
    await ada.button('Add the app').click()
    await problem(ada).waitFor()
    await picture(ada, 'account-app-wrong-code')
    await ada.page.reload()
    await addApp(ada, edge, 'Phone')
  })

  test('making recovery codes', async () => {
    await makeRecoveryCodes(ada)
    await picture(ada, 'account-recovery-codes')
    await ada.page.emulateMedia({ media: 'print', colorScheme: 'light' })
    await ada.page.screenshot({ path: 'tests/.artifacts/account-recovery-codes-print.png', fullPage: true })
    await ada.page.emulateMedia({ media: null })
    await ada.button('I have kept them').click()
    await ada.page.getByText('Ten recovery codes were made.').waitFor()
    await picture(ada, 'account-factors-all')
  })

  test('removing them', async () => {
    await ada.button('Remove Phone').click()
    await picture(ada, 'account-app-remove')
    await key.touched(false)
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
    await ada.page.getByText('Waiting for your passkey').waitFor()
    await picture(ada, 'account-app-remove-waiting')
    await ada.page.keyboard.press('Escape')
  })

  test('signing in', async () => {
    await visitSignIn(ada, edge, key)
    await picture(ada, 'sign-in-password')
    await enterPassword(ada, 'Ada Lovelace', goodPassword)
    await picture(ada, 'sign-in-second-factor')
    await ada.page.getByText('Use a recovery code').click()
    await picture(ada, 'sign-in-recovery-code')
    await signInWithCode(ada, '123456')
    await problem(ada).waitFor()
    await picture(ada, 'sign-in-password-refused')
    for (let i = 0; i < 6; i++) {
      await enterPassword(ada, 'Nobody', 'whatever it may be')
      await signInWithCode(ada, '123456')
      await problem(ada).waitFor()
    }
    await picture(ada, 'sign-in-password-locked')
  })

  test('somebody without a passkey', async () => {
    await setPassword(grace, goodPassword)
    await grace.page.getByText('The password was set.').waitFor()
    const app = await addApp(grace, edge, 'Phone')
    await hers.touched(false)
    removePasskeysOf(edge, 'Grace Hopper')
    await visitSignIn(grace, edge)
    await enterPassword(grace, 'Grace Hopper', goodPassword)
    await signInWithCode(grace, app.code())
    await grace.page.waitForURL('**/account')
    await picture(grace, 'account-without-passkey')
    await grace.button('Make recovery codes').click()
    await picture(grace, 'account-confirm')
    await grace.page.getByRole('dialog').getByLabel('Your password').fill('wrong')
    await grace.page.getByRole('dialog').getByRole('textbox').last().fill('000000')
    await grace.page.keyboard.press('Enter')
    await problem(grace).waitFor()
    await picture(grace, 'account-confirm-refused')
  })

  test('what each preference makes of the pages', async () => {
    await key.touched(true)
    await program.prefer({ type: 'local', second_factor: 'optional', allow_passwords: true })
    await visitSignIn(ada, edge, key)
    await enterPassword(ada, 'Ada Lovelace', goodPassword)
    await picture(ada, 'sign-in-optional')
    await program.prefer({ type: 'local', second_factor: 'webauthn', allow_passwords: true, passwordless: false })
    await visitSignIn(ada, edge, key)
    await picture(ada, 'sign-in-password-only')
    await enterPassword(ada, 'Ada Lovelace', goodPassword)
    await ada.page.getByText('Waiting for your passkey').waitFor()
    await picture(ada, 'sign-in-tap-only')
    await visitSignIn(ada, edge)
    await key.touched(true)
    await enterPassword(ada, 'Ada Lovelace', goodPassword)
    await ada.page.waitForURL('**/account')
    await program.prefer({ type: 'local', second_factor: 'webauthn', allow_passwords: false })
    await visitSignIn(ada, edge)
    await key.touched(true)
    await ada.signIn(edge)
    await picture(ada, 'account-not-taken')
    await grace.page.goto(`${edge.origin}/account`)
    await picture(grace, 'account-no-way-in')
  })

  test('names of before, short and long: under the button that most need, one a line', async () => {
    const long = `a-name-of-before-that-no-phone-has-room-for.${'and-another-label.'.repeat(4)}example.org`
    await formerly(edge, program, [long, 'old.example.net'])
    await visitSignIn(ada, edge, key)
    await picture(ada, 'sign-in-former-names')
    const box = async (name: string) => {
      const { x = 0, y = 0, height = 0 } = (await ada.button(name).boundingBox()) ?? {}
      return { left: x, top: y, bottom: y + height }
    }
    const primary = await box('Sign in with a passkey')
    const [one, other] = [await box(`Use a passkey of ${long}`), await box('Use a passkey of old.example.net')]
    expect([one.left, other.left]).toEqual([primary.left, primary.left])
    expect(one.top).toBeGreaterThan(primary.bottom)
    expect(other.top - one.bottom).toBeGreaterThanOrEqual(8)
  })

  test('no page complained about anything but what was provoked', async () => {
    await ada.leave({ refusals: 9 })
    await grace.leave({ refusals: 1 })
  })
})
