import { Refusal, type RefusalCode } from '../core/refusal.ts'

/**
 * What undid a batch, by the constraint that failed. SQLite's message is the one thing that D1, Node, Deno and Bun share.
 */
const obstacles: readonly (readonly [constraint: string, code: RefusalCode])[] = [
  ['UNIQUE constraint failed: spent.id', 'ticket_spent'],
  ['UNIQUE constraint failed: credentials.id', 'passkey_exists'],
  ['UNIQUE constraint failed: credentials.fingerprint', 'passkey_exists'],
  ['UNIQUE constraint failed: credentials.user_id, credentials.name', 'name_taken'],
  ['UNIQUE constraint failed: users.name_key', 'name_taken'],
  ['NOT NULL constraint failed: guards.credential', 'credential_changed'],
  ['NOT NULL constraint failed: guards.counter', 'counter_regressed'],
  ['NOT NULL constraint failed: guards.session', 'session_missing'],
  ['NOT NULL constraint failed: guards.link', 'link_invalid'],
  ['NOT NULL constraint failed: guards.administrator', 'administrator_exists'],
  ['NOT NULL constraint failed: guards.target', 'not_found'],
  ['NOT NULL constraint failed: guards.last', 'last_passkey'],
  ['NOT NULL constraint failed: guards.vouching', 'last_vouching'],
  ['NOT NULL constraint failed: guards.lock', 'user_locked'],
  ['NOT NULL constraint failed: guards.code', 'code_invalid'],
  ['NOT NULL constraint failed: guards.client', 'token_invalid'],
  ['NOT NULL constraint failed: guards.invite', 'link_invalid'],
  ['NOT NULL constraint failed: guards.revision', 'document_changed'],
  ['NOT NULL constraint failed: guards.role', 'role_missing'],
  ['NOT NULL constraint failed: guards.given', 'role_unknown'],
  ['NOT NULL constraint failed: guards.held', 'role_held'],
  ['NOT NULL constraint failed: guards.rotation', 'keys_rotated'],
  ['NOT NULL constraint failed: guards.preference', 'preference_changed'],
  ['NOT NULL constraint failed: guards.device', 'device_code_answered'],
  ['NOT NULL constraint failed: guards.flow', 'device_flow_off'],
  ['NOT NULL constraint failed: guards.room', 'device_flow_busy'],
  ['UNIQUE constraint failed: device_codes.user_code', 'device_flow_busy'],
  ['NOT NULL constraint failed: guards.password', 'password_changed'],
  ['NOT NULL constraint failed: guards.step', 'code_spent'],
  ['NOT NULL constraint failed: guards.recovery', 'recovery_wrong'],
  ['NOT NULL constraint failed: guards.factors', 'factors_changed'],
  ['UNIQUE constraint failed: totps.user_id, totps.name', 'name_taken'],
  ['UNIQUE constraint failed: signing_keys.generation', 'keys_rotated'],
  ['UNIQUE constraint failed: documents.name', 'document_exists'],
  ['UNIQUE constraint failed: documents.kind, documents.name', 'document_changed'],
  ['UNIQUE constraint failed: invites.id', 'ticket_spent'],
]

/** What a guard means where it stands for something else than elsewhere. */
export type Meanings = Partial<Record<RefusalCode, RefusalCode>>

/** Turns a batch's constraint error into the Refusal that it means. Any other error stays what it is. */
export async function refusing<T>(
  detail: Record<string, string>,
  work: Promise<T>,
  meanings: Meanings = {},
): Promise<T> {
  try {
    return await work
  } catch (error) {
    const code = codeOf(error)
    throw code === undefined ? error : new Refusal(meanings[code] ?? code, detail, { cause: error })
  }
}

/** drizzle wraps what a driver throws outside a batch, so causes are read too. */
function codeOf(error: unknown): RefusalCode | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { message } = cause
    const found = obstacles.find(([constraint]) => endsWell(message, constraint))
    if (found) return found[1]
  }
  return undefined
}

/** `credentials.id` must not match `credentials.id_of_something`. */
function endsWell(message: string, constraint: string): boolean {
  const at = message.indexOf(constraint)
  return at >= 0 && !/[\w,]/.test(message.charAt(at + constraint.length))
}
