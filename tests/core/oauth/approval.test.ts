/** Who approves a program with what, under which preference. */
import { describe, expect, test } from 'vitest'
import { defaultPreference, type Preference } from '../../../core/access/preference.ts'
import type { Person } from '../../../core/factor-ports.ts'
import { utf8 } from '../../../core/lib/bytes.ts'
import { sha256 } from '../../../core/lib/hash.ts'
import type { Site } from '../../../core/model.ts'
import { type ApprovalWay, approvalWay } from '../../../core/oauth/approval.ts'

const rpId = 'access.example.com'
const site: Site = { cluster: 'test', origin: `https://${rpId}`, rpId, rpIdHash: sha256(utf8(rpId)) }

const password = { id: 'p', hash: 'h', changedAt: 0 }
const person = (has: { passkey?: string; password?: boolean; app?: boolean }): Person =>
  ({
    user: { id: 'u', name: 'U' },
    credentials: has.passkey === undefined ? [] : [{ rpId: has.passkey }],
    password: has.password ? password : undefined,
    totps: has.app ? [{ id: 't' }] : [],
    recoveryCodes: 10,
  }) as unknown as Person

const way = (preference: Partial<Preference>, whose: Person) =>
  approvalWay(site, { ...defaultPreference, ...preference }, whose)

const onlyCodes: Partial<Preference> = { passwords: true, secondFactors: ['otp'] }
const both = { password: true, app: true }

const others: Record<string, Partial<Preference>> = {
  'passkeys alone': {},
  'either factor': { passwords: true, secondFactors: ['webauthn', 'otp'] },
  'taps as second factor': { passwords: true, secondFactors: ['webauthn'] },
  'an optional factor': { passwords: true, secondFactors: ['webauthn', 'otp'], secondFactor: 'optional' },
  'no second factor': { passwords: true, secondFactors: [], secondFactor: 'off' },
  'codes, but no passwords': { ...onlyCodes, passwords: false },
  'codes, but no local logins': { ...onlyCodes, allowLocalAuth: false },
}

describe('approvalWay', () => {
  test.each<[string, Person, ApprovalWay]>([
    ['password and app', person(both), 'code'],
    ['a passkey beside them', person({ ...both, passkey: rpId }), 'tap'],
    [
      'a passkey of a relying party that is not taken, beside them',
      person({ ...both, passkey: 'old.example' }),
      'code',
    ],
    ['such a passkey alone', person({ passkey: 'old.example' }), 'tap'],
    ['a password, no app, and recovery codes', person({ password: true }), 'none'],
    ['an app, and no password', person({ app: true }), 'none'],
  ])('where codes are the one second factor, of somebody with %s', (_, whose, expected) => {
    expect(way(onlyCodes, whose)).toBe(expected)
  })

  test.each(Object.entries(others))('under %s it is a tap or nothing', (_, preference) => {
    expect(way(preference, person(both))).toBe('none')
    expect(way(preference, person({ ...both, passkey: rpId }))).toBe('tap')
    expect(way(preference, person({ ...both, passkey: 'old.example' }))).toBe('tap')
  })

  test('a passkey of a relying party of before that is still taken taps', () => {
    expect(way({ ...onlyCodes, formerRpIds: ['old.example'] }, person({ ...both, passkey: 'old.example' }))).toBe('tap')
  })
})
