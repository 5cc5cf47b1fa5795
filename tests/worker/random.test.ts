import { expect, test } from 'vitest'
import type { Bytes } from '../../core/lib/bytes.ts'
import { pooled } from '../../worker/random.ts'

/** Counts up, so that every byte of a draw is told from the one before, and nothing drawn is zero. */
function drawing() {
  const draws: Bytes[] = []
  const random = pooled((length) => {
    const bytes = Uint8Array.from({ length }, (_, i) => 1 + ((i + 7 * draws.length) % 255))
    draws.push(bytes)
    return bytes
  })
  return { draws, random }
}

test('pooled: no byte of a draw is handed out twice, and none is left over between two', () => {
  const { draws, random } = drawing()
  const lengths = [16, 12, 48, 1, 64]
  const handed = lengths.map((length) => random(length))
  expect(draws).toHaveLength(1)
  expect(handed.map(({ length }) => length)).toEqual(lengths)
  expect(handed.flatMap((bytes) => [...bytes])).toEqual(Array.from({ length: 141 }, (_, i) => 1 + i))
})

test('pooled: what was handed out is wiped in the pool, and is the caller’s own', () => {
  const { draws, random } = drawing()
  const bytes = random(16)
  expect(draws[0]?.subarray(0, 17)).toEqual(new Uint8Array([...new Uint8Array(16), 17]))
  const next = random(16)
  bytes.fill(255)
  expect(next[0]).toBe(17)
  expect(bytes.buffer.byteLength).toBe(16)
})

test('pooled: a pool that has too little left is drawn anew, never stretched', () => {
  const { draws, random } = drawing()
  for (let i = 0; i < 85; i++) random(48)
  expect(draws).toHaveLength(1)
  expect(random(48)).toEqual(Uint8Array.from({ length: 48 }, (_, i) => 8 + i))
  expect(draws).toHaveLength(2)
})

test('pooled: what is long is drawn by itself', () => {
  const { draws, random } = drawing()
  expect(random(65)).toBe(draws[0])
  expect(random(65)).toBe(draws[1])
})
