/** Setting a password, and removing it. */
import type { FactorEffect, Person } from '../factor-ports.ts'
import { base64url } from '../lib/bytes.ts'
import type { Holder, Site } from '../model.ts'
import type { Caller } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { emptyRequest } from './ceremony.ts'
import {
  type Asked,
  beginChange,
  type ChangeAnswer,
  type ChangeBeginNeeds,
  type ChangeBegun,
  type ChangeDone,
  type ChangeFinishNeeds,
  finishChange,
  type Prepared,
} from './factor-change.ts'
import { requireGoodPassword } from './password-rules.ts'
import { requirePasswords, requireWayIn } from './second-factor.ts'
import type { Under } from './with-preference.ts'

const setting: Asked<'register'> = { purpose: 'register', subject: { kind: 'password' } }

/** `password`: looked at before anybody is asked to tap, and not kept. @throws Refusal session_missing, passwords_off, password_weak */
export function beginPasswordSet(
  site: Site,
  ports: ChangeBeginNeeds,
  caller: Caller,
  holder: Holder,
  password: string,
): Promise<ChangeBegun> {
  return beginChange(site, ports, 'password.set', caller, holder, async ({ user }, under) => {
    requirePasswords(under.preference)
    await requireGoodPassword(under.site, user.name, password)
    return setting
  })
}

/** Sessions that rest on the password of before end. @throws Refusal */
export function finishPasswordSet(
  site: Site,
  ports: ChangeFinishNeeds,
  caller: Caller,
  answer: ChangeAnswer & { readonly password: string },
): Promise<ChangeDone> {
  return finishChange(site, ports, 'password.set', caller, answer, async ({ user }, under) => {
    requirePasswords(under.preference)
    await requireGoodPassword(under.site, user.name, answer.password)
    const effect = async (): Promise<FactorEffect> => ({
      kind: 'set password',
      id: base64url(ports.random(16)),
      hash: await ports.passwords.hash(answer.password),
    })
    return { ...setting, effect }
  })
}

/** @throws Refusal not_found, last_factor */
function removing(person: Person, under: Under): Prepared<'admin'> {
  const { user, password } = person
  if (!password) throw new Refusal('not_found', { user: user.id })
  requireWayIn(under, person, { password: false })
  const subject = emptyRequest('/v1/password/remove', password.id, `Remove the password of ${user.name}`)
  return { purpose: 'admin', subject, effect: () => ({ kind: 'remove password', id: password.id }) }
}

/** @throws Refusal session_missing, not_found, last_factor */
export const beginPasswordRemove = (
  site: Site,
  ports: ChangeBeginNeeds,
  caller: Caller,
  holder: Holder,
): Promise<ChangeBegun> => beginChange(site, ports, 'password.remove', caller, holder, removing)

/** @throws Refusal */
export const finishPasswordRemove = (
  site: Site,
  ports: ChangeFinishNeeds,
  caller: Caller,
  answer: ChangeAnswer,
): Promise<ChangeDone> => finishChange(site, ports, 'password.remove', caller, answer, removing)
