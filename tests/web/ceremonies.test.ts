/** The ceremonies in a real browser, one story: the first administrator, sign in and out, a second passkey, a removal. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Edge, type Key, openBrowser, Person, requireChromium, startEdge } from './browser.ts'

describe('a person with two keys', () => {
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
  afterAll(async () => {
    await browser?.close()
    await edge?.end()
  })

  const items = (heading: string) =>
    ada.page.getByRole('region', { name: heading }).getByRole('heading', { level: 3 }).allInnerTexts()

  test('the first administrator link registers its opener and signs him in', async (ctx) => {
    requireChromium(ctx)
    await ada.registerFirst(edge)
    expect(await ada.page.getByRole('heading', { level: 1 }).textContent()).toContain('Ada Lovelace')
    expect(await items('Passkeys')).toHaveLength(1)
    expect(await ada.page.getByText('Add a second passkey').isVisible()).toBe(true)
  })

  test('the last passkey has no Remove button, and the page says why', async (ctx) => {
    requireChromium(ctx)
    expect(await ada.page.locator('[data-remove]').count()).toBe(0)
    expect(await ada.page.getByText('The last passkey cannot be removed').isVisible()).toBe(true)
  })

  test('signing out ends at the sign-in page, and signing in at the account', async (ctx) => {
    requireChromium(ctx)
    await ada.signOut()
    await ada.page.goto(`${edge.origin}/account`)
    expect(new URL(ada.page.url()).pathname).toBe('/')
    await ada.signIn(edge)
    expect(await items('Sessions')).toHaveLength(1)
  })

  test('keyboard alone is enough to sign in', async (ctx) => {
    requireChromium(ctx)
    await ada.signOut()
    await ada.page.keyboard.press('Tab')
    await ada.page.keyboard.press('Enter')
    await ada.page.waitForURL('**/account')
  })

  test('a second passkey is added with a tap of the first, and both are listed', async (ctx) => {
    requireChromium(ctx)
    second = ada.newUsbKey()
    await ada.addPasskey('Blue key', first, second)
    expect(await ada.page.getByText('The passkey Blue key was added.').isVisible()).toBe(true)
    expect(await items('Passkeys')).toHaveLength(2)
    expect(await items('Passkeys')).toContain('Blue key')
    expect(await ada.page.getByText('Add a second passkey').count()).toBe(0)
    expect(await second.credentials()).toHaveLength(1)
  })

  test('the second passkey signs in', async (ctx) => {
    requireChromium(ctx)
    await ada.signOut()
    await ada.signIn(edge)
  })

  test('a removal that is cancelled in the dialog removes nothing and gives the focus back', async (ctx) => {
    requireChromium(ctx)
    const remove = ada.page.locator('[data-remove]').first()
    await remove.click()
    const dialog = ada.page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    expect(await dialog.isVisible()).toBe(false)
    expect(await remove.evaluate((element) => element === document.activeElement)).toBe(true)
    expect(await items('Passkeys')).toHaveLength(2)
  })

  test('the first passkey is removed with a tap of the second, and is forgotten by its authenticator', async (ctx) => {
    requireChromium(ctx)
    const root = ada.page.getByRole('listitem').filter({ hasText: 'Root' })
    await root.getByRole('button').click()
    const dialog = ada.page.getByRole('dialog')
    expect(await dialog.textContent()).toContain('another passkey of yours')
    await dialog.getByRole('button', { name: 'Remove' }).click()
    await ada.page.getByText(/^The passkey .* was removed\.$/).waitFor()
    expect(await items('Passkeys')).toEqual(['Blue key'])
    expect(await ada.page.locator('[data-remove]').count()).toBe(0)
    expect(await first.credentials()).toEqual([])
  })

  test('with the root passkey gone, a restart still prints no link and the old one still opens nothing', async (ctx) => {
    requireChromium(ctx)
    const old = edge.link
    edge = await edge.restart()
    expect(edge.secret).toBe(undefined)
    await ada.page.goto(old)
    await ada.page.getByRole('heading', { name: 'This link was used or is no longer valid' }).waitFor()
    expect(await ada.page.getByRole('button').count()).toBe(0)
    await ada.page.goto(`${edge.origin}/account`)
    expect(await items('Passkeys')).toEqual(['Blue key'])
  })

  test('no page complained about anything on the way', async (ctx) => {
    requireChromium(ctx)
    await ada.leave()
  })
})
