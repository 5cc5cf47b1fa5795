/** What a user may prove himself with. All are listed in one form; what a kind lacks is left out. */
export const factorKinds = ['passkey', 'totp'] as const
export type FactorKind = (typeof factorKinds)[number]
