import { describe, expect, test } from 'vitest'
import { defaultPreference, type Preference } from '../../../core/access/preference.ts'
import type { Person } from '../../../core/factor-ports.ts'
import { factorsShown } from '../../../core/login/factors.ts'

const both: Preference = { ...defaultPreference, passwords: true, secondFactors: ['webauthn', 'otp'] }
const codes: Preference = { ...both, secondFactors: ['otp'] }
const taps: Preference = { ...both, secondFactors: ['webauthn'], passwordless: false }

const site = { cluster: 'c', origin: 'https://example.com', rpId: 'example.com', rpIdHash: new Uint8Array(32) }

/** How many of each somebody has. */
const shown = (preference: Preference, passkeys: number, password: boolean, totps: number, recoveryCodes = 0) => {
  const person = {
    user: { id: 'u', name: 'Ada' },
    credentials: Array.from({ length: passkeys }, () => ({ kind: 'passkey', rpId: site.rpId })),
    password: password ? { id: 'p', hash: 'h', changedAt: 1 } : undefined,
    totps: Array.from({ length: totps }, () => ({ sealed: new Uint8Array(1) })),
    recoveryCodes,
  } as unknown as Person
  return factorsShown(site, preference, person)
}

describe('factorsShown', () => {
  test.each([
    ['one passkey', both, [1, false, 0], 'one'],
    ['two passkeys', both, [2, false, 0], 'several'],
    ['one passkey and a password with an app', both, [1, true, 1], 'several'],
    ['one passkey and a password with an app, where taps are all that is taken', taps, [1, true, 1], 'one'],
    ['one passkey, a password and codes on paper', both, [1, true, 0, 3], 'several'],
    ['one passkey and codes on paper without a password', both, [1, false, 0, 3], 'one'],
    ['one app', codes, [0, true, 1], 'one'],
    ['one app and codes on paper', codes, [0, true, 1, 3], 'several'],
    ['two apps', codes, [0, true, 2], 'several'],
    ['codes on paper alone', codes, [0, true, 0, 3], 'one'],
    ['an app that is not taken', taps, [0, true, 1], 'none'],
    ['an app and paper, where passwords are not taken', { ...codes, passwords: false }, [0, true, 1, 3], 'none'],
    ['an app, where there is no login of our own', { ...codes, allowLocalAuth: false }, [0, true, 1, 3], 'none'],
    ['a password, where it is all', { ...both, secondFactor: 'off', passwordless: false }, [0, true, 0], 'several'],
  ] as const)('ways: %s', (_, preference, [passkeys, password, totps, paper], expected) => {
    expect(shown(preference, passkeys, password, totps, paper).ways).toBe(expected)
  })

  test('needed: what would take the way in along', () => {
    expect(shown(both, 1, true, 1).needed).toEqual({ password: false, totp: false })
    expect(shown(codes, 0, true, 1).needed).toEqual({ password: true, totp: true })
    expect(shown(codes, 0, true, 2).needed).toEqual({ password: true, totp: false })
    expect(shown(taps, 0, true, 1).needed).toEqual({ password: false, totp: false })
  })

  test('passwords: not where there is no login of our own', () => {
    expect(shown(both, 1, true, 1).passwords).toBe(true)
    expect(shown({ ...both, allowLocalAuth: false }, 1, true, 1).passwords).toBe(false)
  })
})
