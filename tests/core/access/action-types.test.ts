/** What the compiler refuses: an operation that changes something with a token and stands in no table. */
import { expect, test } from 'vitest'
import { actions, type Exempted, exempted, type TappedOf } from '../../../core/access/action.ts'
import type { AnyOperation } from '../../../core/api/operation.ts'
import { operations } from '../../../core/api/operations.ts'

type Table = {
  readonly list: { readonly method: 'GET'; readonly auth: 'dpop' }
  readonly wipe: { readonly method: 'DELETE'; readonly auth: 'dpop'; readonly needs: { readonly role: 'editor' } }
  readonly tapped: { readonly method: 'POST'; readonly auth: 'dpop'; readonly needs: { readonly presence: 'tap' } }
  readonly page: { readonly method: 'POST'; readonly auth: 'page' }
}

// @ts-expect-error: `wipe` changes something, and neither wants a tap nor says why it need not.
const forgotten: Exempted<Table> = {}
const reasoned: Exempted<Table> = { wipe: 'a reason' }
// @ts-expect-error: what wants a tap is not exempted from it.
const both: Exempted<Table> = { wipe: 'a reason', tapped: 'no' }
const tapped: TappedOf<Table> = 'tapped'
// @ts-expect-error: a new operation that wants a tap needs its row among the actions.
const missing: { readonly [O in TappedOf<Table>]: () => void } = {}

test('the tables above hold: what the compiler refuses is refused there', () => {
  expect([forgotten, both, missing]).toBeDefined()
  expect([reasoned.wipe, tapped]).toEqual(['a reason', 'tapped'])
})

test('every operation with a token that changes something is in one table, and in one only', () => {
  const changing = Object.entries<AnyOperation>(operations).flatMap(([name, { auth, method }]) =>
    auth === 'dpop' && method !== 'GET' ? [name] : [],
  )
  expect([...Object.keys(actions), ...Object.keys(exempted)].sort()).toEqual(changing.sort())
})
