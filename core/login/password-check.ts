/** The parts of a proof by password that logins and changes share. Each costs the same whoever is asked for, and if nobody is. */
import type { Attempt, Person, ShownCode, ShownFactor, StoredPassword, Totp } from '../factor-ports.ts'
import type { Keys } from '../keys.ts'
import { base64url, utf8 } from '../lib/bytes.ts'
import { hmac } from '../lib/hash.ts'
import { type Instant, minutes, type UserId } from '../model.ts'
import type { Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { nameKey } from './name.ts'
import { nobodysTotp } from './nobody.ts'
import { recoveryHash } from './recovery-code.ts'
import { stepOf, totpSecretLength } from './totp.ts'

/** Five failures lock the name for half an hour, whether or not anybody has it. Passkeys go on. */
const mostFailures = 5
const lockTtl = minutes(30)

/** A name that anybody may have typed, as the database may be asked for it: half a character is none. */
export const askedName = (name: string): string => nameKey(name).toWellFormed()

/** How tickets and the database know a name that a password is tried for: they may be seen, and it may be a mistyped password. */
export const nameHash = ({ names }: Pick<Keys, 'names'>, name: string): string =>
  base64url(hmac(names, utf8(askedName(name))))

/** @throws Refusal password_locked */
export type CountAttempt = (name: string) => Promise<Person | undefined>

/** For one request. A ceremony that is tried again under the newest preference is still one attempt. */
export function countingOnce(ports: Pick<Ports, 'factors' | 'keys' | 'now'>): CountAttempt {
  let counted: Promise<Person | undefined> | undefined
  return (name) => {
    counted ??= countAttempt(ports, name)
    return counted
  }
}

async function countAttempt(
  { factors, keys, now }: Pick<Ports, 'factors' | 'keys' | 'now'>,
  name: string,
): Promise<Person | undefined> {
  const counted: Attempt = {
    name: nameHash(keys, name),
    nameKey: askedName(name),
    at: now(),
    most: mostFailures,
    window: lockTtl,
  }
  const { isLocked, person } = await factors.attempt(counted)
  if (isLocked) throw new Refusal('password_locked', person && { user: person.user.id })
  return person
}

/** @throws Refusal name_unknown, password_missing, password_wrong, password_unreadable */
export async function requirePassword(
  { passwords }: Pick<Ports, 'passwords'>,
  person: Person | undefined,
  password: string,
): Promise<StoredPassword> {
  const stored = person?.password
  const isRight = await passwords.verify(password, stored?.hash ?? passwords.nobodys).catch(namingUser(person))
  if (!person) throw new Refusal('name_unknown')
  if (!stored) throw new Refusal('password_missing', { user: person.user.id })
  if (!isRight) throw new Refusal('password_wrong', { user: person.user.id })
  return stored
}

/** The operator must hear whose password it is that cannot be verified. */
const namingUser = (person: Person | undefined) => (error: unknown) => {
  if (!(error instanceof Refusal && error.code === 'password_unreadable') || !person) throw error
  throw new Refusal(error.code, { ...error.detail, user: person.user.id }, { cause: error })
}

/** @throws Refusal code_wrong */
export async function requireTotp(
  { keys }: Pick<Ports, 'keys'>,
  person: Person | undefined,
  code: string,
  now: Instant,
): Promise<ShownCode> {
  const totps: readonly Pick<Totp, 'id' | 'sealed'>[] = person?.totps ?? []
  let found: ShownCode | undefined
  for (const { id, sealed } of totps.length > 0 ? totps : [{ id: undefined, sealed: nobodysTotp }]) {
    const secret = await keys.factors.open(aboutTotp(person?.user.id, id), sealed)
    const step = stepOf(secret ?? new Uint8Array(totpSecretLength), code, now)
    if (id && secret && step !== undefined) found = { kind: 'otp', id, step }
  }
  if (!found) throw new Refusal('code_wrong', person && { user: person.user.id })
  return found
}

/** What a sealed key is for: it opens for no other app and no other user. */
export const aboutTotp = (user: UserId | undefined, id: string | undefined): string => `totp ${user} ${id}`

/** Whether the code is there and unused is the batch's to say. @throws Refusal recovery_wrong */
export function requireRecoveryForm(person: Person | undefined, code: string): ShownFactor {
  const hash = recoveryHash((person?.user.id ?? '') as UserId, code)
  if (!person || hash === undefined) throw new Refusal('recovery_wrong', person && { user: person.user.id })
  return { kind: 'recovery', hash }
}

/** Waits for all of them, so that it takes the same whichever fails, then refuses with the first that did. */
export async function all<const T extends readonly Promise<unknown>[]>(
  work: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const outcomes = await Promise.allSettled(work)
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed) throw failed.reason
  return outcomes.map((outcome) => (outcome as PromiseFulfilledResult<unknown>).value) as {
    -readonly [K in keyof T]: Awaited<T[K]>
  }
}
