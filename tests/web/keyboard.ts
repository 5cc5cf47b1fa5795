/** A person without a mouse: Tab, Enter and Space, and eyes that must see where the focus is. */
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { isFocused } from './factors.ts'

type Target = Parameters<typeof isFocused>[0]

interface Stop {
  /** As it is spoken; empty at the end of the page. */
  readonly name: string
  readonly isSeen: boolean
}

/** Outside of any one test's patience. */
const mostStops = 60

/** One press of Tab. Where the focus then is must show: an outline of at least two pixels, in the window. */
async function step(page: Page): Promise<Stop> {
  await page.keyboard.press('Tab')
  return page.evaluate<Stop>(`(() => {
    const one = document.activeElement
    if (!one || one === document.body) return { name: '', isSeen: true }
    const label = one.getAttribute('aria-label') ?? one.labels?.[0]?.textContent ?? one.textContent
    const { outlineStyle, outlineWidth } = getComputedStyle(one)
    const { top, bottom, width } = one.getBoundingClientRect()
    const isOutlined = one.matches(':focus-visible') && outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2
    return {
      name: label.replace(/\\s+/g, ' ').trim(),
      isSeen: isOutlined && width > 0 && bottom > 0 && top < innerHeight,
    }
  })()`)
}

/** Goes on with Tab until `target` has the focus. */
export async function tabTo(page: Page, target: Target): Promise<void> {
  const names: string[] = []
  while (names.length < mostStops) {
    const { name, isSeen } = await step(page)
    expect(isSeen, `the focus on "${name}" can be seen`).toBe(true)
    if (await isFocused(target)) return
    names.push(name)
  }
  throw new Error(`Tab leads to ${names.join(', ')} and never to ${target}`)
}

/** All that Tab leads to, from the top of the page to its end. */
export async function stopsOf(page: Page): Promise<string[]> {
  const names: string[] = []
  // Where a reader begins who has just come: a browser goes on from the place that had the focus last.
  await page.evaluate(`{
    document.body.tabIndex = -1
    document.body.focus()
    document.body.removeAttribute('tabindex')
  }`)
  for (;;) {
    const { name, isSeen } = await step(page)
    expect(isSeen, `the focus on "${name}" can be seen`).toBe(true)
    if (name === '' || names.length > mostStops) return names
    names.push(name)
  }
}

export async function pressOn(page: Page, target: Target, key: 'Enter' | 'Space' = 'Enter'): Promise<void> {
  await tabTo(page, target)
  await page.keyboard.press(key)
}
