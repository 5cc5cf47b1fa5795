import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { newRecoveryCode, recoveryHash } from '../../../core/login/recovery-code.ts'
import type { UserId } from '../../../core/model.ts'

const ada = 'ada' as UserId
const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))

test('newRecoveryCode has 80 random bits in four groups, of characters that nobody mistakes', () => {
  const all = Array.from({ length: 500 }, () => newRecoveryCode(random))
  for (const code of all) expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/)
  expect(new Set(all).size).toBe(all.length)
  expect(new Set(all.join('').replaceAll('-', '')).size).toBe(32)
})

test('newRecoveryCode uses each of five bits of sixteen bytes', () => {
  const bytes = Uint8Array.from({ length: 16 }, (_, i) => 224 + i)
  expect(newRecoveryCode(() => bytes)).toBe('0123-4567-89AB-CDEF')
  expect(newRecoveryCode(() => bytes.map((byte) => byte + 16))).toBe('GHJK-MNPQ-RSTV-WXYZ')
})

test('recoveryHash is SHA-256 of user and code, whatever way it is typed', () => {
  const hash = createHash('sha256').update('sallyport recovery code v1\0ada\x000123456789ABCDEF').digest('base64url')
  for (const typed of [
    '0123-4567-89AB-CDEF',
    '0123456789abcdef',
    ' o123 4567 89ab-cdef ',
    'OI23-4567-89AB-CDEF',
    'oL23-4567-89AB-CDEF',
  ])
    expect(recoveryHash(ada, typed), typed).toBe(hash)
  expect(recoveryHash('bob' as UserId, '0123-4567-89AB-CDEF')).not.toBe(hash)
})

test.each([
  '',
  '0123-4567-89AB-CDE',
  '0123-4567-89AB-CDEF0',
  '0123-4567-89AB-CDEU',
  '0123_4567_89AB_CDEF',
  'ß123-4567-89AB-CDEF',
])('recoveryHash takes %j for no code', (typed) => {
  expect(recoveryHash(ada, typed)).toBeUndefined()
})
