/** One change of what somebody signs in with: begin, the proof, finish. A tap signs exactly the change that the page asked for. */
import type { Subjects } from '../core/intent.ts'
import { type Assertion, intentOf, type RequestOptions, tap } from './ceremony.ts'
import type { Confirmed, Current } from './confirm.ts'
import { post } from './edge.ts'
import { proofRefused } from './words.ts'

export interface Begun {
  readonly ticket: string
  /** undefined: there is no passkey to tap with. */
  readonly options?: RequestOptions
}

type Shown =
  | { readonly purpose: 'register'; readonly subject: Partial<Subjects['register']> }
  | { readonly purpose: 'admin'; readonly subject: Partial<Subjects['admin']> }

export interface Proof {
  readonly assertion?: Assertion
  readonly current?: Current
}

/** @throws where the ticket is for something else than `shown` */
export async function beginChange<T extends Begun>(
  path: string,
  ask: object,
  shownBy: (begun: T) => Shown,
): Promise<T> {
  const begun = await post<T>(`${path}/begin`, ask)
  const { purpose, subject } = shownBy(begun)
  await intentOf(begun.ticket, { purpose, subject }, ...(begun.options ? [begun.options.challenge] : []))
  return begun
}

export async function prove({ options }: Begun, { status, current }: Confirmed): Promise<Proof> {
  if (!options) return current ? { current } : {}
  status.say('Waiting for your passkey…')
  return { assertion: await tap(options) }
}

export async function finishChange<T>(path: string, begun: Begun, proof: Proof, more: object = {}): Promise<T> {
  try {
    return await post<T>(path, { ticket: begun.ticket, ...proof, ...more })
  } catch (error) {
    throw proof.current ? proofRefused(error) : error
  }
}

/** All three, where nothing happens between them. */
export async function change<T>(
  path: string,
  asked: { readonly ask?: object; readonly shown: Shown; readonly more?: object },
  confirmed: Confirmed,
): Promise<T> {
  const { status } = confirmed
  status.say('Checking…')
  const begun = await beginChange(path, asked.ask ?? {}, () => asked.shown)
  const proof = await prove(begun, confirmed)
  status.say('Changing…')
  return finishChange<T>(path, begun, proof, asked.more)
}

export const removalOf = (path: string): Shown => ({ purpose: 'admin', subject: { method: 'POST', path } })
