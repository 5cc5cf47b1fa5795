/** What a command keeps of a tap: each use once, of this process of the proxy, for as long as the grant lives. */
import { expect, test } from 'vitest'
import { SharedTap } from '../../cli/shared-tap.ts'

const proxy = { id: 'p', boot: 'b' }
const app = (name: string, count: number) => ({ resource: { kind: 'app', name } as const, principal: {}, count })
const on = (name: string, at = proxy) => ({ resource: { kind: 'app', name } as const, proxy: at })

test('each use once, by its name', () => {
  const shared = new SharedTap([app('wiki', 2), app('tracker', 1)])
  expect(shared.take(on('wiki'))).toBeUndefined()
  shared.keep('grant', 60_000, proxy)
  expect(['wiki', 'tracker', 'tracker', 'wiki', 'wiki', 'other'].map((name) => shared.take(on(name)))).toEqual([
    ...['grant', 'grant', undefined, 'grant', undefined, undefined],
  ])
})

test('the next one takes the place of what was left', () => {
  const shared = new SharedTap([app('wiki', 2), app('tracker', 1)])
  shared.keep('first', 60_000, proxy)
  shared.take(on('wiki'))
  shared.keep('second', 60_000, proxy)
  expect([1, 2, 3].map(() => shared.take(on('wiki')))).toEqual(['second', 'second', undefined])
})

test('another proxy or process gets none, nor anybody once the grant has ended', () => {
  const shared = new SharedTap([app('wiki', 2), app('tracker', 1)])
  shared.keep('grant', 60_000, proxy)
  expect(shared.take(on('wiki', { id: 'p', boot: 'other' }))).toBeUndefined()
  expect(shared.take(on('wiki', { id: 'other', boot: 'b' }))).toBeUndefined()
  shared.keep('grant', 0, proxy)
  expect(shared.take(on('wiki'))).toBeUndefined()
})

test('one session once is asked for by itself', () => {
  expect(new SharedTap([app('wiki', 1)]).sessions).toEqual([])
  expect(new SharedTap([app('wiki', 2)]).sessions).toHaveLength(1)
})
