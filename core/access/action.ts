/**
 * Operations with an access token that a tap approves: what the person reads, what must not have changed meanwhile, which passkeys may
 * tap. The edge asks here when the tap is asked for; when the request comes with it, its handler makes the same again.
 */
import type { BodyOf, QueryOf } from '../api/operation.ts'
import { type Operations, operations } from '../api/operations.ts'
import type { AdminSubject, Json } from '../intent.ts'
import { othersThan } from '../login/passkey-remove.ts'
import type { Credential, Site } from '../model.ts'
import type { Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { foreseePut, foreseeRemoval } from './catalog.ts'
import { foreseeRotation } from './cluster.ts'
import { changesHash } from './difference.ts'
import { foreseeLoginEnd } from './logins.ts'
import { foreseeSessionEnd } from './open-sessions.ts'
import { foreseeFactorRemoval } from './own-factors.ts'
import { foreseeEntrusting } from './passkeys.ts'
import type { Principal } from './principal.ts'
import { type Foreseen, type Received, requestSubject } from './subject.ts'
import { foreseeInvite, foreseeReset, foreseeUserRemoval } from './users.ts'

type Named<O> = { readonly [operation: string]: O }

/** Operations of a table that want a tap, always or where the preference says so. */
export type TappedOf<Table extends Named<object>> = {
  [O in keyof Table]: Table[O] extends { readonly needs: { readonly presence: string } } ? O : never
}[keyof Table]

/** Those of programs that change something. */
type ChangingOf<Table extends Named<object>> = {
  [O in keyof Table]: Table[O] extends { readonly auth: 'dpop'; readonly method: 'GET' }
    ? never
    : Table[O] extends { readonly auth: 'dpop' }
      ? O
      : never
}[keyof Table]

/** What changes something with a token and wants no tap: each with the reason. What stands neither here nor in `actions` does not compile. */
export type Exempted<Table extends Named<object>> = {
  readonly [O in Exclude<ChangingOf<Table>, TappedOf<Table>>]: string
}

export const exempted: Exempted<Operations> = {
  tapBegin: 'asks for a tap, and writes nothing',
  why: 'reads, and writes nothing',
  sessionBegin: 'asks for a session, and writes nothing: the tap that a role wants is the session’s own',
  sessionSetBegin: 'asks for sessions, and writes nothing, as sessionBegin',
  ownTotpBegin: 'asks for a tap, and writes nothing',
  ownTotpAdd: 'a ceremony of its own, whose tap names the new key and no code (own-totp.ts)',
  ownOpenSessionEnd: 'ends a session of one’s own: it only takes away',
  ownLoginEnd: 'ends a login of one’s own: it only takes away, and a passkey brings it back',
}

export type Foresight = Pick<
  Ports,
  | 'now'
  | 'random'
  | 'users'
  | 'documents'
  | 'credentials'
  | 'factors'
  | 'logins'
  | 'openSessions'
  | 'keyring'
  | 'signingKeys'
  | 'preferences'
>

export interface Asked<Body, Query> extends Pick<Received, 'parameters'> {
  readonly body: Body
  readonly query: Query
}

/** Nobody taps in vain: it refuses what the request would refuse. @throws Refusal */
type Foresee<Body, Query> = (
  site: Site,
  ports: Foresight,
  principal: Principal,
  asked: Asked<Body, Query>,
) => Promise<Foreseen>

/** An operation that wants a tap and is missing here does not compile. */
export const actions: {
  readonly [O in TappedOf<Operations>]: Foresee<BodyOf<Operations[O]>, QueryOf<Operations[O]>>
} = {
  userAdd: (_, ports, principal, { body }) => foreseeInvite(ports, principal, body),
  userReset: (_, ports, principal, { body }) => foreseeReset(ports, principal, body),
  userRemove: (_, ports, principal, { parameters }) => foreseeUserRemoval(ports, principal, parameters['name'] ?? ''),
  passkeyEntrust: (_, ports, __, { parameters, body }) =>
    foreseeEntrusting(ports, { user: parameters['name'] ?? '', passkey: body.passkey }),
  factorRemove: (site, ports, principal, { body }) => foreseeFactorRemoval(site, ports, principal, body),
  loginEnd: (_, ports, __, { parameters }) => foreseeLoginEnd(ports, parameters['id'] ?? ''),
  openSessionEnd: (_, ports, __, { parameters }) => foreseeSessionEnd(ports, parameters['id'] ?? ''),
  documentsPut: (site, ports, principal, { body }) =>
    foreseePut(site, ports, principal, { ...body, force: body.force ?? false }),
  documentRemove: (site, ports, principal, { parameters: { kind = '', name = '' }, query }) =>
    foreseeRemoval(site, ports, principal, { kind, name, force: query.force === 'true' }),
  keysRotate: (_, ports) => foreseeRotation(ports),
}

export type ActionName = keyof typeof actions

export const isAction = (name: string): name is ActionName => Object.hasOwn(actions, name)

/** As a program names the request that it is going to send. */
export interface Naming {
  readonly parameters?: Json | undefined
  readonly query?: Json | undefined
  readonly body?: Json | undefined
}

/** The subject of a request that is to be tapped, and its difference in full. @throws Refusal as the request itself would */
export async function foreseenSubject(
  site: Site,
  ports: Foresight,
  action: ActionName,
  principal: Principal,
  naming: Naming,
): Promise<{ subject: AdminSubject; changes: string }> {
  const operation = operations[action]
  const received = receivedOf(action, naming)
  const body = 'body' in operation ? operation.body(received.json, 'body') : undefined
  // The table's rows take different bodies; each reads its own.
  const foresee = actions[action] as Foresee<unknown, unknown>
  const asked = { parameters: received.parameters, query: received.query, body }
  const { changes, ...foreseen } = await foresee(site, ports, principal, asked)
  const { address } = principal.asking.from
  const subject = { ...requestSubject(operation, received), ...foreseen, address, changes: changesHash(changes) }
  return { subject, changes }
}

function receivedOf(action: ActionName, { parameters, query, body }: Naming): Received {
  const operation = operations[action]
  const read = 'query' in operation ? operation.query(query ?? {}, 'query') : {}
  return { parameters: textsIn(parameters ?? {}), query: read, json: 'body' in operation ? (body ?? null) : null }
}

function textsIn(json: Json): Readonly<Record<string, string>> {
  const entries = typeof json === 'object' && json !== null ? Object.entries(json) : []
  if (entries.every((entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1].length <= 256))
    return Object.fromEntries(entries)
  throw new Refusal('bad_request', { why: 'parameters: text of at most 256 characters each' })
}

/** Which of the user's passkeys may tap what its ticket says. */
export function mayTap({ key, revision }: AdminSubject, credentials: readonly Credential[]): readonly Credential[] {
  if (key === 'any') return credentials
  if (key === 'vouching') return credentials.filter(({ mayVouch }) => mayVouch)
  const leaving = credentials.find(({ fingerprint }) => fingerprint === revision)
  return leaving ? othersThan(leaving, credentials) : []
}
