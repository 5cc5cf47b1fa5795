/** What is used up stays so for as long as it could be shown, however much comes. */
import { expect, test } from 'vitest'
import { rememberSpent } from '../../proxy/spent.ts'

const once = (key: string) => ({ key, most: 1 })

test('one use each, told which one it was, and none after the last', () => {
  const spent = rememberSpent(10)
  const three = { key: 'a', most: 3 }
  expect([1, 2, 3, 4].map(() => spent.spend(three, 100, 0))).toEqual([
    { kind: 'spent_now', use: 1 },
    { kind: 'spent_now', use: 2 },
    { kind: 'spent_now', use: 3 },
    { kind: 'spent_before' },
  ])
  expect(spent.spend(once('b'), 100, 0)).toEqual({ kind: 'spent_now', use: 1 })
})

test('full, it forgets what has expired and nothing else; what is known there goes on', () => {
  const spent = rememberSpent(2)
  spent.spend({ key: 'old', most: 2 }, 10, 0)
  spent.spend({ key: 'new', most: 2 }, 100, 0)
  expect(spent.spend(once('more'), 100, 5)).toEqual({ kind: 'full' })
  expect(spent.spend({ key: 'old', most: 2 }, 10, 5)).toEqual({ kind: 'spent_now', use: 2 })
  expect(spent.spend(once('more'), 100, 11)).toEqual({ kind: 'spent_now', use: 1 })
  expect(spent.spend({ key: 'new', most: 2 }, 100, 11)).toEqual({ kind: 'spent_now', use: 2 })
  expect(spent.spend({ key: 'new', most: 2 }, 100, 11)).toEqual({ kind: 'spent_before' })
})

test('a later use is remembered for as long as it says itself', () => {
  const spent = rememberSpent(1)
  spent.spend({ key: 'a', most: 2 }, 10, 0)
  spent.spend({ key: 'a', most: 2 }, 50, 5)
  expect(spent.spend(once('b'), 100, 20)).toEqual({ kind: 'full' })
})
