/** Which taps must verify the user: of each purpose, with each kind. */
import { describe, expect, test } from 'vitest'
import type { Purpose, Subjects } from '../../../core/intent.ts'
import { verificationFor, wantsVerification } from '../../../core/tap/verification.ts'

const byPassword: Subjects['login'] = { kind: 'password', name: 'AAAA' }
const wanted = (kind: 'passkey' | 'security_key', purpose: Purpose, subject: object = {}) =>
  wantsVerification(kind, purpose, subject as Subjects[Purpose])

describe('wantsVerification', () => {
  test('a security key touches where a password or a login stands beside it, and nowhere else', () => {
    const purposes: Record<Purpose, boolean> = {
      login: true,
      cli: false,
      register: false,
      session: false,
      admin: false,
      presence: false,
      vouch: true,
      recovery: true,
      'device-enroll': true,
      device: true,
      'device-web': true,
    }
    for (const [purpose, expected] of Object.entries(purposes))
      expect([purpose, wanted('security_key', purpose as Purpose)]).toEqual([purpose, expected])
    expect(wanted('security_key', 'login', byPassword)).toBe(false)
    expect(wanted('security_key', 'login', { kind: 'passwords' })).toBe(true)
  })

  test('a passkey verifies its user always, beside a password too; presence alone is presence', () => {
    for (const purpose of ['login', 'cli', 'register', 'session', 'admin', 'vouch', 'recovery', 'device'] as const)
      expect([purpose, wanted('passkey', purpose)]).toEqual([purpose, true])
    expect(wanted('passkey', 'login', byPassword)).toBe(true)
    expect(wanted('passkey', 'presence')).toBe(false)
  })
})

test('verificationFor insists with passkeys, leaves it where there are only security keys, and prefers it with both', () => {
  const [passkey, key] = [{ kind: 'passkey' }, { kind: 'security_key' }] as const
  expect(verificationFor([])).toBe('required')
  expect(verificationFor([passkey, passkey])).toBe('required')
  expect(verificationFor([key])).toBe('discouraged')
  expect(verificationFor([passkey, key])).toBe('preferred')
})
