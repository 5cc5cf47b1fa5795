/** claimCluster, purge and audit.record. */
import { expect } from 'vitest'
import { hours, minutes } from '../../../core/model.ts'
import { claimCluster, purge } from '../../../storage/cluster.ts'
import { changes } from './changes.ts'
import { attemptOf } from './factor-world.ts'
import {
  type Cases,
  ends,
  loginOf,
  newCredential,
  newEvent,
  newPerson,
  newSpend,
  now,
  storeCredential,
  storeSession,
} from './world.ts'

const ours = { name: 'access.example.com', keyCheck: 'check' }
const days = (count: number) => count * hours(24)

export const clusters: Cases = {
  'claimCluster claims a new database once, and says whose a claimed one is': async ({ store }) => {
    const claimed = await changes(store, async () => expect(await claimCluster(store, ours, now)).toBe('ours'))
    expect(claimed).toEqual({ '+cluster 1': { slot: 1, ...ours, createdAt: now } })
    const later = await changes(store, async () => {
      expect(await claimCluster(store, ours, now + 1)).toBe('ours')
      expect(await claimCluster(store, { ...ours, keyCheck: 'other' }, now)).toBe('another key')
      expect(await claimCluster(store, { ...ours, name: 'other' }, now)).toBe('another cluster')
      expect(await claimCluster(store, { name: 'other', keyCheck: 'other' }, now)).toBe('another key')
    })
    expect(later).toEqual({})
  },

  'purge removes spent ids past their life and sessions that ended 30 days ago, and keeps all else': async (world) => {
    const { store, ports } = world
    const { user, credential } = await newPerson(world)
    const login = loginOf(credential)
    await ports.sessions.open(login)
    const removed = await storeCredential(world, newCredential(user.id), { removedAt: now - days(400) })
    const [spent, lasting] = [
      { ...newSpend(), expiresAt: now - 1 },
      { ...newSpend(), expiresAt: now },
    ]
    for (const spend of [spent, lasting]) await ports.sessions.open(loginOf(credential, { spend }))
    const gone = [
      await storeSession(world, credential, { expiresAt: now - days(30) - 1 }),
      await storeSession(world, removed, { endedAt: now - days(30) - 1 }),
    ]
    await storeSession(world, credential, { expiresAt: now - days(30) })
    await storeSession(world, credential, { endedAt: now - days(30) })
    await storeSession(world, credential, { endedAt: now, expiresAt: ends })
    const done = await changes(store, () => purge(store, now))
    expect(Object.keys(done).sort()).toEqual([`-spent ${spent.id}`, ...gone.map(({ id }) => `-sessions ${id}`)].sort())
    expect(await changes(store, () => purge(store, now))).toEqual({})
  },

  'purge removes failed attempts that are forgotten, and no others': async ({ store, ports }) => {
    const attempt = (name: string, at: number) => ports.factors.attempt(attemptOf(name, { at }))
    await attempt('forgotten', now - minutes(30))
    await attempt('counted', now - minutes(30) + 1)
    const done = await changes(store, () => purge(store, now))
    expect(Object.keys(done)).toEqual(['-passwordAttempts forgotten'])
  },

  'audit.record writes one row of an event that says little, NULL where it says nothing': async ({ store, ports }) => {
    const event = newEvent('request', { outcome: 'refused', code: 'wrong_origin' })
    const done = await changes(store, () => ports.audit.record(event))
    expect(Object.keys(done)).toEqual(['+audit request refused'])
    expect(done['+audit request refused']).toStrictEqual({
      seq: expect.any(Number),
      at: now,
      kind: 'request',
      outcome: 'refused',
      code: 'wrong_origin',
      userId: null,
      credentialId: null,
      sessionId: null,
      intentId: null,
      eventId: null,
      requestId: 'request',
      address: '192.0.2.7',
      place: 'Zürich, CH',
      browser: 'Firefox on Linux',
      detail: null,
      evidence: null,
    })
  },

  'audit.record never gives a row the number of an earlier one': async ({ store, ports }) => {
    const seqs: unknown[] = []
    for (let i = 0; i < 3; i++) {
      const done = await changes(store, () => ports.audit.record(newEvent('logout')))
      seqs.push((done['+audit logout done'] as { seq: number }).seq)
    }
    expect(seqs).toEqual([...seqs].sort((a, b) => Number(a) - Number(b)))
    expect(new Set(seqs).size).toBe(3)
  },
}
