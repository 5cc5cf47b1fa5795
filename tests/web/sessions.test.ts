import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Edge, type Key, openBrowser, Person, requireChromium, startEdge } from './browser.ts'

describe('sessions of one person in two browsers', () => {
  let browser: Browser | undefined
  let edge: Edge
  let home: Person
  let office: Person
  let key: Key

  beforeAll(async () => {
    browser = await openBrowser()
    if (!browser) return
    edge = await startEdge()
    home = await Person.at(browser)
    office = await Person.at(browser)
    const made = await home.newKey()
    await home.registerFirst(edge)
    key = await made.moveTo(office)
    await office.signIn(edge)
  })
  beforeEach((ctx) => requireChromium(ctx))
  afterAll(async () => {
    await browser?.close()
    await edge?.end()
  })

  const sessions = (person: Person) =>
    person.page.getByRole('region', { name: 'Sessions' }).getByRole('listitem').allInnerTexts()

  test('both are listed in both, with browser, address and times; one has an End button', async () => {
    await home.page.reload()
    for (const person of [home, office]) {
      const listed = await sessions(person)
      expect(listed).toHaveLength(2)
      expect(listed.filter((text) => text.includes('This browser'))).toHaveLength(1)
      for (const text of listed) expect(text).toMatch(/ on Linux[\s\S]*(127\.0\.0\.1|::1)[\s\S]*Ends /)
      expect(await person.page.locator('[data-end]').count()).toBe(1)
    }
  })

  test('times are shown in the time zone of the reader, with the instant behind them', async () => {
    const time = home.page.locator('time').first()
    const instant = new Date((await time.getAttribute('datetime')) ?? '')
    expect(Date.now() - instant.getTime()).toBeLessThan(120_000)
    const clock = instant.toLocaleTimeString('en-GB', { hour: 'numeric', minute: '2-digit', timeZone: 'Europe/Zurich' })
    expect(await time.textContent()).toBe(`today, ${clock}`)
  })

  test('a restart of the server keeps them', async () => {
    edge = await edge.restart()
    expect(edge.secret).toBe(undefined)
    for (const person of [home, office]) {
      await person.page.reload()
      expect(await sessions(person)).toHaveLength(2)
    }
  })

  test('one ends the other', async () => {
    await home.page.locator('[data-end]').click()
    await home.page.getByText('The session was ended.').waitFor()
    expect(await sessions(home)).toHaveLength(1)
    await office.page.reload()
    await office.button('Sign in with a passkey').waitFor()
  })

  test('after signing in one is where one was going', async () => {
    await office.page.goto(`${edge.origin}/?next=${encodeURIComponent('/account?from=link')}`)
    expect(await office.page.getByText('/account?from=link').isVisible()).toBe(true)
    await office.button('Sign in with a passkey').click()
    await office.page.waitForURL('**/account?from=link')
    expect(await key.credentials()).toHaveLength(1)
  })

  test('no page complained about anything on the way', async () => {
    await home.leave()
    await office.leave()
  })
})
