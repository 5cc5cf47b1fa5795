import { expect, test } from 'vitest'
import { deriveKeys } from '../../../core/keys.ts'
import { fromBase64url } from '../../../core/lib/bytes.ts'
import { madeUpPasskeys } from '../../../core/login/made-up.ts'

const keys = deriveKeys(new Uint8Array(32).fill(7))

test('madeUpPasskeys answers the same for a name each time, another for each name and under each key', () => {
  expect(madeUpPasskeys(keys, 'ada')).toEqual(madeUpPasskeys(keys, 'ada'))
  expect(madeUpPasskeys(keys, 'bob')).not.toEqual(madeUpPasskeys(keys, 'ada'))
  expect(madeUpPasskeys(deriveKeys(new Uint8Array(32)), 'ada')).not.toEqual(madeUpPasskeys(keys, 'ada'))
})

test('madeUpPasskeys answers one or two with ids as long as makes have them, none twice', () => {
  const all = Array.from({ length: 300 }, (_, i) => madeUpPasskeys(keys, `name ${i}`))
  expect(new Set(all.map(({ length }) => length))).toEqual(new Set([1, 2]))
  const lengths = all.flat().map(({ id }) => fromBase64url(id)?.length)
  expect(new Set(lengths)).toEqual(new Set([16, 20, 32, 48]))
  expect(new Set(all.flat().map(({ id }) => id)).size).toBe(all.flat().length)
})
