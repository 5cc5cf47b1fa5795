/** Codes and logins of programs for the contract, as the ports take them and as rows. */

import type { ClientSessionId, Holder } from '../../../core/model.ts'
import { hours, type Instant, seconds } from '../../../core/model.ts'
import type { NewCredential, Ports } from '../../../core/ports.ts'
import type { CodeClaim, NewCode } from '../../../core/token-ports.ts'
import { clientSessions, codes } from '../../../storage/schema.ts'
import { changeOf, ends, from, newEvent, newSpend, now, type Person, unique, type World } from './world.ts'

export const newJkt = (): Holder => unique(32) as Holder
const newClientSessionId = (): ClientSessionId => unique() as ClientSessionId

export function newCode(more: Partial<NewCode> = {}): NewCode {
  return {
    hash: unique(32),
    clientSessionId: newClientSessionId(),
    clientId: 'sallyport-cli',
    redirectUri: 'http://127.0.0.1:49152/callback',
    codeChallenge: unique(32),
    jkt: newJkt(),
    scope: 'openid api',
    nonce: 'n-0S6_WzA2Mj',
    intentId: unique(),
    authenticatedAt: now,
    expiresAt: now + seconds(60),
    ...more,
  }
}

export async function storeCode(
  { store }: World,
  { id: credentialId, userId }: NewCredential,
  more: Partial<NewCode> = {},
): Promise<NewCode> {
  const code = newCode(more)
  await store.db.insert(codes).values({ ...code, userId, credentialId, usedAt: null })
  return code
}

export const claimOfCode = ({ hash, clientId, redirectUri, codeChallenge, jkt }: NewCode): CodeClaim => ({
  ...{ hash, clientId, redirectUri, codeChallenge, jkt },
})

type Issuing = Parameters<Ports['codes']['issue']>[0]

export function issuingOf(person: Person, more: Partial<Issuing> = {}): Issuing {
  const event = newEvent('client.approve', { userId: person.user.id })
  return { ...changeOf(person), event, code: newCode(), ...more }
}

type Redeeming = Parameters<Ports['codes']['redeem']>[0]

export function redeemingOf(code: NewCode, more: Partial<Redeeming> = {}): Redeeming {
  return { ...claimOfCode(code), spend: newSpend(), event: newEvent('client.login'), ...more }
}

export type ClientSessionRow = typeof clientSessions.$inferSelect

/** A login of a program that runs, or what `more` makes of it. */
export async function storeClientSession(
  { store }: World,
  { id: credentialId, userId }: NewCredential,
  more: Partial<ClientSessionRow> = {},
): Promise<ClientSessionRow> {
  const row: ClientSessionRow = {
    id: newClientSessionId(),
    ...{ userId, credentialId, totpId: null },
    clientId: 'sallyport-cli',
    jkt: newJkt(),
    scope: 'openid api',
    via: 'browser',
    authenticatedAt: now,
    generation: 1,
    rotatedAt: now,
    expiresAt: ends,
    ...{ endedAt: null, endReason: null, endedBy: null },
    ...from,
    ...more,
  }
  await store.db.insert(clientSessions).values(row)
  return row
}

/** Sessions that a caller must not be able to use, and why. */
export async function staleClientSessions(
  world: World,
  credential: NewCredential,
): Promise<Record<string, ClientSessionRow>> {
  const ended = { endedAt: now - 1, endReason: 'revoked', endedBy: 'earlier' }
  return {
    'one that ended': await storeClientSession(world, credential, ended),
    'one that expired': await storeClientSession(world, credential, { expiresAt: now - 1 }),
    'one that expires this very moment': await storeClientSession(world, credential, { expiresAt: now }),
    'one that never was': { ...(await storeClientSession(world, credential)), id: newClientSessionId() },
  }
}

export const repeatFor = seconds(60)

type Refreshing = Parameters<Ports['clientSessions']['refresh']>[0]

export function refreshingOf(row: ClientSessionRow, more: Partial<Refreshing> = {}): Refreshing {
  const { id, generation, clientId, jkt } = row
  const event = newEvent('client.refresh', { outcome: 'refused' })
  return { id, generation, clientId, jkt, spend: newSpend(), repeatFor, event, ...more }
}

/** The same at another instant, by a request of its own. */
export const refreshAt = (at: Instant, requestId = unique()) => ({
  event: newEvent('client.refresh', { outcome: 'refused', at, asking: { requestId, from } }),
})

type Entering = Parameters<Ports['clientSessions']['enter']>[0]

export function enteringOf({ id, jkt }: ClientSessionRow, more: Partial<Entering> = {}): Entering {
  return { spend: newSpend(), id, jkt, at: now, ...more }
}

/** What a program is told of its login. */
export const loginOfRow = (
  { id, clientId, scope, via, credentialId, authenticatedAt, expiresAt, generation }: ClientSessionRow,
  { user }: Person,
) => {
  const tapped = credentialId !== null
  return { user, session: { id, clientId, scope, via, tapped, authenticatedAt, expiresAt }, generation }
}

export const twelveHours = hours(12)
