/** Making recovery codes: ten at a time, shown once; those of before are void. */
import type { FactorEffect } from '../factor-ports.ts'
import type { Holder, Site } from '../model.ts'
import type { Caller } from '../ports.ts'
import {
  type Asked,
  beginChange,
  type ChangeAnswer,
  type ChangeBeginNeeds,
  type ChangeBegun,
  type ChangeDone,
  type ChangeFinishNeeds,
  finishChange,
} from './factor-change.ts'
import { newRecoveryCode, recoveryCodes, recoveryHash } from './recovery-code.ts'
import { requireCodes } from './second-factor.ts'

const making: Asked<'register'> = { purpose: 'register', subject: { kind: 'recovery-codes' } }

/** @throws Refusal session_missing, codes_off */
export const beginRecoveryCodes = (
  site: Site,
  ports: ChangeBeginNeeds,
  caller: Caller,
  holder: Holder,
): Promise<ChangeBegun> =>
  beginChange(site, ports, 'recovery.make', caller, holder, (_, { preference }) => {
    requireCodes(preference)
    return making
  })

/** @throws Refusal */
export async function finishRecoveryCodes(
  site: Site,
  ports: ChangeFinishNeeds,
  caller: Caller,
  answer: ChangeAnswer,
): Promise<ChangeDone & { readonly codes: readonly string[] }> {
  const codes = Array.from({ length: recoveryCodes }, () => newRecoveryCode(ports.random))
  const done = await finishChange(site, ports, 'recovery.make', caller, answer, ({ user }, { preference }) => {
    requireCodes(preference)
    const hashes = codes.map((code) => recoveryHash(user.id, code) as string)
    return { ...making, effect: (): FactorEffect => ({ kind: 'make recovery codes', hashes }) }
  })
  return { ...done, codes }
}
