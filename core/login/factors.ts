/** What somebody can sign in with, for a page that shows it and lets it be changed. */
import type { Preference } from '../access/preference.ts'
import { recordingRefusals } from '../audit.ts'
import type { Instant, TotpId } from '../model.ts'
import type { Caller } from '../ports.ts'
import { personOf, type ReadNeeds } from './factor-change.ts'
import type { FactorKind } from './second-factor.ts'
import { factorsTaken } from './second-factor.ts'

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
  readonly factors: readonly FactorKind[]
  readonly secondFactor: Preference['secondFactor']
}

/** @throws Refusal session_missing */
export function showFactors(
  ports: ReadNeeds,
  preference: Preference,
  { asking, claim }: Caller,
): Promise<FactorsShown> {
  return recordingRefusals(ports, asking, 'request', async () => {
    const person = await personOf(ports, claim)
    return {
      passkeys: person.credentials.length,
      passwordChangedAt: person.password?.changedAt,
      totps: person.totps.map(({ sealed: _, ...totp }) => totp),
      recoveryCodes: person.recoveryCodes,
      passwords: preference.allowLocalAuth && preference.passwords,
      factors: factorsTaken(preference),
      secondFactor: preference.secondFactor,
    }
  })
}
