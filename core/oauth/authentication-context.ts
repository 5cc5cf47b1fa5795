/**
 * How a program's login was approved, as clients ask for it and read it (OpenID Connect Core 1.0 sections 2 and 3.1.2.1, RFC 9470). When,
 * they need not ask for: every authorization is approved anew, so its `auth_time` is younger than any `max_age`.
 */
import type { ClientSession } from '../model.ts'

/** OpenID Connect Extended Authentication Profile ACR Values 1.0: phishing-resistant. */
export const phishingResistant = 'phr'

/** Not in the device flow: there somebody can be talked into tapping for a program that is another's. */
export const acrOf = ({ tapped, via }: Pick<ClientSession, 'tapped' | 'via'>): string | undefined =>
  tapped && via === 'browser' ? phishingResistant : undefined

/** Values that nobody knows count for nothing: they are a wish (section 3.1.2.1). */
export const wantsTapBy = (acrValues = ''): boolean => acrValues.split(' ').includes(phishingResistant)
