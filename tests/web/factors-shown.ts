/** What the account page is given about somebody who has everything, where everything is taken. */
import type { FactorsShown } from '../../core/login/factors.ts'
import type { TotpId } from '../../core/model.ts'

const at = Date.UTC(2027, 0, 1)

export const totp = { id: 'MMMM' as TotpId, name: 'Phone', createdAt: at, lastUsedAt: undefined }

export const allFactors: FactorsShown = {
  passkeys: 1,
  securityKeys: 0,
  takesSecurityKeys: true,
  passwordChangedAt: at,
  totps: [totp],
  recoveryCodes: 7,
  passwords: true,
  factors: ['webauthn', 'otp', 'recovery'],
  secondFactor: 'required',
  needed: { password: false, totp: false },
  ways: 'several',
}
