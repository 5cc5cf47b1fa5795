/** Adding an authenticator app, and removing one. */
import type { FactorEffect, Person } from '../factor-ports.ts'
import type { AddTotpSubject, Intent } from '../intent.ts'
import { base64url, fromBase64url } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'
import type { Holder, Site, TotpId, UserId } from '../model.ts'
import type { Caller, Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { emptyRequest } from './ceremony.ts'
import {
  beginChange,
  type ChangeAnswer,
  type ChangeBeginNeeds,
  type ChangeBegun,
  type ChangeDone,
  type ChangeFinishNeeds,
  finishChange,
  type Prepared,
} from './factor-change.ts'
import { parseName } from './name.ts'
import { aboutTotp } from './password-check.ts'
import { requireCodes, requireWayIn } from './second-factor.ts'
import { stepOf, totpForApp, totpSecretLength } from './totp.ts'
import type { Under } from './with-preference.ts'

/** A login tries a code with each. */
const mostTotps = 8

export interface TotpBegun extends ChangeBegun {
  /** For the QR code. */
  readonly uri: string
  /** For typing: base32. */
  readonly secret: string
  /** The key as finish wants it back; nothing is written until then. */
  readonly sealed: string
}

/** @throws Refusal session_missing, codes_off, name_invalid, name_taken, too_many_factors */
export async function beginTotpAdd(
  site: Site,
  ports: ChangeBeginNeeds,
  caller: Caller,
  holder: Holder,
  given: string,
): Promise<TotpBegun> {
  let shown: NewTotp['shown'] | undefined
  const begun = await beginChange(site, ports, 'totp.add', caller, holder, async (person, under) => {
    const made = await newTotp(ports, person, under, given)
    shown = made.shown
    return { purpose: 'register', subject: made.subject }
  })
  return { ...begun, ...(shown as NonNullable<typeof shown>) }
}

interface NewTotp {
  readonly subject: AddTotpSubject
  readonly shown: Pick<TotpBegun, 'uri' | 'secret' | 'sealed'>
}

/** An app that is not there yet. @throws Refusal codes_off, name_invalid, name_taken, too_many_factors */
export async function newTotp(
  { keys, random }: Pick<Ports, 'keys' | 'random'>,
  { user, totps }: Person,
  { site, preference }: Under,
  given: string,
): Promise<NewTotp> {
  requireCodes(preference)
  const name = parseName(given)
  if (totps.some((totp) => totp.name === name)) throw new Refusal('name_taken', { user: user.id })
  if (totps.length >= mostTotps) throw new Refusal('too_many_factors', { user: user.id })
  const secret = random(totpSecretLength)
  const id = base64url(random(16)) as TotpId
  const sealed = base64url(await keys.factors.seal(aboutTotp(user.id, id), random(12), secret))
  return { subject: totpSubject(id, name, sealed), shown: { ...totpForApp(site, user.name, secret), sealed } }
}

/** The key by its hash: what is tapped is shown to people and kept for years. */
export const totpSubject = (id: string, name: string, sealed: string): AddTotpSubject => ({
  kind: 'totp',
  id,
  name,
  secret: base64url(sha256(fromBase64url(sealed) ?? new Uint8Array(0))),
})

export interface TotpAnswer extends ChangeAnswer {
  readonly sealed: string
  /** Of the new app, which shows that it has the key. */
  readonly newCode: string
}

/** @throws Refusal new_code_wrong and others */
export function finishTotpAdd(
  site: Site,
  ports: ChangeFinishNeeds,
  caller: Caller,
  answer: TotpAnswer,
): Promise<ChangeDone> {
  return finishChange(site, ports, 'totp.add', caller, answer, ({ user }, { preference }, intent) => {
    requireCodes(preference)
    const { id, name } = (intent as Intent<'register'>).subject as AddTotpSubject
    const subject = totpSubject(String(id), String(name), answer.sealed)
    return { purpose: 'register', subject, effect: () => addingTotp(ports, user.id, subject, answer) }
  })
}

/** Once the proof was found to be right. @throws Refusal new_code_wrong */
export async function addingTotp(
  { keys, now }: Pick<Ports, 'keys' | 'now'>,
  user: UserId,
  { id, name }: AddTotpSubject,
  answer: Pick<TotpAnswer, 'sealed' | 'newCode'>,
): Promise<FactorEffect> {
  const sealed = fromBase64url(answer.sealed) ?? new Uint8Array(0)
  const secret = await keys.factors.open(aboutTotp(user, id), sealed)
  const step = secret && stepOf(secret, answer.newCode, now())
  if (step === undefined) throw new Refusal('new_code_wrong', { user })
  return { kind: 'add totp', id: id as TotpId, name, sealed, step }
}

/** @throws Refusal not_found, last_factor */
function removing(person: Person, under: Under, id: TotpId): Prepared<'admin'> {
  const { user, totps } = person
  const leaving = totps.find((totp) => totp.id === id)
  if (!leaving) throw new Refusal('not_found', { user: user.id })
  requireWayIn(under, person, { totps: totps.length - 1 })
  const summary = `Remove the authenticator app "${leaving.name}" of ${user.name}`
  const subject = emptyRequest(`/v1/totp/${id}/remove`, id, summary)
  return { purpose: 'admin', subject, effect: () => ({ kind: 'remove totp', id }) }
}

/** @throws Refusal session_missing, not_found, last_factor */
export function beginTotpRemove(
  site: Site,
  ports: ChangeBeginNeeds,
  caller: Caller,
  holder: Holder,
  id: TotpId,
): Promise<ChangeBegun> {
  return beginChange(site, ports, 'totp.remove', caller, holder, (person, under) => removing(person, under, id))
}

/** Sessions that rest on codes end. @throws Refusal */
export const finishTotpRemove = (
  site: Site,
  ports: ChangeFinishNeeds,
  caller: Caller,
  answer: ChangeAnswer & { readonly id: TotpId },
): Promise<ChangeDone> =>
  finishChange(site, ports, 'totp.remove', caller, answer, (person, under) => removing(person, under, answer.id))
