/** What of a snapshot a proxy takes: all of it, or nothing. */
import { expect, test } from 'vitest'
import type { Json } from '../../core/intent.ts'
import { readSnapshot } from '../../proxy/known.ts'
import { changed, role, user } from '../core/access/samples.ts'

const lists = { users: [], credentials: [], keys: [] }
const snapshot = (...documents: readonly Json[]): Json => ({ v: 1, ...lists, documents })

test('documents that it reads it takes', () => {
  expect(readSnapshot(snapshot(role)).documents).toEqual([role])
})

test.each<[what: string, json: Json, why: string]>([
  ['a document that it cannot read', snapshot(role, { ...role, version: 'v99' }), 'role dev: `v99`: '],
  [
    'a member of a host that a later version may know',
    snapshot(changed(role, ['spec', 'deny', 'hosts'], [{ name: '*', protocols: ['ssh'] }])),
    'role dev: a host has no field `protocols`',
  ],
  ['a user among the documents, whom it would not look for there', snapshot(user), 'user Ada Lovelace: users stand in'],
  ['another version', { ...lists, v: 2, documents: [] }, 'a snapshot of version 2'],
  ['a list too few', { ...lists, v: 1 }, 'a snapshot without its lists'],
])('%s: none of it', (_, json, why) => {
  expect(() => readSnapshot(json)).toThrow(why)
})
