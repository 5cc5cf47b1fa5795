/** What is stored comes back as it was: the places where two drivers of SQLite differ. */
import { eq } from 'drizzle-orm'
import { expect } from 'vitest'
import type { AuditEvent, Evidence } from '../../../core/audit.ts'
import type { Intent } from '../../../core/intent.ts'
import type { CredentialId, Fingerprint, UserId } from '../../../core/model.ts'
import type { Vouch } from '../../../core/vouch.ts'
import { audit, credentials } from '../../../storage/schema.ts'
import { expectRefused } from './changes.ts'
import {
  addingOf,
  bytes,
  type Cases,
  claimOf,
  loginOf,
  newCredential,
  newEvent,
  newPerson,
  newSession,
  newUser,
  now,
  storeCredential,
  tapOf,
  type World,
} from './world.ts'

const intent: Intent = {
  v: 1,
  cluster: 'test',
  purpose: 'register',
  id: 'id',
  user: 'user',
  holder: 'holder',
  subject: { kind: 'passkey', name: 'Schlüssel "1" \u2028 \\ 漢字 🗝️', may_vouch: true, vouch_key: 'k' },
  iat: 1_795_000_000,
  exp: 1_795_000_300,
}
const response = { clientDataJSON: 'e30', authenticatorData: 'AA', signature: 'AQ' }
const vouch: Vouch = {
  v: 1,
  tap: { intent, assertion: { id: 'c', response } },
  key: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
  signature: 's',
}

async function recorded({ store, ports }: World, more: Partial<AuditEvent>) {
  await ports.audit.record(newEvent('login', more))
  const [row] = await store.db.select().from(audit)
  return row
}

