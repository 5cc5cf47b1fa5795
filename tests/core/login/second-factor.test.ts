import { describe, expect, test } from 'vitest'
import { defaultPreference, type Preference } from '../../../core/access/preference.ts'
import type { ShownFactor } from '../../../core/factor-ports.ts'
import { canSignIn, factorsTaken, requireFactor } from '../../../core/login/second-factor.ts'
import type { TotpId } from '../../../core/model.ts'

const of = (more: Partial<Preference> = {}): Preference => ({ ...defaultPreference, passwords: true, ...more })

test('factorsTaken: recovery codes where codes are taken, and nothing where second factors are off', () => {
  expect(factorsTaken(of())).toEqual(['webauthn'])
  expect(factorsTaken(of({ secondFactors: ['otp'] }))).toEqual(['otp', 'recovery'])
  expect(factorsTaken(of({ secondFactors: ['webauthn', 'otp', 'sso'] }))).toEqual(['webauthn', 'otp', 'recovery'])
  expect(factorsTaken(of({ secondFactors: ['webauthn', 'otp'], secondFactor: 'off' }))).toEqual([])
})

const otp: ShownFactor = { kind: 'otp', id: 'app' as TotpId, step: 1 }
const recovery: ShownFactor = { kind: 'recovery', hash: 'h' }
const none = (passkeys: number, totps: number): ShownFactor => ({
  kind: 'none',
  was: { passkeys, securityKeys: 0, totps, rpIds: [] },
})
const outcome = (preference: Preference, factor: ShownFactor) => {
  try {
    return requireFactor(preference, factor)
  } catch (refused) {
    return (refused as { code: string }).code
  }
}

describe('requireFactor', () => {
  test.each([
    ['required, none', of({ secondFactors: ['otp'] }), none(0, 0), 'factor_missing'],
    ['required, a code', of({ secondFactors: ['otp'] }), otp, 'password+otp'],
    ['required, a recovery code', of({ secondFactors: ['otp'] }), recovery, 'password+recovery'],
    ['taps only, a code', of(), otp, 'factor_unwanted'],
    ['taps only, a recovery code', of(), recovery, 'factor_unwanted'],
    ['optional, none, and he has none', of({ secondFactor: 'optional' }), none(0, 0), 'password'],
    ['optional, none, and he has a passkey', of({ secondFactor: 'optional' }), none(1, 0), 'factor_missing'],
    [
      'optional, none, and he has an app',
      of({ secondFactor: 'optional', secondFactors: ['otp'] }),
      none(0, 1),
      'factor_missing',
    ],
    ['optional, none, and he has what is not taken', of({ secondFactor: 'optional' }), none(0, 1), 'password'],
    ['off, none', of({ secondFactor: 'off' }), none(1, 1), 'password'],
    ['off, a code', of({ secondFactor: 'off', secondFactors: ['otp'] }), otp, 'factor_unwanted'],
  ] as const)('%s', (_, preference, factor, expected) => {
    expect(outcome(preference, factor)).toBe(expected)
  })
})

describe('canSignIn', () => {
  const has = (passkeys: number, totps: number, password: boolean) => ({
    ...{ passkeys, totps, password },
    securityKeys: 0,
  })
  test.each([
    ['a passkey alone', of(), has(1, 0, false), true],
    ['a passkey alone, where that is not taken', of({ passwordless: false }), has(1, 0, false), false],
    ['a passkey and a password there', of({ passwordless: false }), has(1, 0, true), true],
    ['a password alone, where a factor is required', of({ secondFactors: ['otp'] }), has(0, 0, true), false],
    ['a password and an app', of({ secondFactors: ['otp'] }), has(0, 1, true), true],
    ['a password and an app that is not taken', of(), has(0, 1, true), false],
    ['a password alone, where a factor is optional', of({ secondFactor: 'optional' }), has(0, 0, true), true],
    [
      'a password and an app, where passwords are not taken',
      of({ passwords: false, secondFactors: ['otp'] }),
      has(0, 1, true),
      false,
    ],
    ['an app alone', of({ secondFactors: ['otp'] }), has(0, 1, false), false],
  ] as const)('%s', (_, preference, given, expected) => {
    expect(canSignIn(preference, given)).toBe(expected)
  })
})
