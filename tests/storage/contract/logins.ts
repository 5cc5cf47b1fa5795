/** sessions.open: a login. */
import { expect } from 'vitest'
import type { CredentialId, Fingerprint } from '../../../core/model.ts'
import { changes, expectRefused } from './changes.ts'
import {
  type Cases,
  claimOf,
  ends,
  from,
  loginOf,
  newCredential,
  newPerson,
  newSpend,
  now,
  storeCredential,
  tapOf,
} from './world.ts'

export const logins: Cases = {
  'sessions.open spends, moves the counter, opens the session and writes one audit row, and nothing else': async (
    world,
  ) => {
    await newPerson(world)
    const { credential, user } = await newPerson(world)
    const login = loginOf(credential, { tapped: tapOf(credential, { counter: 7, backedUp: true }) })
    expect(await changes(world.store, () => world.ports.sessions.open(login))).toEqual({
      [`+spent ${login.spend.id}`]: login.spend,
      [`~credentials ${credential.id}`]: { counter: 7, backedUp: true, lastUsedAt: now },
      [`+sessions ${login.session.id}`]: {
        id: login.session.id,
        secretHash: login.session.secretHash,
        userId: user.id,
        via: 'passkey',
        credentialId: credential.id,
        totpId: null,
        openedAt: now,
        lastSeenAt: now,
        expiresAt: ends,
        endedAt: null,
        ...from,
      },
      '+audit login done': expect.objectContaining({ userId: user.id, credentialId: credential.id, code: null }),
    })
    expect(await world.ports.sessions.find(claimOf(login.session), now)).toEqual(user)
  },

  'sessions.open refuses a spent id': async (world) => {
    const { credential } = await newPerson(world)
    const spend = newSpend()
    await world.ports.sessions.open(loginOf(credential, { spend }))
    await expectRefused(world, 'ticket_spent', () => world.ports.sessions.open(loginOf(credential, { spend })))
  },

  'sessions.open names the spent id before anything else that is wrong': async (world) => {
    const { credential } = await newPerson(world, { counter: 5 })
    const spend = newSpend()
    await world.ports.sessions.open(loginOf(credential, { spend, tapped: tapOf(credential, { counter: 6 }) }))
    await expectRefused(world, 'ticket_spent', () => world.ports.sessions.open(loginOf(credential, { spend })))
  },

  'sessions.open refuses a credential that is unknown, removed, of another key or of another user': async (world) => {
    const { credential } = await newPerson(world)
    const other = await newPerson(world)
    const removed = await storeCredential(world, newCredential(credential.userId), { removedAt: now - 1 })
    const wrong = [
      tapOf(credential, { credentialId: 'nobody' as CredentialId }),
      tapOf(removed),
      tapOf(credential, { fingerprint: 'another' as Fingerprint }),
      tapOf(credential, { userId: other.user.id }),
    ]
    for (const tapped of wrong) {
      const login = loginOf(credential, { tapped })
      await expectRefused(world, 'credential_changed', () => world.ports.sessions.open(login))
    }
  },

  'sessions.open refuses a counter that is not ahead, and zero after any other': async (world) => {
    const { credential } = await newPerson(world, { counter: 5 })
    for (const counter of [0, 4, 5]) {
      const login = loginOf(credential, { tapped: tapOf(credential, { counter }) })
      await expectRefused(world, 'counter_regressed', () => world.ports.sessions.open(login))
    }
  },

  'sessions.open lets an authenticator in that counts nothing, again and again': async (world) => {
    const { credential } = await newPerson(world)
    for (let i = 0; i < 3; i++) await world.ports.sessions.open(loginOf(credential))
  },

  'sessions.open leaves the id of a refused login free': async (world) => {
    const { credential } = await newPerson(world, { counter: 5 })
    const login = loginOf(credential)
    await expectRefused(world, 'counter_regressed', () => world.ports.sessions.open(login))
    await world.ports.sessions.open({ ...login, tapped: tapOf(credential, { counter: 6 }) })
  },

  'sessions.open says in the refusal whom it concerns, for the audit log': async (world) => {
    const { credential } = await newPerson(world, { counter: 5 })
    const login = loginOf(credential)
    const event = { ...login.event, intentId: login.spend.id }
    await expect(world.ports.sessions.open({ ...login, event })).rejects.toMatchObject({
      code: 'counter_regressed',
      detail: { user: credential.userId, credential: credential.id, intent: login.spend.id },
    })
  },
}
