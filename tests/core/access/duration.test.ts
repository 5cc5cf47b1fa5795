import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatDuration, parseDuration } from '../../../core/access/duration.ts'
import { hours, minutes, seconds } from '../../../core/model.ts'

describe('parseDuration', () => {
  test.each([
    ['30s', seconds(30), '30s'],
    ['90s', seconds(90), '1m30s'],
    ['10m', minutes(10), '10m'],
    ['90m', minutes(90), '1h30m'],
    ['1h30m', minutes(90), '1h30m'],
    ['30h0m0s', hours(30), '30h'],
    ['12h', hours(12), '12h'],
    ['1d', hours(24), '24h'],
    ['1d6h', hours(30), '30h'],
    ['48h', hours(48), '2d'],
    ['7d', hours(168), '7d'],
    ['2d1s', hours(48) + seconds(1), '48h1s'],
    ['08h', hours(8), '8h'],
    ['0s', 0, '0s'],
    ['3650d', hours(87_600), '3650d'],
  ])('reads %s, and formatDuration writes it', (text, duration, written) => {
    expect(parseDuration(text)).toBe(duration)
    expect(formatDuration(duration)).toBe(written)
  })

  test.each([
    '',
    ' ',
    '1',
    '0',
    'h',
    '1 h',
    ' 1h',
    '1h\n',
    '-1h',
    '+1h',
    '1.5h',
    '1h30',
    '30m1h',
    '1h1h',
    '1H',
    '1ms',
    '1w',
    '1y',
    '٣h',
    '3651d',
    '3650d1s',
    '9999999h',
    '1e3s',
    'Infinityh',
    '0x10h',
  ])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })
})

test('formatDuration writes what parseDuration reads, for every whole second up to ten years', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 315_360_000 }), (count) => {
      expect(parseDuration(formatDuration(seconds(count)))).toBe(seconds(count))
    }),
  )
})
