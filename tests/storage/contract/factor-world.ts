/** Passwords, authenticator apps and recovery codes for the contract. */
import { eq } from 'drizzle-orm'
import type {
  Attempt,
  CountedFactors,
  Factors,
  ProvenByCode,
  ShownCode,
  ShownFactor,
  StoredPassword,
} from '../../../core/factor-ports.ts'
import { minutes, type TotpId } from '../../../core/model.ts'
import { credentials, passwords, recoveryCodes, totps } from '../../../storage/schema.ts'
import {
  bytes,
  ends,
  here,
  newEvent,
  newPerson,
  newSession,
  newSpend,
  now,
  type Person,
  tapOf,
  unique,
  type World,
} from './world.ts'

export interface Equipped extends Person {
  readonly password: StoredPassword
  readonly totp: TotpId
  readonly code: string
}

export const firstStep = 100

/** A password, one app whose step 100 was used, one recovery code, beside the passkey. */
export async function newEquipped<P extends Person>(world: World, given?: P): Promise<Equipped & P> {
  const person = (given ?? (await newPerson(world))) as P
  const { id: userId } = person.user
  const password = { id: unique(), hash: `hash ${unique()}`, changedAt: now }
  const totp = await storeTotp(world, person)
  const code = unique(32)
  await world.store.db.insert(passwords).values({ ...password, userId })
  await world.store.db.insert(recoveryCodes).values({ hash: code, userId, createdAt: now, usedAt: null })
  return { ...person, password, totp, code }
}

export async function storeTotp({ store }: World, { user }: Person, name = `App ${unique(6)}`): Promise<TotpId> {
  const id = unique() as TotpId
  const row = { id, name, sealed: bytes(48), lastStep: firstStep, createdAt: now, lastUsedAt: null }
  await store.db.insert(totps).values({ ...row, userId: user.id })
  return id
}

export const attemptOf = (name: string, more: Partial<Attempt> = {}): Attempt => ({
  name,
  nameKey: name.toLowerCase(),
  at: now,
  most: 5,
  window: minutes(30),
  ...more,
})

type Opening = Parameters<Factors['open']>[0]

export const otpOf = ({ totp }: Equipped, step = firstStep + 1): ShownCode => ({ kind: 'otp', id: totp, step })
export const passkeyOf = ({ credential }: Person): ShownFactor => ({ kind: 'passkey', tapped: tapOf(credential) })
export const recoveryOf = ({ code }: Equipped): ShownFactor => ({ kind: 'recovery', hash: code })

export function openingOf(person: Equipped, factor: ShownFactor, more: Partial<Opening> = {}): Opening {
  const { user, password } = person
  const event = newEvent('login', { userId: user.id })
  const login = { spend: newSpend(), userId: user.id, name: user.name, password, rehashed: undefined }
  return { ...login, factor, preference: undefined, session: newSession(), expiresAt: ends, event, ...more }
}

export const counted = (passkeys: number, totps: number, securityKeys = 0): CountedFactors => ({
  ...{ passkeys, securityKeys, totps },
  rpIds: here.rpIds,
})

type Changing = Parameters<Factors['change']>[0]

/** By a tap, unless `more` says otherwise. */
export function changingOf(person: Equipped, effect: Changing['effect'], more: Partial<Changing> = {}): Changing {
  const { user, claim, credential } = person
  const proof = { kind: 'tap', tapped: tapOf(credential) } as const
  const event = newEvent('password.set', { userId: user.id })
  const change = { spend: newSpend(), userId: user.id, name: user.name, proof, was: counted(1, 1) }
  return { ...change, preference: undefined, claim, session: newSession(), effect, event, ...more }
}

/** Password and code in the place of a tap, of who has no passkey. */
export function provenOf(person: Equipped, step?: number, more: Partial<ProvenByCode> = {}): ProvenByCode {
  const { user, claim, password } = person
  const proof = { kind: 'password', password, factor: otpOf(person, step) } as const
  const event = newEvent('client.approve', { userId: user.id })
  const change = { spend: newSpend(), userId: user.id, name: user.name, proof, was: counted(0, 1) }
  return { ...change, preference: undefined, claim, session: newSession(), event, ...more }
}

/** A password, an app, and no passkey any more. */
export async function newWithoutPasskey<P extends Person>(world: World, given?: P): Promise<Equipped & P> {
  const person = await newEquipped(world, given)
  await world.store.db.update(credentials).set({ removedAt: now }).where(eq(credentials.userId, person.user.id))
  return person
}
