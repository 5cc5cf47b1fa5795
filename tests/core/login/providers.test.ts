import { expect, test } from 'vitest'
import { providerOf } from '../../../core/login/providers.ts'

test('providerOf names a make by its AAGUID', () => {
  expect(providerOf('ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4')).toBe('Google Password Manager')
  expect(providerOf('2fc0579f-8113-47ea-b116-bb5a8db9202a')).toBe('YubiKey 5 NFC')
  expect(providerOf('08987058-cadc-4b81-b6e1-30de50dcbe96')).toBe('Windows Hello')
})

test.each([
  ['no make at all', '00000000-0000-0000-0000-000000000000'],
  ['one that nobody lists', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  ['capitals, which nothing here writes', 'EA9B8D66-4D01-1D21-3CE4-B6B48CB575D4'],
  ['nothing', ''],
])('providerOf knows no name for %s', (_what, aaguid) => {
  expect(providerOf(aaguid)).toBeUndefined()
})
