/** credentials.find, sessions.find, sessions.findWithPasskeys, sessions.findWithRoles, sessions.account: what is read, and what nobody gets to read. */
import { expect } from 'vitest'
import { presetOf } from '../../../core/access/presets.ts'
import { type CredentialId, hours, type SessionId } from '../../../core/model.ts'
import type { SessionClaim } from '../../../core/ports.ts'
import { changes } from './changes.ts'
import { newEditor } from './editors.ts'
import {
  bytes,
  type Cases,
  claimOf,
  ends,
  from,
  newCredential,
  newPerson,
  newSession,
  now,
  type Person,
  storeCredential,
  storeSession,
  type World,
} from './world.ts'

/** Every claim that must open nothing. */
export async function staleClaims(world: World, { credential, claim }: Person): Promise<Record<string, SessionClaim>> {
  const stranger = newSession()
  return {
    'of no session': claimOf(stranger),
    'with a wrong secret': { ...claim, secretHash: bytes(32) },
    'with an empty secret': { ...claim, secretHash: new Uint8Array(0) },
    'with the secret of another session': {
      id: claim.id,
      secretHash: (await storeSession(world, credential)).secretHash,
    },
    'of an ended session': claimOf(await storeSession(world, credential, { endedAt: now - 1 })),
    'of an expired session': claimOf(await storeSession(world, credential, { expiresAt: now - 1 })),
    'of a session that expires this very moment': claimOf(await storeSession(world, credential, { expiresAt: now })),
    'of a session that nobody used for an hour': claimOf(
      await storeSession(world, credential, { lastSeenAt: now - hours(1) }),
    ),
    'with an id of another letter case': { ...claim, id: swapCase(claim.id) as SessionId },
  }
}

const swapCase = (text: string) => text.replace(/[a-z]/gi, (c) => (c < 'a' ? c.toLowerCase() : c.toUpperCase()))

export const reading: Cases = {
  'credentials.find answers all that core knows of a passkey, and no more': async (world) => {
    const { credential } = await newPerson(world)
    const { counter: _counter, vouch: _vouch, ...known } = credential
    expect(await world.ports.credentials.find(credential.id)).toStrictEqual({ ...known, lastUsedAt: undefined })
    const used = await storeCredential(world, newCredential(credential.userId), { lastUsedAt: now })
    expect((await world.ports.credentials.find(used.id))?.lastUsedAt).toBe(now)
  },

  'credentials.find answers undefined for a removed and for an unknown one': async (world) => {
    const { user } = await newPerson(world)
    const removed = await storeCredential(world, newCredential(user.id), { removedAt: now })
    expect(await world.ports.credentials.find(removed.id)).toBeUndefined()
    expect(await world.ports.credentials.find('nobody' as CredentialId)).toBeUndefined()
  },

  'sessions.find answers whose session it is': async (world) => {
    await newPerson(world)
    const { claim, credential, user } = await newPerson(world)
    expect(await world.ports.sessions.find(claim, now)).toStrictEqual(user)
    const busy = await storeSession(world, credential, { lastSeenAt: ends - 2 })
    expect(await world.ports.sessions.find(claimOf(busy), ends - 1)).toStrictEqual(user)
    expect(await world.ports.sessions.find(claimOf(busy), ends)).toBeUndefined()
  },

  'sessions.find, findWithPasskeys, findWithRoles and account answer undefined for a stale claim, and write nothing':
    async (world) => {
      const person = await newPerson(world)
      const stale = await staleClaims(world, person)
      for (const [why, claim] of Object.entries(stale)) {
        const done = await changes(world.store, async () => {
          expect(await world.ports.sessions.find(claim, now), why).toBeUndefined()
          expect(await world.ports.sessions.findWithPasskeys(claim, now), why).toBeUndefined()
          expect(await world.ports.sessions.findWithRoles(claim, now), why).toBeUndefined()
          expect(await world.ports.sessions.account(claim, now), why).toBeUndefined()
        })
        expect(done).toEqual({})
      }
    },

  'sessions.account and findWithPasskeys answer the user with live passkeys, account with running sessions, oldest first, and nobody else':
    async (world) => {
      await newPerson(world)
      const { user, credential, session, claim } = await newPerson(world)
      const older = await storeCredential(world, newCredential(user.id, { createdAt: now - 5 }))
      await storeCredential(world, newCredential(user.id), { removedAt: now })
      const earlier = await storeSession(world, older, { openedAt: now - hours(1), lastSeenAt: now - 1 })
      await storeSession(world, older, { endedAt: now })
      await storeSession(world, older, { expiresAt: now })
      const account = await world.ports.sessions.account(claim, now)
      expect(account?.user).toStrictEqual(user)
      expect(account?.credentials.map(({ id }) => id)).toEqual([older.id, credential.id])
      expect(account?.credentials[0]).toStrictEqual(await world.ports.credentials.find(older.id))
      const shown = { expiresAt: ends, origin: from }
      expect(account?.sessions).toStrictEqual([
        {
          ...shown,
          id: earlier.id,
          via: 'passkey',
          credentialId: older.id,
          openedAt: now - hours(1),
          lastSeenAt: now - 1,
        },
        { ...shown, id: session.id, via: 'passkey', credentialId: credential.id, openedAt: now, lastSeenAt: now },
      ])
      expect(account?.session).toStrictEqual(account?.sessions[1])
      const found = await world.ports.sessions.findWithPasskeys(claim, now)
      expect(found).toStrictEqual({ user, credentials: account?.credentials })
    },

  'sessions.findWithRoles and account answer the roles that the user holds, with what they say': async (world) => {
    const { user, claim } = await newEditor(world)
    const found = await world.ports.sessions.findWithRoles(claim, now)
    expect(found).toStrictEqual({ user, held: [{ document: presetOf('editor'), revision: undefined }] })
    expect((await world.ports.sessions.account(claim, now))?.held).toStrictEqual(found?.held)
  },
}
