/** People, passkeys and sessions for the contract. It runs in Node and in workerd, so it uses nothing of either. */
import type { AuditEvent } from '../../../core/audit.ts'
import { type Bytes, base64url } from '../../../core/lib/bytes.ts'
import {
  type Asking,
  type CredentialId,
  type Fingerprint,
  hours,
  type Instant,
  type Origin,
  type SessionId,
  type User,
  type UserId,
} from '../../../core/model.ts'
import type { Change, NewCredential, NewSession, Ports, SessionClaim, Spend, Tapped } from '../../../core/ports.ts'
import type { StoredPorts } from '../../../storage/ports.ts'
import { credentialRow, sessionRow, userRow } from '../../../storage/rows.ts'
import { credentials, sessions, users } from '../../../storage/schema.ts'
import type { Store } from '../../../storage/store.ts'

/** An empty database and the ports over it. */
export interface World {
  readonly store: Store
  readonly ports: StoredPorts
}

/** Test names say verb and behaviour. Each case gets a database of its own. */
export type Cases = Readonly<Record<string, (world: World) => Promise<void>>>

export const now: Instant = 1_795_000_000_123
export const ends = now + hours(12)

export const bytes = (length: number): Bytes => crypto.getRandomValues(new Uint8Array(length))
export const unique = (length = 16): string => base64url(bytes(length))

export const from: Origin = { address: '192.0.2.7', place: 'Zürich, CH', browser: 'Firefox on Linux' }
export const asking: Asking = { requestId: 'request', from }

export const newSpend = (id = unique()): Spend => ({ id, expiresAt: now + hours(1) })
export const newUser = (name = `Ada ${unique(6)}`): User => ({ id: unique() as UserId, name })
export const newSession = (): NewSession => ({
  id: unique() as SessionId,
  secretHash: bytes(32),
  openedAt: now,
  from,
})

export function newCredential(userId: UserId, more: Partial<NewCredential> = {}): NewCredential {
  return {
    id: unique(32) as CredentialId,
    userId,
    name: `Key ${unique(6)}`,
    publicKey: bytes(77),
    fingerprint: unique(32) as Fingerprint,
    transports: ['usb', 'nfc'],
    aaguid: 'ee882879-721c-4913-9775-3dfcce97072a',
    backupEligible: true,
    backedUp: false,
    mayVouch: true,
    isRoot: false,
    createdAt: now,
    rpId: 'access.example.com',
    counter: 0,
    vouch: undefined,
    ...more,
  }
}

export const claimOf = ({ id, secretHash }: NewSession): SessionClaim => ({ id, secretHash })

export function tapOf(credential: NewCredential, more: Partial<Tapped> = {}): Tapped {
  const { id: credentialId, userId, fingerprint, rpId, counter, backedUp } = credential
  return { credentialId, userId, fingerprint, rpId, counter, backedUp, preference: undefined, ...more }
}

export function newEvent(kind: AuditEvent['kind'], more: Partial<AuditEvent> = {}): AuditEvent {
  return { at: now, kind, outcome: 'done', asking, ...more }
}

/** Somebody with one passkey and one running session of it. */
export interface Person {
  readonly user: User
  readonly credential: NewCredential
  readonly session: NewSession
  readonly claim: SessionClaim
}

export async function newPerson(world: World, more: Partial<NewCredential> = {}): Promise<Person> {
  const user = newUser()
  await world.store.db.insert(users).values(userRow(user, now))
  const credential = await storeCredential(world, newCredential(user.id, more))
  const session = await storeSession(world, credential)
  return { user, credential, session, claim: claimOf(session) }
}

export async function storeCredential(
  { store }: World,
  credential: NewCredential,
  more: { readonly removedAt?: Instant; readonly lastUsedAt?: Instant } = {},
): Promise<NewCredential> {
  await store.db.insert(credentials).values({ ...credentialRow(credential), ...more })
  return credential
}

export async function storeSession(
  { store }: World,
  { id: credentialId, userId }: NewCredential,
  more: Partial<Record<'openedAt' | 'lastSeenAt' | 'expiresAt' | 'endedAt', Instant>> = {},
): Promise<NewSession> {
  const session = newSession()
  await store.db
    .insert(sessions)
    .values({ ...sessionRow(session, { userId, credentialId, expiresAt: more.expiresAt ?? ends }), ...more })
  return { ...session, openedAt: more.openedAt ?? session.openedAt }
}

type Login = Parameters<Ports['sessions']['open']>[0]

export function loginOf(credential: NewCredential, more: Partial<Login> = {}): Login {
  const event = newEvent('login', { userId: credential.userId, credentialId: credential.id })
  return { spend: newSpend(), tapped: tapOf(credential), session: newSession(), expiresAt: ends, event, ...more }
}

export function changeOf({ credential, claim }: Person, more: Partial<Change> = {}): Change {
  const event = newEvent('passkey.add', { userId: credential.userId })
  const tapped = tapOf(credential)
  return { spend: newSpend(), tapped, claim, session: newSession(), event, ...more }
}

type Adding = Parameters<Ports['credentials']['add']>[0]

export function addingOf(person: Person, more: Partial<Adding> = {}): Adding {
  return { ...changeOf(person), needsMayVouch: false, credential: newCredential(person.user.id), ...more }
}

type Removing = Parameters<Ports['credentials']['remove']>[0]

export function removingOf(person: Person, leaving: NewCredential, more: Partial<Removing> = {}): Removing {
  const event = newEvent('passkey.remove', { userId: person.user.id, credentialId: leaving.id })
  return { ...changeOf(person), event, credentialId: leaving.id, revision: leaving.fingerprint, ...more }
}

type Claiming = Parameters<Ports['administrator']['claim']>[0]

export const newLink = (expiresAt = now + hours(1)) => ({ hash: unique(32), expiresAt })

export function claimingOf(link: string, more: Partial<Claiming> = {}): Claiming {
  const user = more.user ?? newUser()
  const credential = newCredential(user.id, { isRoot: true })
  const event = newEvent('administrator.register', { userId: user.id, credentialId: credential.id })
  const session = newSession()
  return { spend: newSpend(), link, preference: undefined, user, credential, session, expiresAt: ends, event, ...more }
}

/** Columns of a passkey that was just made. */
export const unused = { entrustedBy: null, lastUsedAt: null, removedAt: null } as const
