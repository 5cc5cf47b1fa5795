import { expect, test } from 'vitest'
import { turns } from '../../worker/turns.ts'

/** Work that ends when it is told to. */
function held() {
  const started: number[] = []
  const ends: (() => void)[] = []
  const work = (i: number) => () => {
    started.push(i)
    return new Promise<number>((end) => ends.push(() => end(i)))
  }
  return { started, ends, work }
}
const settle = () => new Promise((next) => setImmediate(next))

test('turns runs so many at once, the others in order, and hands each place on', async () => {
  const inTurn = turns(2, 10)
  const { started, ends, work } = held()
  const all = [0, 1, 2, 3].map((i) => inTurn(work(i)))
  await settle()
  expect(started).toEqual([0, 1])
  ends[0]?.()
  // Somebody who comes at the very moment when a place is free waits behind those that wait.
  const late = all[0]?.then(() => inTurn(work(9)))
  await settle()
  expect(started).toEqual([0, 1, 2])
  for (let i = 1; i < 5; i++) {
    ends[i]?.()
    await settle()
  }
  expect(started).toEqual([0, 1, 2, 3, 9])
  expect(await Promise.all([...all, late])).toEqual([0, 1, 2, 3, 9])
})

test('turns refuses who would wait too long, and takes others again afterwards', async () => {
  const inTurn = turns(1, 1)
  const { ends, work } = held()
  const [first, second] = [inTurn(work(1)), inTurn(work(2))]
  await expect(inTurn(work(3))).rejects.toMatchObject({ code: 'unavailable' })
  ends[0]?.()
  await first
  await settle()
  ends[1]?.()
  await second
  expect(await inTurn(async () => 4)).toBe(4)
})

test('turns frees the place of work that failed', async () => {
  const inTurn = turns(1, 0)
  await expect(inTurn(() => Promise.reject(new Error('failed')))).rejects.toThrow('failed')
  expect(await inTurn(async () => 1)).toBe(1)
})
