/**
 * Administrative requests that a tap approves: what the person reads, which passkeys may tap, and the intent of exactly this
 * request. The edge makes it when the tap is asked for, and again from the request that it receives.
 */
import { factorWords } from '../api/factor-kinds.ts'
import type { BodyOf } from '../api/operation.ts'
import { operations } from '../api/operations.ts'
import type { Totp } from '../factor-ports.ts'
import { type AdminSubject, canonicalJson, type Json } from '../intent.ts'
import { base64url } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'
import { parseName } from '../login/name.ts'
import { othersThan, requireStaying } from '../login/passkey-remove.ts'
import { requireWayIn, stayingOf } from '../login/second-factor.ts'
import type { Under } from '../login/with-preference.ts'
import type { Credential, User } from '../model.ts'
import type { Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { inviteTtl, resetTtl } from './link-ttl.ts'
import { isPreset } from './presets.ts'

type Tapped = {
  [O in keyof typeof operations]: (typeof operations)[O] extends { readonly needs: { readonly presence: 'tap' } }
    ? O
    : never
}[keyof typeof operations]

type Foresight = Pick<Ports, 'users' | 'documents' | 'credentials' | 'factors' | 'preferences'> & {
  readonly under: Under
}

interface Action<Body> {
  /** One line, the largest words of the page. @throws Refusal where the request could never succeed */
  readonly summary: (body: Body) => string
  /**
   * What must not have changed between the tap and the request. Looked up when the tap is asked for, so that nobody taps in vain; what
   * holds by then is confirmed again in the batch of the effect. @throws Refusal as the request would
   */
  readonly foresee: (ports: Foresight, user: User, body: Body) => Promise<string>
  /** Which passkeys may tap it, of all that the user has. */
  readonly mayTap: (credentials: readonly Credential[], subject: AdminSubject) => readonly Credential[]
}

/** What an administrator does wants a passkey that may admit others. */
const vouching = (credentials: readonly Credential[]) => credentials.filter(({ mayVouch }) => mayVouch)

/** An operation that wants a tap and is missing here does not compile. */
export const actions: { readonly [O in Tapped]: Action<BodyOf<(typeof operations)[O]>> } = {
  userAdd: {
    summary: ({ name, roles, ttl }) => {
      inviteTtl(ttl)
      return `Invite ${parseName(name)} with ${rolesInWords(roles)}`
    },
    foresee: async (ports, _, { name, roles }) => {
      await requireFreeName(ports, parseName(name))
      await requireRoles(ports, roles)
      return 'new'
    },
    mayTap: vouching,
  },
  userReset: {
    summary: ({ name, ttl }) => {
      resetTtl(ttl)
      return `Reset ${parseName(name)}: all passkeys, passwords, codes and sessions of ${parseName(name)} are removed`
    },
    foresee: async ({ users }, user, { name }) => {
      const found = await users.find(name)
      if (!found) throw new Refusal('user_unknown', { user: user.id })
      if (found.id === user.id) throw new Refusal('own_account', { user: user.id })
      return found.id
    },
    mayTap: vouching,
  },
  factorRemove: {
    summary: ({ kind, name }) => `Remove the ${factorWords[kind]} "${parseName(name)}"`,
    foresee: async (ports, user, { kind, name }) => {
      if (kind === 'totp') return foreseeTotpRemoval(ports, user, name)
      const all = await ports.credentials.of(user.id)
      const leaving = all.find((one) => one.kind === kind && one.name === name)
      if (!leaving) throw new Refusal('passkey_unknown', { user: user.id })
      // Whether there is a password, the batch knows.
      requireStaying(stayingOf(ports.under), { leaving, all, hasPassword: true })
      return leaving.fingerprint
    },
    mayTap: (credentials, { revision }) => {
      if (revision.startsWith(ofTotp)) return credentials
      const leaving = credentials.find(({ fingerprint }) => fingerprint === revision)
      return leaving ? othersThan(leaving, credentials) : []
    },
  },
}

const ofTotp = 'totp '
/** No passkey has such a fingerprint. */
export const totpRevision = ({ id }: Pick<Totp, 'id'>): string => `${ofTotp}${id}`

/** @throws Refusal totp_unknown, last_factor */
async function foreseeTotpRemoval(ports: Foresight, user: User, name: string): Promise<string> {
  const person = await ports.factors.of(user.id)
  const leaving = person?.totps.find((one) => one.name === name)
  if (!person || !leaving) throw new Refusal('totp_unknown', { user: user.id })
  requireWayIn(ports.under, person, { totps: person.totps.length - 1 })
  return totpRevision(leaving)
}

async function requireFreeName({ users }: Foresight, name: string): Promise<void> {
  const found = await users.find(name)
  if (!found) return
  if (found.passkeys > 0) throw new Refusal('name_taken')
  const told = `There is a user ${found.name} who has no passkey yet, or none any more.`
  throw new Refusal('user_waiting', {}, { told })
}

async function requireRoles({ documents }: Foresight, roles: readonly string[]): Promise<void> {
  const written = roles.filter((role) => !isPreset(role))
  if (written.length === 0) return
  const there = new Set((await documents.list({ kind: 'role' })).map(({ document }) => document.metadata.name))
  const unknown = written.find((role) => !there.has(role))
  if (unknown !== undefined)
    throw new Refusal('role_unknown', {}, { told: `There is no role ${JSON.stringify(unknown)}.` })
}

export type ActionName = keyof typeof actions

export const isAction = (name: string): name is ActionName => Object.hasOwn(actions, name)

function rolesInWords(roles: readonly string[]): string {
  if (roles.length === 0) return 'no role'
  return `${roles.length === 1 ? 'the role' : 'the roles'} ${roles.join(', ')}`
}

/** `body`: the request's body as it came. */
export const bodyHash = (body: Json): string => base64url(sha256(canonicalJson(body)))

interface Known {
  readonly revision: string
  /** Where the program asks from. */
  readonly address: string
}

export function subjectOf(name: ActionName, body: Json, { revision, address }: Known): AdminSubject {
  const { method, path, body: shape } = operations[name]
  // The table's rows take different bodies; each reads its own.
  const { summary } = actions[name] as Action<unknown>
  return { method, path, body_hash: bodyHash(body), revision, summary: summary(shape(body, 'body')), address }
}

/** The subject of a request that is to be tapped. @throws Refusal as the request itself would */
export async function foreseenSubject(
  ports: Foresight,
  name: ActionName,
  user: User,
  body: Json,
  address: string,
): Promise<AdminSubject> {
  const { foresee, summary } = actions[name] as Action<unknown>
  const read = operations[name].body(body, 'body')
  summary(read)
  return subjectOf(name, body, { revision: await foresee(ports, user, read), address })
}

/** Which of the user's passkeys may tap an administrative request, by its place. */
export function mayTap(subject: AdminSubject, credentials: readonly Credential[]): readonly Credential[] {
  const name = (Object.keys(actions) as ActionName[]).find((one) => operations[one].path === subject.path)
  return name ? actions[name].mayTap(credentials, subject) : []
}

/** Which of both a one-time link is: what was tapped says it, and no column that somebody could write. undefined: neither. */
export function linkKindOf({ method, path }: AdminSubject): 'invite' | 'reset' | undefined {
  if (method !== 'POST') return undefined
  if (path === operations.userAdd.path) return 'invite'
  return path === operations.userReset.path ? 'reset' : undefined
}
