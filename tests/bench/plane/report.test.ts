import { expect, test } from 'vitest'
import { section } from './report.ts'

const round = (ours: Record<string, number>, peer: Record<string, number>, direct: Record<string, number> = {}) =>
  new Map(Object.entries({ ours, peer, direct }))

test('section compares neighbours: the ratio is of each round, not of the medians', () => {
  const rounds = [round({ a: 1 }, { a: 1 }), round({ a: 20 }, { a: 10 }), round({ a: 9 }, { a: 3 })]
  const told = section(rounds, 'ours')
  expect(told).toMatchObject({
    ours: { a: { median: 9, min: 1, max: 20 } },
    peer: { a: { median: 3, min: 1, max: 10 } },
    ours_against_peer: { a: { median: 2, min: 1, max: 3 } },
  })
})

test('section compares what both have, and no cores', () => {
  const told = section([round({ a: 6, b: 1, proxy_cores: 1 }, { a: 3, proxy_cores: 2 }, { b: 4 })], 'ours')
  expect(told).toMatchObject({
    ours: { proxy_cores: { median: 1 } },
    ours_against_peer: { a: { median: 2 } },
    ours_against_direct: { b: { median: 0.25 } },
  })
  expect(told).not.toHaveProperty('ours_against_peer.proxy_cores')
  expect(told).not.toHaveProperty('ours_against_peer.b')
})

test('section without ours has no ratios, and keeps every round', () => {
  const told = section([round({ a: 1 }, { a: 1.23456789 })], 'nobody')
  expect(Object.keys(told)).toEqual(['ours', 'peer', 'direct', 'rounds'])
  expect(told.rounds).toEqual([{ ours: { a: 1 }, peer: { a: 1.235 }, direct: {} }])
})
