/** Setting and removing a password, an authenticator app and recovery codes at the account page, in a real browser. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { goodPassword } from '../factors.ts'
import { type Administered, startWithAdministrator } from './administrator.ts'
import { type Edge, type Key, Person, requireChromium } from './browser.ts'
import {
  type App,
  addApp,
  beginApp,
  bothFactors,
  enterPassword,
  isFocused,
  joinAsGrace,
  makeRecoveryCodes,
  problem,
  region,
  removePasskeysOf,
  setPassword,
  signInWithCode,
  visitSignIn,
} from './factors.ts'
import type { LocalProgram } from './local-program.ts'

describe('somebody who sets and removes what signs him in', () => {
  let started: Administered | undefined
  let edge: Edge
  let ada: Person
  let grace: Person
  let key: Key
  let hers: Key
  let program: LocalProgram
  let app: App

  beforeAll(async () => {
    started = await startWithAdministrator()
    if (!started) return
    ;({ edge, ada, key, program } = started)
  })
  beforeEach((ctx) => requireChromium(ctx))
  afterAll(() => started?.end())

  const told = ({ page }: Person, text: string) => page.getByText(text).waitFor()
  const dialog = ({ page }: Person) => page.getByRole('dialog')
  const advice = ({ page }: Person) => page.getByLabel('Advice')
  const taps = async () => (await key.credentials())[0]?.signCount ?? 0

  test('where the cluster takes passkeys alone, nothing else is offered', async () => {
    await ada.page.goto(`${edge.origin}/account`)
    for (const name of ['Password', 'Authenticator apps', 'Recovery codes'])
      expect(await region(ada, name).count()).toBe(0)
    expect(await advice(ada).innerText()).toContain('Add a second passkey.')
    await program.prefer(bothFactors)
    await ada.page.reload()
    expect(await region(ada, 'Password').innerText()).toContain('You have none.')
  })

  test('a password that anybody would guess is refused before a tap, with the reason', async () => {
    const before = await taps()
    await setPassword(ada, 'password1234')
    await expect.poll(() => problem(ada).textContent()).toContain('It is made of common passwords')
    expect(await ada.page.getByLabel('New password').getAttribute('aria-invalid')).toBe('true')
    expect(await taps()).toBe(before)
  })

  test('a password is set with a tap, and changed with another', async () => {
    const before = await taps()
    await setPassword(ada, goodPassword)
    await told(ada, 'The password was set.')
    expect(await taps()).toBeGreaterThan(before)
    await ada.page.reload()
    await setPassword(ada, 'lanterns over a quiet canal, 1911')
    await told(ada, 'The password was set.')
    expect(await region(ada, 'Password').innerText()).toMatch(/Set today, /)
  })

  test('an app is shown its key as a QR code that names it, as a link, and as text that can be copied', async () => {
    await ada.page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await beginApp(ada, edge, 'Phone')
    expect(await isFocused(ada.page.getByRole('heading', { name: 'Scan this with the app' }))).toBe(true)
    const uri = new URL((await ada.page.locator('#app-link').getAttribute('href')) ?? '')
    const secret = (await ada.page.locator('#app-secret').innerText()).replaceAll(' ', '')
    expect(uri.href).toMatch(/^otpauth:\/\/totp\/localhost:Ada%20Lovelace\?/)
    expect(uri.searchParams.get('secret')).toBe(secret)
    await ada.button('Copy the key').click()
    await told(ada, 'Copied.')
    expect(await ada.page.evaluate('navigator.clipboard.readText()')).toBe(secret)
    expect(await modulesOf(ada)).toBe(await modulesFor(uri.href))
  })

  test('cancelling adds nothing, and takes the key off the page', async () => {
    await ada.button('Cancel').click()
    await told(ada, 'No app was added')
    expect(await isFocused(ada.page.getByLabel('Name of the new app'))).toBe(true)
    expect(await ada.page.locator('#app-secret').textContent()).toBe('')
    expect(await ada.page.locator('#app-qr svg').count()).toBe(0)
  })

  test('no tap is given for another change than the page asked for, nor for another key than it shows', async () => {
    const before = await taps()
    await ada.changeAnswer('/v1/password/begin', ({ options }) =>
      Object.assign(options ?? {}, { challenge: 'A'.repeat(43) }),
    )
    await setPassword(ada, goodPassword)
    await expect.poll(() => problem(ada).textContent()).toContain('Something went wrong in this page')
    await ada.changeAnswer('/v1/totp/begin', (json) => Object.assign(json, { sealed: 'A'.repeat(64) }))
    await ada.page.getByLabel('Name of the new app').fill('Phone')
    await ada.button('Add an authenticator app').click()
    const atApps = region(ada, 'Authenticator apps').getByRole('alert').filter({ hasText: /\S/ })
    await expect.poll(() => atApps.textContent()).toContain('Something went wrong in this page')
    expect(await taps()).toBe(before)
    await ada.page.reload()
  })

  test('whoever takes longer than five minutes is told to start again, before a tap', async () => {
    await ada.page.clock.install()
    const before = await taps()
    await beginApp(ada, edge, 'Phone')
    await ada.page.clock.fastForward(290_000)
    await ada.page.getByLabel('Code that the app shows now').fill('123456')
    await ada.page.keyboard.press('Enter')
    await expect.poll(() => problem(ada).textContent()).toContain('longer than five minutes')
    expect(await taps()).toBe(before)
    await ada.page.reload()
  })

  test('a wrong code is told, and the next one is taken without a second tap', async () => {
    app = await beginApp(ada, edge, 'Phone')
    const code = ada.page.getByLabel('Code that the app shows now')
    await code.fill(app.wrongCode())
    await ada.page.keyboard.press('Enter')
    await expect.poll(() => problem(ada).textContent()).toContain('That code does not fit.')
    expect(await isFocused(code)).toBe(true)
    const before = await taps()
    await key.touched(false)
    await code.fill(app.code())
    await ada.page.keyboard.press('Enter')
    await told(ada, 'The app Phone was added.')
    expect(await taps()).toBe(before)
    await key.touched(true)
    expect(await advice(ada).count()).toBe(0)
  })

  test('a name that is taken is told at the text box', async () => {
    const name = ada.page.getByLabel('Name of the new app')
    await name.fill('Phone')
    await ada.button('Add an authenticator app').click()
    await expect.poll(() => problem(ada).textContent()).toContain('Choose another name')
    expect([await name.getAttribute('aria-invalid'), await isFocused(name)]).toEqual(['true', true])
  })

  test('recovery codes are shown once, to be copied and printed, and new ones take their place', async () => {
    const first = await makeRecoveryCodes(ada)
    expect(first).toHaveLength(10)
    expect(await isFocused(ada.page.getByRole('heading', { name: 'Keep these now' }))).toBe(true)
    await ada.button('Copy').click()
    await told(ada, 'Copied.')
    expect(await ada.page.evaluate('navigator.clipboard.readText()')).toBe(first.join('\n'))
    await ada.page.evaluate('window.print = () => { document.title = "printed" }')
    await ada.button('Print').click()
    expect(await ada.page.title()).toBe('printed')
    await ada.button('I have kept them').click()
    await told(ada, 'Ten recovery codes were made.')
    expect(await region(ada, 'Recovery codes').innerText()).toContain('10 of 10 are left.')
    expect(await ada.page.content()).not.toContain(first[0])
    expect(await makeRecoveryCodes(ada)).not.toContain(first[0])
  })

  test('on paper are the codes and whose they are, and nothing that can be pressed', async () => {
    await ada.page.emulateMedia({ media: 'print' })
    expect(await ada.page.locator('#codes-list').isVisible()).toBe(true)
    expect(await ada.page.getByRole('heading', { level: 1 }).isVisible()).toBe(true)
    expect(await ada.page.getByRole('button').count()).toBe(0)
    expect(await ada.page.getByRole('heading', { name: 'Passkeys', exact: true }).isVisible()).toBe(false)
    await ada.page.emulateMedia({ media: null })
    await ada.page.reload()
  })

  test('a removal that is cancelled removes nothing and gives the focus back', async () => {
    const remove = ada.button('Remove Phone')
    await remove.click()
    expect(await isFocused(dialog(ada).getByRole('button', { name: 'Cancel' }))).toBe(true)
    await ada.page.keyboard.press('Escape')
    expect(await dialog(ada).isVisible()).toBe(false)
    expect(await isFocused(remove)).toBe(true)
  })

  test('app and password are removed with a tap each', async () => {
    await ada.button('Remove Phone').click()
    expect(await dialog(ada).innerText()).toContain('your browser asks for a passkey next')
    await dialog(ada).getByRole('button', { name: 'Remove' }).click()
    await told(ada, 'The app Phone was removed.')
    await ada.button('Remove the password').click()
    await dialog(ada).getByRole('button', { name: 'Remove' }).click()
    await told(ada, 'The password was removed.')
    expect(await region(ada, 'Password').innerText()).toContain('You have none.')
    expect(await advice(ada).innerText()).toContain('Add a second passkey.')
  })

  test('somebody with an app and no passkey signs in by a code, and is warned', async () => {
    grace = await Person.at(started?.browser)
    hers = await joinAsGrace(grace, program, ada)
    await setPassword(grace, goodPassword)
    await told(grace, 'The password was set.')
    app = await addApp(grace, edge, 'Phone')
    removePasskeysOf(edge, 'Grace Hopper')
    await visitSignIn(grace, edge, hers)
    await enterPassword(grace, 'Grace Hopper', goodPassword)
    await signInWithCode(grace, app.code())
    await grace.page.waitForURL('**/account')
    expect(await advice(grace).innerText()).toContain('Make recovery codes.')
    expect(await region(grace, 'Passkeys and security keys').getByRole('button').count()).toBe(0)
    expect(await grace.page.getByRole('button', { name: /^Remove/ }).count()).toBe(0)
  })

  const confirm = async (password: string, code: string) => {
    await dialog(grace).getByLabel('Your password').fill(password)
    await dialog(grace).getByLabel('Code from your app, or a recovery code').fill(code)
    await grace.page.keyboard.press('Enter')
  }

  test('her changes are confirmed with password and code; a wrong one is told in the dialog, for another try', async () => {
    await grace.button('Make recovery codes').click()
    expect(await isFocused(dialog(grace).getByLabel('Your password'))).toBe(true)
    await confirm('wrong', app.wrongCode())
    await expect.poll(() => problem(grace).textContent()).toContain('Check name, password and second factor')
    await confirm(goodPassword, app.code())
    await grace.page.getByRole('heading', { name: 'Keep these now' }).waitFor()
    expect(await dialog(grace).isVisible()).toBe(false)
    const codes = await grace.page.locator('#codes-list li').allInnerTexts()
    await grace.button('I have kept them').click()
    await told(grace, 'Ten recovery codes were made.')
    expect(await advice(grace).count()).toBe(0)
    await setPassword(grace, 'lanterns over a quiet canal, 1911')
    await confirm(goodPassword, codes[0] ?? '')
    await told(grace, 'The password was set.')
    expect(await region(grace, 'Recovery codes').innerText()).toContain('9 of 10 are left.')
    const second = await beginApp(grace, edge, 'Tablet')
    await grace.page.getByLabel('Code that the app shows now').fill(second.code())
    await grace.button('Add the app').click()
    await confirm('lanterns over a quiet canal, 1911', codes[1] ?? '')
    await told(grace, 'The app Tablet was added.')
    await grace.button('Remove Phone').click()
    await confirm('lanterns over a quiet canal, 1911', codes[2] ?? '')
    await told(grace, 'The app Phone was removed.')
  })

  test('what is not taken any more is still shown; she has nothing to prove herself with, and is told so', async () => {
    await program.prefer({ type: 'local', second_factor: 'webauthn', allow_passwords: false })
    await grace.page.reload()
    expect(await region(grace, 'Password').innerText()).toContain('Passwords are not used here any more')
    expect(await grace.page.getByRole('button', { name: /^Remove/ }).count()).toBe(0)
    expect(await advice(grace).innerText()).toContain('You could not sign in again.')
  })

  test('no page complained about anything but what was provoked', async () => {
    await ada.leave({ refusals: 3 })
    await grace.leave({ refusals: 1 })
  })
})

/** The dark squares of the picture, and of another encoder's run over the same text. */
const modulesOf = ({ page }: Person): Promise<unknown> =>
  page.evaluate(`document.querySelector('#app-qr path').getAttribute('d')`)

async function modulesFor(text: string): Promise<string> {
  const { encode } = await import('uqr')
  const { data } = encode(text, { ecc: 'M', border: 4 })
  return data.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : ''))).join('')
}
