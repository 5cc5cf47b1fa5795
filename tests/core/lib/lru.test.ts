import { expect, test } from 'vitest'
import { Lru } from '../../../core/lib/lru.ts'

test('Lru forgets what was used longest ago', () => {
  const lru = new Lru<string, number>(2)
  lru.set('a', 1)
  lru.set('b', 2)
  expect(lru.get('a')).toBe(1)
  lru.set('c', 3)
  expect(lru.get('b')).toBeUndefined()
  expect([lru.get('a'), lru.get('c')]).toEqual([1, 3])
})

test('Lru counts an entry that is set again as used, and only once', () => {
  const lru = new Lru<string, number>(2)
  lru.set('a', 1)
  lru.set('b', 2)
  lru.set('a', 10)
  lru.set('c', 3)
  expect([lru.get('a'), lru.get('b'), lru.get('c')]).toEqual([10, undefined, 3])
})

test('Lru forgets what is deleted, and a miss changes nothing', () => {
  const lru = new Lru<string, number>(2)
  lru.set('a', 1)
  lru.set('b', 2)
  expect(lru.get('x')).toBeUndefined()
  lru.delete('b')
  lru.delete('x')
  lru.set('c', 3)
  expect([lru.get('a'), lru.get('b'), lru.get('c')]).toEqual([1, undefined, 3])
})

test('Lru never holds more than its capacity', () => {
  const lru = new Lru<number, number>(10)
  for (let i = 0; i < 1000; i++) lru.set(i, i)
  const held = Array.from({ length: 1000 }, (_, i) => lru.get(i)).filter((entry) => entry !== undefined)
  expect(held).toEqual([990, 991, 992, 993, 994, 995, 996, 997, 998, 999])
})
