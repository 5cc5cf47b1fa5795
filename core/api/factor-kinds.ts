/** What a user may prove himself with. All are listed in one form; what a kind lacks is left out. */
export const factorKinds = ['passkey', 'security_key', 'totp'] as const
export type FactorKind = (typeof factorKinds)[number]

export const factorWords: Readonly<Record<FactorKind, string>> = {
  passkey: 'passkey',
  security_key: 'security key',
  totp: 'authenticator app',
}
