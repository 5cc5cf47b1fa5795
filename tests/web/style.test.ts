/** Contrast of each pair of colours that meets on a page, in both schemes (WCAG 2.2, 1.4.3 and 1.4.11). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const css = readFileSync(join(import.meta.dirname, '../../web/style.css'), 'utf8')
const [light = '', dark = ''] = [...css.matchAll(/:root \{([^}]*)\}/g)].map(([, body]) => body ?? '')
const colours = (body: string) =>
  Object.fromEntries([...body.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, hex]) => [name, hex]))

const text: [front: string, back: string][] = [
  ...['paper', 'raised', 'tint'].flatMap((back): [string, string][] => [
    ['ink', back],
    ['soft', back],
    ['accent', back],
  ]),
  ['on-accent', 'accent'],
  ['on-accent', 'accent-strong'],
  ['on-danger', 'danger'],
]
const shapes: [front: string, back: string][] = ['edge', 'accent', 'danger'].flatMap((front): [string, string][] => [
  [front, 'paper'],
  [front, 'raised'],
])

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(a: string, b: string): number {
  const [brighter = 0, darker = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (brighter + 0.05) / (darker + 0.05)
}

describe.each([
  ['light', colours(light)],
  ['dark', { ...colours(light), ...colours(dark) }],
])('the %s scheme', (_, palette) => {
  const between = ([front, back]: [string, string]) => contrast(palette[front] ?? '', palette[back] ?? '')

  test.each(text)('text: %s on %s', (...pair) => {
    expect(between(pair)).toBeGreaterThanOrEqual(4.5)
  })

  test.each(shapes)('shapes: %s on %s', (...pair) => {
    expect(between(pair)).toBeGreaterThanOrEqual(3)
  })

  test('the mark', () => {
    const mark = readFileSync(join(import.meta.dirname, '../../web/mark.svg'), 'utf8')
    const colour = /fill="(#[0-9a-f]{6})"/.exec(mark)?.[1] ?? ''
    expect(contrast(colour, palette['paper'] ?? '')).toBeGreaterThanOrEqual(3)
  })
})
