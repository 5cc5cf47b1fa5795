import { expect, test } from 'vitest'
import { deriveKeys } from '../../../core/keys.ts'
import { fromBase64url } from '../../../core/lib/bytes.ts'
import { madeUpPasskeys } from '../../../core/login/made-up.ts'

const madeUp = (...[keys, name]: [Parameters<typeof madeUpPasskeys>[1], string]) =>
  madeUpPasskeys(['access.example.com'], keys, name)
const keys = deriveKeys(new Uint8Array(32).fill(7))

test('madeUpPasskeys answers the same for a name each time, another for each name and under each key', () => {
  expect(madeUp(keys, 'ada')).toEqual(madeUp(keys, 'ada'))
  expect(madeUp(keys, 'bob')).not.toEqual(madeUp(keys, 'ada'))
  expect(madeUp(deriveKeys(new Uint8Array(32)), 'ada')).not.toEqual(madeUp(keys, 'ada'))
})

test('madeUpPasskeys answers one or two with ids as long as makes have them, none twice', () => {
  const all = Array.from({ length: 300 }, (_, i) => madeUp(keys, `name ${i}`))
  expect(new Set(all.map(({ length }) => length))).toEqual(new Set([1, 2]))
  const lengths = all.flat().map(({ id }) => fromBase64url(id)?.length)
  expect(new Set(lengths)).toEqual(new Set([16, 20, 32, 48, 64]))
  expect(new Set(all.flat().map(({ id }) => id)).size).toBe(all.flat().length)
})

test('madeUpPasskeys makes those of one name for one relying party, and names for each of them', () => {
  const rpIds = ['example.com', 'access.example.com']
  const all = Array.from({ length: 100 }, (_, i) => madeUpPasskeys(rpIds, keys, `name ${i}`))
  for (const passkeys of all) expect(new Set(passkeys.map(({ rpId }) => rpId)).size).toBe(1)
  expect(new Set(all.flat().map(({ rpId }) => rpId))).toEqual(new Set(rpIds))
})
