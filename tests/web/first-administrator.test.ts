import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Edge, openBrowser, Person, requireChromium, startEdge } from './browser.ts'

describe('the first administrator link', () => {
  let browser: Browser | undefined
  let edge: Edge

  beforeAll(async () => {
    browser = await openBrowser()
    if (browser) edge = await startEdge()
  })
  afterAll(async () => {
    await browser?.close()
    await edge?.end()
  })

  const register = (person: Person) => person.page.getByRole('button', { name: /register/i })
  const refusal = (person: Person) =>
    person.page.getByRole('heading', { name: 'This link was used or is no longer valid' })

  test('leaves the address bar, and a reload still has it', async (ctx) => {
    requireChromium(ctx)
    const ada = await Person.at(browser)
    await ada.page.goto(edge.link)
    await register(ada).waitFor()
    expect(ada.page.url()).toBe(`${edge.origin}/first-administrator`)
    await ada.page.reload()
    await register(ada).waitFor()
    await ada.leave()
  })

  test('without its secret, or with another, shows no Register button', async (ctx) => {
    requireChromium(ctx)
    const eve = await Person.at(browser)
    for (const hash of ['', '#', '#AAAA', `#${'A'.repeat(43)}`, `#${'A'.repeat(4000)}`]) {
      await eve.page.goto('about:blank')
      await eve.page.goto(`${edge.origin}/first-administrator${hash}`)
      await refusal(eve).waitFor()
      expect(await register(eve).count()).toBe(0)
      expect(await eve.page.content()).not.toMatch(/register a passkey/i)
    }
    await eve.leave({ refusals: 5 })
  })

  test('is dead after a restart has printed a newer one, which works in the same tab', async (ctx) => {
    requireChromium(ctx)
    const old = edge.link
    edge = await edge.restart()
    expect(edge.link).not.toBe(old)
    const ada = await Person.at(browser)
    await ada.page.goto(old)
    await refusal(ada).waitFor()
    expect(await register(ada).count()).toBe(0)
    await ada.page.goto(edge.link)
    await register(ada).waitFor()
    await ada.leave({ refusals: 1 })
  })

  test('that stayed open while another used it refuses at the click, and the form goes', async (ctx) => {
    requireChromium(ctx)
    const [ada, eve] = [await Person.at(browser), await Person.at(browser)]
    await eve.newKey()
    await eve.page.goto(edge.link)
    await register(eve).waitFor()
    await ada.newKey()
    await ada.registerFirst(edge)
    await eve.page.getByRole('textbox').fill('Eve')
    await register(eve).click()
    await refusal(eve).waitFor()
    expect(await register(eve).count()).toBe(0)
    await ada.leave()
    await eve.leave({ refusals: 1 })
  })

  test('that was used has no Register button in the document at all', async (ctx) => {
    requireChromium(ctx)
    const eve = await Person.at(browser)
    await eve.page.goto(edge.link)
    await refusal(eve).waitFor()
    expect(await eve.page.locator('button, form, input, template').count()).toBe(0)
    await eve.page.getByRole('link', { name: 'Go to sign in' }).click()
    await eve.button('Sign in with a passkey').waitFor()
    await eve.leave()
  })
})
