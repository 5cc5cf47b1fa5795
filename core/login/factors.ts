/** What somebody can sign in with, for a page that shows it and lets it be changed. */
import type { Preference } from '../access/preference.ts'
import { recordingRefusals } from '../audit.ts'
import type { Person } from '../factor-ports.ts'
import type { Instant, Site, TotpId } from '../model.ts'
import type { Caller } from '../ports.ts'
import { personOf, type ReadNeeds } from './factor-change.ts'
import { siteUnder } from './relying-party.ts'
import {
  canSignIn,
  factorsTaken,
  hasOf,
  isWayIn,
  type SecondFactorKind,
  takes,
  takesPasswords,
  takesSecurityKeys,
} from './second-factor.ts'

export interface FactorsShown {
  /** Of these two, those that work. */
  readonly passkeys: number
  readonly securityKeys: number
  readonly passwordChangedAt: Instant | undefined
  readonly totps: readonly {
    readonly id: TotpId
    readonly name: string
    readonly createdAt: Instant
    readonly lastUsedAt: Instant | undefined
  }[]
  readonly recoveryCodes: number
  /** What the preference takes: a page offers nothing else. */
  readonly passwords: boolean
  readonly factors: readonly SecondFactorKind[]
  readonly secondFactor: Preference['secondFactor']
  /** Without it nothing would sign its owner in, so it cannot be removed. */
  readonly needed: { readonly password: boolean; readonly totp: boolean }
  readonly takesSecurityKeys: boolean
  readonly ways: Ways
}

/** `one`: whoever loses one device, or the paper, signs in no more. */
export type Ways = 'none' | 'one' | 'several'

/** @throws Refusal session_missing */
export function showFactors(site: Site, ports: ReadNeeds, { asking, claim }: Caller): Promise<FactorsShown> {
  return recordingRefusals(ports, asking, 'request', async () => {
    const person = await personOf(ports, claim)
    return factorsShown(site, await ports.preferences.current(), person)
  })
}

/** `site`: as the settings have it. */
export function factorsShown(site: Site, preference: Preference, person: Person): FactorsShown {
  const has = hasOf(siteUnder(site, preference), person)
  const { passkeys, securityKeys } = has
  return {
    ...{ passkeys, securityKeys },
    passwordChangedAt: person.password?.changedAt,
    totps: person.totps.map(({ sealed: _, ...totp }) => totp),
    recoveryCodes: person.recoveryCodes,
    passwords: takesPasswords(preference),
    factors: factorsTaken(preference),
    secondFactor: preference.secondFactor,
    needed: {
      password: isWayIn(preference, has, { password: false }),
      totp: isWayIn(preference, has, { totps: has.totps - 1 }),
    },
    takesSecurityKeys: takesSecurityKeys(preference),
    ways: waysOf(preference, has, person.recoveryCodes),
  }
}

function waysOf(preference: Preference, has: ReturnType<typeof hasOf>, recoveryCodes: number): Ways {
  const isPaperTaken = takesPasswords(preference) && takes(preference, 'recovery')
  const hasPaper = has.password && isPaperTaken && recoveryCodes > 0
  if (!canSignIn(preference, has)) return hasPaper ? 'one' : 'none'
  const losses = [{ passkeys: has.passkeys - 1 }, { securityKeys: has.securityKeys - 1 }, { totps: has.totps - 1 }]
  return !hasPaper && losses.some((loss) => isWayIn(preference, has, loss)) ? 'one' : 'several'
}
