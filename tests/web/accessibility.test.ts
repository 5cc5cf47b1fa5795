/** That axe-core, which looks at every state of every page with its picture (browser.ts), finds here what it is to find. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { accessibilityProblems } from './axe.ts'
import { type Edge, openBrowser, Person, requireChromium, startEdge } from './browser.ts'

let edge: Edge | undefined
let ada: Person
let browser: Awaited<ReturnType<typeof openBrowser>>

beforeAll(async () => {
  browser = await openBrowser()
  if (!browser) return
  edge = await startEdge()
  ada = await Person.at(browser)
})
beforeEach((ctx) => requireChromium(ctx))
afterAll(async () => {
  await browser?.close()
  await edge?.end()
})

const faults: Record<string, string> = {
  'color-contrast': `document.querySelector('.hint').style.color = '#bbbbbb'`,
  label: `document.querySelector('label').remove()`,
  'button-name': `document.querySelector('button').replaceChildren()`,
  'html-has-lang': `document.documentElement.removeAttribute('lang')`,
  'target-size': `for (const _ of [1, 2]) {
    const small = document.createElement('button')
    small.textContent = 'x'
    Object.assign(small.style, { minHeight: 0, width: '8px', height: '8px', padding: 0 })
    document.querySelector('main').append(small)
  }`,
}

test.each(Object.entries(faults))('%s is found on a page that is right otherwise', async (rule, fault) => {
  await ada.page.goto('about:blank')
  await ada.page.goto(edge?.link ?? '')
  await ada.button('Register a passkey').waitFor()
  expect(await accessibilityProblems(ada)).toEqual([])
  await ada.inspect(`{ ${fault} }`)
  const found = await accessibilityProblems(ada)
  expect(found.map((line) => line.split(' ')[0])).toContain(rule)
})