export const values: Cases = {
  'blobs come back as Uint8Array, all 256 values, empty ones and views of a larger buffer': async (world) => {
    const { user } = await newPerson(world)
    const all = Uint8Array.from({ length: 256 }, (_, i) => i)
    const view = new Uint8Array(bytes(64).buffer, 16, 32)
    for (const publicKey of [all, new Uint8Array(0), view]) {
      const { id } = await storeCredential(world, newCredential(user.id, { publicKey }))
      const found = await world.ports.credentials.find(id)
      expect(found?.publicKey.constructor).toBe(Uint8Array)
      expect(found?.publicKey).toEqual(new Uint8Array(publicKey))
      await world.store.db.delete(credentials).where(eq(credentials.id, id))
    }
  },

  'blobs out of a batch are Uint8Array too, each with a buffer of its own': async (world) => {
    const { claim, credential } = await newPerson(world)
    const [found] = (await world.ports.sessions.account(claim, now))?.credentials ?? []
    expect(found?.publicKey.constructor).toBe(Uint8Array)
    expect(found?.publicKey).toEqual(credential.publicKey)
    expect(found?.publicKey.buffer.byteLength).toBe(credential.publicKey.length)
  },

  'a session secret that is a view of a larger buffer opens its session': async (world) => {
    const { credential } = await newPerson(world)
    const session = { ...newSession(), secretHash: new Uint8Array(bytes(64).buffer, 8, 32) }
    await world.ports.sessions.open(loginOf(credential, { session }))
    expect(await world.ports.sessions.find(claimOf(session), now)).toBeDefined()
    expect(await world.ports.sessions.account(claimOf(session), now)).toBeDefined()
  },

  'booleans come back as booleans, and match in guards as they were written': async (world) => {
    const { user } = await newPerson(world)
    for (const flag of [true, false]) {
      const flags = { backupEligible: flag, backedUp: !flag, mayVouch: flag, isRoot: flag }
      const { id } = await storeCredential(world, newCredential(user.id, flags))
      expect(await world.ports.credentials.find(id)).toMatchObject(flags)
    }
  },

  'booleans that a prepared statement fills in are 0 and 1 in the table': async (world) => {
    const person = await newPerson(world)
    const flags = { backupEligible: true, backedUp: false, mayVouch: true, isRoot: false }
    const add = addingOf(person, {
      tapped: tapOf(person.credential, { backedUp: true }),
      credential: newCredential(person.user.id, flags),
    })
    await world.ports.credentials.add(add)
    expect(await world.ports.credentials.find(add.credential.id)).toMatchObject(flags)
    expect((await world.ports.credentials.find(person.credential.id))?.backedUp).toBe(true)
    const kept = await world.store.db.$count(credentials, eq(credentials.backedUp, true))
    expect(kept).toBe(1)
  },

  'the counter takes every value of 32 bits, and no step back at the end': async (world) => {
    const { credential } = await newPerson(world, { counter: 2 ** 31 - 1 })
    for (const counter of [2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1]) {
      await world.ports.sessions.open(loginOf(credential, { tapped: tapOf(credential, { counter }) }))
    }
    for (const counter of [2 ** 32 - 1, 1, 0]) {
      const login = loginOf(credential, { tapped: tapOf(credential, { counter }) })
      await expectRefused(world, 'counter_regressed', () => world.ports.sessions.open(login))
    }
  },

  'names in any script come back code unit by code unit, and are compared as they are': async (world) => {
    const person = await newPerson(world)
    const names = ['Zoë’s Schlüssel', '鍵 一', 'مفتاح', 'e\u0301', 'é', '🗝️🔑', "o'; drop table users --", 'İstanbul']
    for (const name of names) {
      const { id } = await storeCredential(world, newCredential(person.user.id, { name }))
      expect((await world.ports.credentials.find(id))?.name).toBe(name)
    }
  },

  'a user’s name may be in any script': async (world) => {
    const user = newUser('Łukasz 漢字')
    const link = { hash: 'hash', expiresAt: now + 1 }
    await world.ports.administrator.offer(link, newEvent('administrator.offer'))
    const session = newSession()
    await world.ports.administrator.claim({
      ...loginOf(newCredential(user.id)),
      link: link.hash,
      preference: undefined,
      user,
      credential: newCredential(user.id, { isRoot: true }),
      session,
    })
    expect(await world.ports.sessions.find(claimOf(session), now)).toStrictEqual(user)
  },

  'transports are a list, an empty one too': async (world) => {
    const { user } = await newPerson(world)
    for (const transports of [[], ['internal'], ['usb', 'nfc', 'ble', 'smart-card', 'hybrid', 'internal']]) {
      const { id } = await storeCredential(world, newCredential(user.id, { transports }))
      expect((await world.ports.credentials.find(id))?.transports).toStrictEqual(transports)
    }
  },

  'a vouch comes back as it was given, and a credential without one has NULL, not the text "null"': async (world) => {
    const person = await newPerson(world)
    const add = addingOf(person, { credential: newCredential(person.user.id, { vouch }) })
    await world.ports.credentials.add(add)
    const rows = await world.store.db.select({ id: credentials.id, vouch: credentials.vouch }).from(credentials)
    expect(rows.find(({ id }) => id === add.credential.id)?.vouch).toStrictEqual(vouch)
    expect(await world.store.db.$count(credentials, eq(credentials.id, person.credential.id))).toBe(1)
    expect(rows.find(({ id }) => id === person.credential.id)?.vouch).toBeNull()
  },

  'evidence comes back as it was given: text of any script, numbers, booleans, nested': async (world) => {
    const evidence: Evidence = { tap: vouch.tap, vouch }
    expect((await recorded(world, { evidence }))?.evidence).toStrictEqual(evidence)
  },

  'evidence of a key that sent no user handle has no such member': async (world) => {
    const assertion = { id: 'c', response: { ...response, userHandle: undefined } }
    const row = await recorded(world, { evidence: { tap: { intent, assertion } } })
    expect(row?.evidence).toStrictEqual({ tap: { intent, assertion: { id: 'c', response } } })
  },

  'the detail of a refusal keeps its types': async (world) => {
    const detail = { why: 'ünï "code"', counter: 4_294_967_295, ratio: 0.5, isRoot: false }
    expect((await recorded(world, { detail }))?.detail).toStrictEqual(detail)
  },

  'undefined is NULL, and empty text is empty text': async (world) => {
    const from = { address: '', place: '', browser: '' }
    const row = await recorded(world, { asking: { requestId: 'r', from }, userId: undefined, detail: undefined })
    expect(row).toMatchObject({ ...from, userId: null, detail: null, code: null })
  },

  'instants are milliseconds as numbers, far ones too': async (world) => {
    const far = 8_640_000_000_000_000
    expect((await recorded(world, { at: far }))?.at).toBe(far)
  },

  'text that looks like a number stays text': async (world) => {
    const row = await recorded(world, {
      userId: '007' as UserId,
      credentialId: '1e3' as CredentialId,
      intentId: '0x10',
    })
    expect(row).toMatchObject({ userId: '007', credentialId: '1e3', intentId: '0x10' })
    const { user } = await newPerson(world)
    const { id } = await storeCredential(world, newCredential(user.id, { fingerprint: '42' as Fingerprint }))
    expect((await world.ports.credentials.find(id))?.fingerprint).toBe('42')
  },
}
