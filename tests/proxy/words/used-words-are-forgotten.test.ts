/** What is kept of words is bounded, and what is no longer kept opens nothing. */
import { describe, expect, test } from 'vitest'
import type { Instant } from '../../../core/model.ts'
import { Refusal } from '../../../core/refusal.ts'
import { handleTtl, makeBearers, type Showed } from '../../../proxy/bearers.ts'
import { needs } from '../proxy.ts'

const showed: Showed = { place: 'tunnel', target: 'wiki', address: '192.0.2.1' }

function newWords() {
  let now = 1_000_000
  const bearers = makeBearers({ now: () => now as Instant, random: needs.random })
  const grant = { subject: { resource: { kind: 'app', name: 'wiki' } } } as never
  return {
    bearers,
    issue: (use: number | string = 1) => bearers.issue({ grant, key: 'k' as never, use, address: showed.address }),
    take: (word: string, more: Partial<Showed> = {}) => bearers.take(word, { ...showed, ...more }),
    wait: (ms: number) => {
      now += ms
    },
  }
}

const most = 1000
const many = (count: number, one: () => string) => Array.from({ length: count }, one)

describe('a thousand are kept', () => {
  test('unused, the next is refused, and none of them is given up for it', () => {
    const { issue, take } = newWords()
    const words = many(most, issue)
    expect(issue).toThrow(expect.objectContaining({ code: 'unavailable', detail: { why: 'too_many_handles' } }))
    for (const word of words) expect(take(word)?.fault).toBeUndefined()
  })

  test('one less, and there is room for one', () => {
    const { issue } = newWords()
    many(most - 1, issue)
    expect(issue()).toMatch(/^[\w-]{43}$/)
    expect(issue).toThrow(Refusal)
  })

  test('used ones make room, the unused stay, and the used open nothing, before and after', () => {
    const { issue, take } = newWords()
    const [used, unused] = [many(most / 2, issue), many(most / 2, issue)]
    for (const word of used) expect(take(word)?.fault).toBeUndefined()
    const more = many(most / 2, issue)
    expect(issue).toThrow(Refusal)
    for (const word of used) expect(take(word)).toBeUndefined()
    for (const word of [...unused, ...more]) expect(take(word)?.fault).toBeUndefined()
  })

  test('those that are over make room, whether or not they were used', () => {
    const { issue, take, wait } = newWords()
    const words = many(most, issue)
    take(words[0] as string)
    wait(handleTtl - 1)
    take(words[1] as string)
    many(2, issue)
    expect(issue).toThrow(Refusal)
    wait(1)
    many(most - 2, issue)
    expect(issue).toThrow(Refusal)
    for (const word of words) expect(take(word)).toBeUndefined()
  })
})

test('shown again it is told once, and from then on it is a stranger’s', () => {
  const { issue, take } = newWords()
  const word = issue('first')
  expect(take(word)).toMatchObject({ use: 'first', fault: undefined })
  expect(take(word)).toMatchObject({ use: 'first', fault: 'word_used' })
  expect(take(word)).toBeUndefined()
  expect(take(word)).toBeUndefined()
})

test('while there is room, a used one is not forgotten for a new one', () => {
  const { issue, take } = newWords()
  const word = issue()
  take(word)
  many(most - 1, issue)
  expect(take(word)?.fault).toBe('word_used')
})

test('its last moment is the one before a minute is over', () => {
  const { issue, take, wait } = newWords()
  const [early, late] = [issue(), issue()]
  wait(handleTtl - 1)
  expect(take(early)?.fault).toBeUndefined()
  wait(1)
  expect(take(late)?.fault).toBe('word_expired')
})

test.each<[Partial<Showed>, string]>([
  [{ address: '192.0.2.2' }, 'word_of_another_address'],
  [{ target: 'wiki-2' }, 'word_of_another_resource'],
  [{ place: 'password' }, 'word_of_another_place'],
])('with %j it is used up', (wrong, fault) => {
  const { issue, take } = newWords()
  const word = issue()
  expect(take(word, wrong)?.fault).toBe(fault)
  expect(take(word)?.fault).toBe('word_used')
  expect(take(word)).toBeUndefined()
})

test('burnt it opens nothing', () => {
  const { bearers, issue, take } = newWords()
  const word = issue('seen')
  expect(bearers.burn(word)).toMatchObject({ use: 'seen' })
  expect(take(word)?.fault).toBe('word_used')
  expect(bearers.burn('nothing')).toBeUndefined()
})
