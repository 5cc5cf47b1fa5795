/** What a person reads when a ceremony does not end well, and that it can be tried again. */
import type { Browser, Route } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Edge, type Key, openBrowser, Person, requireChromium, startEdge } from './browser.ts'

describe('a ceremony that does not end well', () => {
  let browser: Browser | undefined
  let edge: Edge
  let ada: Person
  let key: Key

  beforeAll(async () => {
    browser = await openBrowser()
    if (!browser) return
    edge = await startEdge()
    ada = await Person.at(browser)
    key = await ada.newKey()
    await ada.registerFirst(edge)
    await ada.signOut()
  })
  beforeEach((ctx) => requireChromium(ctx))
  afterAll(async () => {
    await browser?.close()
    await edge?.end()
  })

  const problem = () => ada.page.getByRole('alert').filter({ hasText: /\S/ })

  test('a finger that is not the right one lets nobody in, and says what happened', async () => {
    await key.verifies(false)
    await ada.page.goto(edge.origin)
    await ada.button('Sign in with a passkey').click()
    await expect.poll(() => problem().textContent()).toContain('Nothing was approved')
    await ada.page.goto(`${edge.origin}/account`)
    expect(new URL(ada.page.url()).pathname).toBe('/')
    await key.verifies(true)
  })

  test('a dialog that nobody answers ends in a message, and the button works again', async () => {
    await ada.page.goto(edge.origin)
    await key.touched(false)
    await ada.changeAnswer('/v1/login/begin', ({ options }) => Object.assign(options ?? {}, { timeout: 1000 }))
    const button = ada.button('Sign in with a passkey')
    await button.click()
    await ada.page.getByRole('status').filter({ hasText: 'Waiting for your passkey' }).waitFor()
    expect(await button.getAttribute('aria-busy')).toBe('true')
    await expect.poll(() => problem().textContent()).toContain('Nothing was approved')
    expect(await button.getAttribute('aria-busy')).toBe(null)
    expect(await button.evaluate((element) => element === document.activeElement)).toBe(true)
    await key.touched(true)
    await button.click()
    await ada.page.waitForURL('**/account')
    await ada.signOut()
  })

  test('a server that cannot be reached is named as such', async () => {
    await ada.page.goto(edge.origin)
    await ada.page.route('**/v1/login/begin', (route) => route.abort(), { times: 1 })
    await ada.button('Sign in with a passkey').click()
    await expect.poll(() => problem().textContent()).toContain('cannot be reached')
    await ada.page.route('**/v1/login/finish', (route) => route.fulfill({ status: 502, body: 'bad gateway' }), {
      times: 1,
    })
    await ada.button('Sign in with a passkey').click()
    await expect.poll(() => problem().textContent()).toContain('answered 502')
  })

  test('a refusal of the server shows its advice and the request id', async () => {
    await ada.page.goto(edge.origin)
    await ada.page.context().clearCookies()
    await ada.page.route('**/v1/login/finish', async (route) => {
      await ada.page.context().clearCookies()
      await route.continue({ headers: { ...route.request().headers(), cookie: '' } })
    })
    await ada.button('Sign in with a passkey').click()
    await expect.poll(() => problem().textContent()).toMatch(/That did not work\. Reload the page.*Request \S{16}/s)
    await ada.page.unroute('**/v1/login/finish')
  })

  test('of two pages that one key approves the one that comes too late says to approve once more', async () => {
    const other = await Person.at(browser)
    await key.moveTo(other)
    await ada.page.goto(edge.origin)
    const [tapped, mayGoOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const hold = async (route: Route) => {
      tapped.resolve()
      await mayGoOn.promise
      await route.continue()
    }
    await ada.page.route('**/v1/login/finish', hold, { times: 1 })
    await ada.button('Sign in with a passkey').click()
    await tapped.promise
    await other.signIn(edge)
    mayGoOn.resolve()
    await expect
      .poll(() => problem().textContent())
      .toMatch(/approved something else in between.*approve this once more/)
    await ada.button('Sign in with a passkey').click()
    await ada.page.waitForURL('**/account')
    await ada.signOut()
    await other.leave()
  })

  test('a challenge that is not the hash of the shown intent is never given to a key', async () => {
    await ada.page.goto(edge.origin)
    const [before] = await key.credentials()
    await ada.changeAnswer('/v1/login/begin', ({ options }) =>
      Object.assign(options ?? {}, { challenge: 'A'.repeat(43) }),
    )
    await ada.button('Sign in with a passkey').click()
    await expect.poll(() => problem().textContent()).toContain('Something went wrong in this page')
    expect((await key.credentials())[0]?.signCount).toBe(before?.signCount)
  })

  test('an authenticator that is registered already is told so, and another one goes on with the same tap', async () => {
    await ada.signIn(edge)
    const other = ada.newUsbKey()
    await ada.page.getByRole('textbox').fill('Blue key')
    await ada.button('Add a passkey').click()
    await expect.poll(() => problem().textContent()).toContain('has a passkey of yours for this place already')
    const goOn = ada.button('Make the new passkey')
    expect(await goOn.evaluate((element) => element === document.activeElement)).toBe(true)
    expect(await ada.button('Add a passkey').count()).toBe(0)
    await key.touched(false)
    await other.touched(true)
    await goOn.click()
    await ada.page.getByText('The passkey Blue key was added.').waitFor()
    await key.touched(true)
  })

  test('a name that is taken is told at the text box', async () => {
    const name = ada.page.getByRole('textbox')
    await name.fill('Blue key')
    await ada.button('Add a passkey').click()
    await expect.poll(() => problem().textContent()).toContain('Choose another name')
    expect(await name.getAttribute('aria-invalid')).toBe('true')
    expect(await name.evaluate((element) => element === document.activeElement)).toBe(true)
  })

  test('cancelling before the second step adds nothing', async () => {
    const before = await key.credentials()
    await ada.page.getByRole('textbox').fill('Third key')
    await key.touched(true)
    await ada.button('Add a passkey').click()
    await ada.button('Make the new passkey').waitFor()
    await ada.button('Cancel').click()
    await ada.button('Add a passkey').waitFor()
    await ada.page.reload()
    expect(await ada.page.getByRole('heading', { name: 'Third key' }).count()).toBe(0)
    expect(await key.credentials()).toHaveLength(before.length)
  })

  test('an ended session is told with the way back in', async () => {
    await ada.page.context().clearCookies({ name: '__Host-sallyport' })
    await ada.page.getByRole('textbox').fill('Fourth key')
    await ada.button('Add a passkey').click()
    await expect.poll(() => problem().textContent()).toContain('Sign in, then try again')
    await problem().getByRole('link', { name: 'Sign in' }).click()
    await ada.button('Sign in with a passkey').waitFor()
  })

  test('no page complained about anything but these refusals', async () => {
    await ada.leave({ refusals: 6 })
  })
})
