/** Which second factors the preference takes, and who must show one. Pure. */
import type { Preference } from '../access/preference.ts'
import type { CountedFactors, FactorCounts, Person, ShownFactor } from '../factor-ports.ts'
import type { SessionVia, Site } from '../model.ts'
import type { Staying } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { rpIdsOf, usableOf } from './relying-party.ts'
import type { Under } from './with-preference.ts'

export type SecondFactorKind = 'webauthn' | 'otp' | 'recovery'

/**
 * A recovery code stands in for a lost app, so it is taken where codes are: a cluster that takes taps alone would else be as easily
 * phished as its paper.
 */
export function factorsTaken({ secondFactor, secondFactors }: Preference): readonly SecondFactorKind[] {
  if (secondFactor === 'off') return []
  const taken = secondFactors.filter((kind) => kind !== 'sso')
  return taken.includes('otp') ? [...taken, 'recovery'] : taken
}

const kinds = { passkey: 'webauthn', otp: 'otp', recovery: 'recovery' } as const

export const takes = (preference: Preference, kind: SecondFactorKind): boolean =>
  factorsTaken(preference).includes(kind)

export const takesPasswords = ({ allowLocalAuth, passwords }: Preference): boolean => allowLocalAuth && passwords

/** @throws Refusal passwords_off */
export function requirePasswords(preference: Preference): void {
  if (!takesPasswords(preference)) throw new Refusal('passwords_off')
}

/** @throws Refusal codes_off */
export function requireCodes(preference: Preference): void {
  if (!takes(preference, 'otp')) throw new Refusal('codes_off')
}

/** Codes are the one second factor: then, beside the password, one stands in the place of a tap for who has no passkey. */
export const takesOnlyCodes = (preference: Preference): boolean =>
  takesPasswords(preference) && takes(preference, 'otp') && !takes(preference, 'webauthn')

export const takesSecurityKeys = (preference: Preference): boolean =>
  takesPasswords(preference) && takes(preference, 'webauthn')

/** What may stand in when a passkey goes. */
export const stayingOf = ({ site, preference }: Under): Staying => ({
  rpIds: rpIdsOf(site),
  securityKeys: takesSecurityKeys(preference),
})

/**
 * A security key signs nobody in but beside a password: who got one elsewhere would have nothing.
 * @throws Refusal security_keys_off
 */
export function requireSecurityKeys(preference: Preference): void {
  if (!takesSecurityKeys(preference)) throw new Refusal('security_keys_off')
}

export function countsOf(site: Site, { credentials, totps }: Pick<Person, 'credentials' | 'totps'>): CountedFactors {
  const usable = usableOf(site, credentials)
  const passkeys = usable.filter(({ kind }) => kind === 'passkey').length
  return { passkeys, securityKeys: usable.length - passkeys, totps: totps.length, rpIds: rpIdsOf(site) }
}

/** Whether somebody has a second factor that is taken. */
const hasFactor = (preference: Preference, { passkeys, securityKeys, totps }: FactorCounts): boolean =>
  (passkeys + securityKeys > 0 && takes(preference, 'webauthn')) || (totps > 0 && takes(preference, 'otp'))

/** What a session stands on that opens with this factor. @throws Refusal factor_missing, factor_unwanted */
export function requireFactor(preference: Preference, factor: ShownFactor): SessionVia {
  if (factor.kind !== 'none') {
    if (!takes(preference, kinds[factor.kind])) throw new Refusal('factor_unwanted', { why: factor.kind })
    return `password+${factor.kind}`
  }
  const { secondFactor } = preference
  if (secondFactor === 'required' || (secondFactor === 'optional' && hasFactor(preference, factor.was)))
    throw new Refusal('factor_missing')
  return 'password'
}

type Has = FactorCounts & { readonly password: boolean }

export const hasOf = (site: Site, person: Person): Has => ({
  ...countsOf(site, person),
  password: person.password !== undefined,
})

/** Whether what goes is the way in. Where there is none, nothing takes it away. */
export const isWayIn = (preference: Preference, has: Has, without: Partial<Has>): boolean =>
  canSignIn(preference, has) && !canSignIn(preference, { ...has, ...without })

/** @throws Refusal last_factor */
export function requireWayIn({ site, preference }: Under, person: Person, without: Partial<Has>): void {
  if (isWayIn(preference, hasOf(site, person), without)) throw new Refusal('last_factor', { user: person.user.id })
}

/** Whether somebody with these can sign in. */
export function canSignIn(preference: Preference, has: Has): boolean {
  if (has.passkeys > 0 && preference.passwordless) return true
  if (!has.password || !takesPasswords(preference)) return false
  return preference.secondFactor !== 'required' || hasFactor(preference, has)
}
