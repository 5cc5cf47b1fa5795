/** Every state of every page, on a phone and a desktop, light and dark: tests/.artifacts/ has the pictures. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Edge, type Key, openBrowser, Person, picture, requireChromium, startEdge } from './browser.ts'

describe('every state of every page', () => {
  let browser: Browser | undefined
  let edge: Edge
  let ada: Person
  let first: Key
  let second: Key

  beforeAll(async () => {
    browser = await openBrowser()
    if (!browser) return
    edge = await startEdge()
    ada = await Person.at(browser)
    first = await ada.newKey()
  })
  beforeEach((ctx) => requireChromium(ctx))
  afterAll(async () => {
    await browser?.close()
    await edge?.end()
  })

  const problem = () => ada.page.getByRole('alert').filter({ hasText: /\S/ })

  test('first administrator', async () => {
    await ada.page.goto(`${edge.origin}/first-administrator#dead`)
    await ada.page.getByText('no longer valid').waitFor()
    await picture(ada, 'first-administrator-dead')
    await ada.page.goto(edge.link)
    await ada.button('Register a passkey').waitFor()
    await picture(ada, 'first-administrator')
    await ada.page.getByRole('textbox').fill('<Ada>')
    await ada.button('Register a passkey').click()
    await problem().waitFor()
    await picture(ada, 'first-administrator-wrong-name')
    await ada.page.getByRole('textbox').fill('Ada Lovelace')
    await ada.button('Register a passkey').click()
    await ada.page.waitForURL('**/account')
    await picture(ada, 'account-one-passkey')
    await ada.page.goto(edge.link)
    await picture(ada, 'first-administrator-used')
  })

  test('adding a passkey', async () => {
    second = ada.newUsbKey()
    await ada.page.goto(`${edge.origin}/account`)
    await ada.page.getByRole('textbox').fill('Blue key')
    await ada.button('Add a passkey').click()
    await ada.button('Make the new passkey').waitFor()
    await picture(ada, 'account-second-step')
    await first.touched(false)
    await second.touched(true)
    await ada.button('Make the new passkey').click()
    await ada.page.getByText('was added').waitFor()
    await ada.page.locator('summary').first().click()
    await picture(ada, 'account-two-passkeys')
  })

  test('removing one', async () => {
    await ada.page.locator('[data-remove]').first().click()
    await picture(ada, 'account-remove')
    await second.touched(false)
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
    await ada.page.getByText('Waiting for another').waitFor()
    await picture(ada, 'account-remove-waiting')
    await ada.page.keyboard.press('Escape')
    expect(await ada.page.getByRole('dialog').isVisible()).toBe(false)
  })

  test('two sessions', async () => {
    await second.touched(true)
    const office = await Person.at(browser)
    const moved = await second.moveTo(office)
    await office.signIn(edge)
    expect(await moved.credentials()).toHaveLength(1)
    await picture(office, 'account-two-sessions')
    await office.leave()
  })

  test('sign in', async () => {
    await ada.page.goto(`${edge.origin}/account`)
    await ada.signOut()
    await picture(ada, 'sign-in')
    await second.touched(false)
    await ada.button('Sign in with a passkey').click()
    await ada.page.getByText('Waiting for your passkey').waitFor()
    await picture(ada, 'sign-in-waiting')
    await ada.page.goto(`${edge.origin}/?next=/account/passkeys`)
    await second.touched(true)
    await second.verifies(false)
    await ada.button('Sign in with a passkey').click()
    await problem().waitFor()
    await picture(ada, 'sign-in-refused')
  })

  test('a page that is not there', async () => {
    await ada.page.goto(`${edge.origin}/nowhere`)
    await ada.page.getByRole('heading', { level: 1 }).waitFor()
    await picture(ada, 'problem')
  })

  test('no page complained about anything but what was provoked', async () => {
    await ada.leave({ refusals: 3 })
  })
})
