/** Passwords, codes and their changes, from a browser's side. It runs in Node and in workerd, so it uses nothing of either. */
import { hmac } from '@noble/hashes/hmac.js'
import { sha1 } from '@noble/hashes/legacy.js'
import type { Preference } from '../core/access/preference.ts'
import type { Json } from '../core/intent.ts'
import type { Authenticator, GetOverrides, RequestOptions } from './authenticator.ts'
import type { Reply, Visitor } from './client.ts'
import type { TestEdge } from './edge.ts'

export const goodPassword = 'three unrelated nouns: kettle, ferry, moss'

/** A password and either kind of second factor. */
export const bothFactors: Partial<Preference> = { passwords: true, secondFactors: ['webauthn', 'otp'] }

/** A code as an app computes it (RFC 6238), written anew here so that a test does not compare the library with itself. */
export function codeAt(secret: string, now: number, steps = 0): string {
  const counter = new DataView(new ArrayBuffer(8))
  counter.setBigUint64(0, BigInt(Math.floor(now / 30_000) + steps))
  const mac = hmac(sha1, fromBase32(secret), new Uint8Array(counter.buffer))
  const number = new DataView(mac.buffer).getUint32((mac.at(-1) ?? 0) & 15) & 0x7fffffff
  return String(number % 1_000_000).padStart(6, '0')
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
function fromBase32(text: string): Uint8Array {
  const bits = [...text].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('')
  return Uint8Array.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}

async function begun(reply: Promise<Reply>) {
  const { status, json, text } = await reply
  if (status !== 200) throw new Error(`begin answered ${status}: ${text}`)
  return json
}

/** What a page sends at the end of a change: the tap where there is a passkey to tap with, else what `current` says. */
export async function changeBody(
  visitor: Visitor,
  path: string,
  ask: Json,
  proof: Authenticator | { readonly current: Json },
) {
  const { options, ticket, ...more } = await begun(visitor.post(`${path}/begin`, ask))
  if ('current' in proof) return { ticket, current: proof.current, ...more }
  return { ticket, assertion: await proof.get(options as RequestOptions), ...more }
}

export async function setPassword(
  visitor: Visitor,
  proof: Parameters<typeof changeBody>[3],
  password = goodPassword,
): Promise<Reply> {
  return visitor.post('/v1/password', { ...(await changeBody(visitor, '/v1/password', { password }, proof)), password })
}

/** The app's key in base32. */
export async function addTotp(
  { ports }: Pick<TestEdge, 'ports'>,
  visitor: Visitor,
  proof: Parameters<typeof changeBody>[3],
  name = 'Phone',
): Promise<{ reply: Reply; secret: string }> {
  const { uri: _, secret, ...body } = await changeBody(visitor, '/v1/totp', { name }, proof)
  const reply = await visitor.post('/v1/totp', { ...body, new_code: codeAt(secret, ports.now()) })
  return { reply, secret }
}

export async function makeRecoveryCodes(visitor: Visitor, proof: Parameters<typeof changeBody>[3]): Promise<string[]> {
  const body = await changeBody(visitor, '/v1/recovery-codes', {}, proof)
  return (await begun(visitor.post('/v1/recovery-codes', body))).codes
}

export interface Answering {
  readonly name?: string
  readonly password?: string
  readonly passkey?: Authenticator
  readonly tap?: GetOverrides
  readonly code?: string
  readonly recovery_code?: string
}

export async function passwordBody(visitor: Visitor, { passkey, tap, ...given }: Answering) {
  const answer = { name: 'Ada', password: goodPassword, ...given }
  const { ticket, options } = await begun(visitor.post('/v1/login/password/begin', { name: answer.name }))
  return { ticket, ...answer, ...(passkey && { assertion: await passkey.get(options as RequestOptions, tap) }) }
}

export async function passwordLogin(visitor: Visitor, answering: Answering): Promise<Reply> {
  return visitor.post('/v1/login/password/finish', await passwordBody(visitor, answering))
}
