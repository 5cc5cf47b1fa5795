/** Administrators for the contract, and what they write: documents, locks, invites, signing keys. */
import { type PolicyDocument, parseDocument, revisionOf } from '../../../core/access/document.ts'
import type { Actor, DocumentChange, NewInvite, TapWarrant } from '../../../core/admin-ports.ts'
import type { Json } from '../../../core/intent.ts'
import { hours, type Instant, type InviteId } from '../../../core/model.ts'
import type { NewCredential, Ports, Spend, Tapped } from '../../../core/ports.ts'
import type { StoredSigningKey } from '../../../core/token-ports.ts'
import { invites, signingKeys, userRoles } from '../../../storage/schema.ts'
import { type ClientSessionRow, storeClientSession } from './programs.ts'
import {
  bytes,
  ends,
  newCredential,
  newEvent,
  newPerson,
  newSession,
  newSpend,
  newUser,
  now,
  type Person,
  tapOf,
  unique,
  type World,
} from './world.ts'

export interface Editor extends Person {
  readonly program: ClientSessionRow
  readonly actor: Actor
}

/** One role that allows; `revision` of its document, where it is none that is built in. */
export const heldBy = (name: string, revision?: string): Actor['by'] => [{ name, revision }]

export async function giveRoles(
  { store }: World,
  { user }: Pick<Person, 'user'>,
  ...roles: readonly string[]
): Promise<void> {
  for (const role of roles) await store.db.insert(userRoles).values({ userId: user.id, role })
}

/** Somebody who holds the role editor, with a program that acts for him. */
export async function newEditor(world: World, more: Partial<NewCredential> = {}): Promise<Editor> {
  const person = await newPerson(world, more)
  await giveRoles(world, person, 'editor')
  const program = await storeClientSession(world, person.credential)
  return { ...person, program, actor: { userId: person.user.id, sessionId: program.id, by: heldBy('editor') } }
}

export function documentOf(json: Json): PolicyDocument {
  const parsed = parseDocument(json)
  if (parsed.kind === 'value' && parsed.value.kind !== 'user') return parsed.value
  throw new Error(JSON.stringify(parsed))
}

export const roleOf = (name: string, options: Record<string, Json> = {}): PolicyDocument =>
  documentOf({ kind: 'role', version: 'v7', metadata: { name }, spec: { options } })

export const dbOf = (name: string, uri = 'db.example.com:5432'): PolicyDocument =>
  documentOf({ kind: 'db', version: 'v3', metadata: { name }, spec: { protocol: 'postgres', uri } })

export const lockOf = (name: string, user: string, spec: Record<string, Json> = {}): PolicyDocument =>
  lockOn(name, { user }, spec)

export const lockOn = (name: string, target: Record<string, Json>, spec: Record<string, Json> = {}): PolicyDocument =>
  documentOf({ kind: 'lock', version: 'v2', metadata: { name }, spec: { target, ...spec } })

export const changeTo = (document: PolicyDocument, expected?: string): DocumentChange => ({
  ...{ document, revision: revisionOf(document), expected },
})

/** The document as it stands, to be removed. */
export async function standing({ ports }: World, kind: string, name: string) {
  const [found] = await ports.documents.list({ kind, name })
  return { kind, name, expected: found?.revision ?? 'none' }
}

/** Puts documents as an editor of their own would. */
export async function storeDocuments(world: World, ...documents: readonly PolicyDocument[]): Promise<void> {
  const { actor } = await newEditor(world)
  const changes = documents.map((document) => changeTo(document))
  await world.ports.documents.put(actor, changes, newEvent('document.put'))
}

/** Locks the person out. */
export const lockOut = (world: World, { user }: Person, spec: Record<string, Json> = {}): Promise<void> =>
  storeDocuments(world, lockOf(`lock-${unique(6).replaceAll(/[^a-z0-9]/gi, 'x')}`, user.name, spec))

/** Instants as documents write them. */
export const rfc3339 = (at: Instant): string => new Date(at).toISOString()

type Inviting = Parameters<Ports['users']['invite']>[0]

export function newInvite(more: Partial<NewInvite> = {}): NewInvite {
  const key = { kty: 'EC', crv: 'P-256', x: unique(32), y: unique(32) } as const
  const response = { clientDataJSON: 'e30', authenticatorData: 'AA', signature: 'AQ' }
  const subject = { method: 'POST', path: '/v1/users', body_hash: 'h', revision: 'new', summary: 'Invite Łukasz 漢字' }
  const intent = { v: 1, cluster: 'test', purpose: 'admin', id: unique(), subject, iat: 1, exp: 301 } as const
  return {
    id: unique(32) as InviteId,
    key,
    tap: { intent, assertion: { id: 'c', response } },
    request: { name: 'Łukasz 漢字', roles: ['access'], invite_key: { ...key }, ttl: 3600 },
    expiresAt: now + hours(1),
    ...more,
  }
}

/** What of a tap tests choose; the rest is made up. */
export interface Tapping {
  readonly spend?: Spend
  readonly tapped?: Tapped
}

/** By a tap of this credential, which must be one that may vouch. */
export function warrantOf(credential: Person['credential'], { spend, tapped }: Tapping = {}): TapWarrant {
  const { tap, request } = newInvite()
  return { spend: spend ?? newSpend(), tapped: tapped ?? tapOf(credential), tap, request, mayVouch: true }
}

export function invitingOf(
  { credential, actor: editor }: Editor,
  { spend, tapped, actor = editor, ...more }: Partial<Inviting> & Tapping = {},
): Inviting & { readonly spend: Spend } {
  const event = newEvent('user.invite', { userId: credential.userId, credentialId: credential.id })
  const warrant = warrantOf(credential, { ...(spend && { spend }), ...(tapped && { tapped }) })
  const made = { user: newUser(), roles: ['access'], invite: newInvite() }
  return { spend: warrant.spend, actor: { ...actor, warrant }, ...made, event, ...more }
}

/** Somebody who was invited: the invitation, as the editor gave it. */
export async function newInvited(world: World, more: Partial<Inviting> = {}): Promise<Inviting> {
  const inviting = invitingOf(await newEditor(world), more)
  await world.ports.users.invite(inviting)
  return inviting
}

type Accepting = Parameters<Ports['users']['accept']>[0]

export function acceptingOf({ user, invite }: Pick<Inviting, 'user' | 'invite'>, more: Partial<Accepting> = {}) {
  const credential = newCredential(user.id, { mayVouch: false })
  const event = newEvent('user.register', { userId: user.id, credentialId: credential.id })
  const accepting: Accepting = {
    ...{ spend: newSpend(), invite: invite.id, preference: undefined, credential },
    ...{ session: newSession(), expiresAt: ends, event },
    ...more,
  }
  return accepting
}

export const openInvites = ({ store }: World) => store.db.select().from(invites)

export function newKey(generation: number, more: Partial<StoredSigningKey> = {}): StoredSigningKey {
  return {
    ...{ generation, kid: unique(32), x: unique(32), sealed: bytes(60), createdAt: now },
    ...{ activatedAt: undefined, retiredAt: undefined, ...more },
  }
}

/** The first two keys of a cluster. */
export async function beginKeys({ ports }: World): Promise<readonly [StoredSigningKey, StoredSigningKey]> {
  const keys = [newKey(1, { activatedAt: now }), newKey(2)] as const
  await ports.signingKeys.begin(keys)
  return keys
}

export const countKeys = ({ store }: World): Promise<number> => store.db.$count(signingKeys)
