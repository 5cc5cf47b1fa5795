/** What somebody can sign in with, for a page that shows it and lets it be changed. */
import type { Preference } from '../access/preference.ts'
import { recordingRefusals } from '../audit.ts'
import type { Person } from '../factor-ports.ts'
import type { Instant, TotpId } from '../model.ts'
import type { Caller } from '../ports.ts'
import { personOf, type ReadNeeds } from './factor-change.ts'
import {
  canSignIn,
  factorsTaken,
  hasOf,
  isWayIn,
  type SecondFactorKind,
  takes,
  takesPasswords,
} from './second-factor.ts'

export interface FactorsShown {
  readonly passkeys: number
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
  readonly ways: Ways
}

/** `one`: whoever loses one device, or the paper, signs in no more. */
export type Ways = 'none' | 'one' | 'several'

/** @throws Refusal session_missing */
export function showFactors(ports: ReadNeeds, { asking, claim }: Caller): Promise<FactorsShown> {
  return recordingRefusals(ports, asking, 'request', async () => {
    const person = await personOf(ports, claim)
    return factorsShown(await ports.preferences.current(), person)
  })
}

export function factorsShown(preference: Preference, person: Person): FactorsShown {
  const has = hasOf(person)
  return {
    passkeys: has.passkeys,
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
    ways: waysOf(preference, person),
  }
}

function waysOf(preference: Preference, person: Person): Ways {
  const has = hasOf(person)
  const isPaperTaken = takesPasswords(preference) && takes(preference, 'recovery')
  const hasPaper = has.password && isPaperTaken && person.recoveryCodes > 0
  if (!canSignIn(preference, has)) return hasPaper ? 'one' : 'none'
  const losses = [{ passkeys: has.passkeys - 1 }, { totps: has.totps - 1 }]
  return !hasPaper && losses.some((loss) => isWayIn(preference, has, loss)) ? 'one' : 'several'
}
