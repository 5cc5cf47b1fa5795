/** factors.change: what somebody signs in with. */
import { expect } from 'vitest'
import type { FactorEffect } from '../../../core/factor-ports.ts'
import type { SessionVia, TotpId } from '../../../core/model.ts'
import { sessionRow } from '../../../storage/rows.ts'
import { passwords, recoveryCodes, sessions, totps } from '../../../storage/schema.ts'
import { changes, expectRefused, race } from './changes.ts'
import { lockOut, newEditor } from './editors.ts'
import { attemptOf, changingOf, type Equipped, newEquipped, openingOf, otpOf, storeTotp } from './factor-world.ts'
import { staleClaims } from './reading.ts'
import { linkFor, recoveringOf } from './recovering.ts'
import { resettingOf } from './resetting.ts'
import {
  bytes,
  type Cases,
  claimOf,
  ends,
  newEvent,
  newPerson,
  newSession,
  now,
  storeSession,
  unique,
  type World,
} from './world.ts'

const setting = (): FactorEffect => ({ kind: 'set password', id: unique(), hash: unique() })
const adding = (name = `App ${unique(6)}`) =>
  ({ kind: 'add totp', id: unique() as TotpId, name, sealed: bytes(48), step: 7 }) as const

/** One session of each kind beside the claimed one, and which of them run after `work`. */
async function runningAfter(world: World, person: Equipped, work: () => Promise<unknown>): Promise<SessionVia[]> {
  const { store, ports } = world
  const vias: SessionVia[] = ['passkey', 'password', 'password+passkey', 'password+otp', 'password+recovery']
  const opened = vias.map((via) => ({ via, session: newSession() }))
  for (const { via, session } of opened) {
    const row = sessionRow(session, { userId: person.user.id, via, credentialId: null, expiresAt: ends })
    await store.db.insert(sessions).values(row)
  }
  await work()
  const found = await Promise.all(opened.map(({ session }) => ports.sessions.find(claimOf(session), now)))
  return vias.filter((_, i) => found[i])
}

export const factorChanges: Cases = {
  'factors.change sets a password by a tap: it spends, moves the counter, exchanges the session, and nothing else':
    async (world) => {
      const person = await newEquipped(world)
      const effect = { kind: 'set password', id: unique(), hash: 'new hash' } as const
      const change = changingOf(person, effect)
      const done = await changes(world.store, async () =>
        expect(await world.ports.factors.change(change)).toEqual({ expiresAt: ends }),
      )
      expect(done).toEqual({
        [`+spent ${change.spend.id}`]: change.spend,
        [`~credentials ${person.credential.id}`]: { lastUsedAt: now },
        [`~sessions ${person.session.id}`]: { endedAt: now },
        [`+sessions ${change.session.id}`]: expect.objectContaining({
          via: 'passkey',
          credentialId: person.credential.id,
          expiresAt: ends,
        }),
        [`-passwords ${person.password.id}`]: expect.anything(),
        [`+passwords ${effect.id}`]: { userId: person.user.id, id: effect.id, hash: 'new hash', changedAt: now },
        '+audit password.set done': expect.objectContaining({ userId: person.user.id }),
      })
    },

  'factors.change by password and code moves the step, and its session rests on that': async (world) => {
    const person = await newEquipped(world)
    const proof = { kind: 'password', password: person.password, factor: otpOf(person) } as const
    const change = changingOf(person, setting(), { proof })
    await world.ports.factors.change(change)
    expect((await world.ports.sessions.account(claimOf(change.session), now))?.session).toMatchObject({
      via: 'password+otp',
      credentialId: undefined,
    })
    const again = changingOf(person, setting(), { proof, claim: claimOf(change.session) })
    await expectRefused(world, 'password_changed', () => world.ports.factors.change(again))
    const stored = await world.ports.factors.find(claimOf(change.session), now)
    const reused = { ...proof, password: stored!.password! }
    await expectRefused(world, 'code_spent', () => world.ports.factors.change({ ...again, proof: reused }))
  },

  'factors.change of the password ends the sessions that rest on one, and no other': async (world) => {
    const person = await newEquipped(world)
    const set = () => world.ports.factors.change(changingOf(person, setting()))
    expect(await runningAfter(world, person, set)).toEqual(['passkey'])
  },

  'factors.change removes the password that was approved, ends its sessions, and no other password': async (world) => {
    const person = await newEquipped(world)
    const wrong = changingOf(person, { kind: 'remove password', id: unique() })
    await expectRefused(world, 'not_found', () => world.ports.factors.change(wrong))
    const remove = () =>
      world.ports.factors.change(changingOf(person, { kind: 'remove password', id: person.password.id }))
    expect(await runningAfter(world, person, remove)).toEqual(['passkey'])
    expect(await world.store.db.$count(passwords)).toBe(0)
  },

  'factors.change adds an app whose first code is used already, and refuses a name that is there': async (world) => {
    const person = await newEquipped(world)
    const effect = adding('Phone')
    const change = changingOf(person, effect)
    expect(await changes(world.store, () => world.ports.factors.change(change))).toMatchObject({
      [`+totps ${effect.id}`]: {
        userId: person.user.id,
        name: 'Phone',
        lastStep: 7,
        sealed: effect.sealed,
        lastUsedAt: null,
      },
    })
    const again = changingOf(person, adding('Phone'), {
      claim: claimOf(change.session),
      was: { passkeys: 1, totps: 2 },
    })
    await expectRefused(world, 'name_taken', () => world.ports.factors.change(again))
    const other = await newEquipped(world)
    await world.ports.factors.change(changingOf(other, adding('Phone')))
  },

  'factors.change removes one app of the user, ends the sessions that rest on codes, and no other': async (world) => {
    const [person, other] = [await newEquipped(world), await newEquipped(world)]
    for (const id of [other.totp, 'none' as TotpId]) {
      const change = changingOf(person, { kind: 'remove totp', id })
      await expectRefused(world, 'not_found', () => world.ports.factors.change(change))
    }
    const kept = await storeTotp(world, person)
    const change = changingOf(person, { kind: 'remove totp', id: person.totp }, { was: { passkeys: 1, totps: 2 } })
    const running = await runningAfter(world, person, () => world.ports.factors.change(change))
    expect(running).toEqual(['passkey', 'password', 'password+passkey', 'password+recovery'])
    const left = (await world.store.db.select().from(totps)).map(({ id }) => id)
    expect(left.sort()).toEqual([kept, other.totp].sort())
  },

  'factors.change makes recovery codes in the place of all of before, and leaves others’ alone': async (world) => {
    const [person, other] = [await newEquipped(world), await newEquipped(world)]
    const hashes = Array.from({ length: 10 }, () => unique(32))
    await world.ports.factors.change(changingOf(person, { kind: 'make recovery codes', hashes }))
    const left = (await world.store.db.select().from(recoveryCodes)).map(({ hash }) => hash)
    expect(left.sort()).toEqual([...hashes, other.code].sort())
  },

  'factors.change refuses a stale session, a session of another, other factors than were read, a spent id': async (
    world,
  ) => {
    const [person, other] = [await newEquipped(world), await newPerson(world)]
    const { change } = world.ports.factors
    for (const claim of [...Object.values(await staleClaims(world, person)), other.claim])
      await expectRefused(world, 'session_missing', () => change(changingOf(person, setting(), { claim })))
    for (const was of [
      { passkeys: 0, totps: 1 },
      { passkeys: 1, totps: 0 },
      { passkeys: 2, totps: 1 },
    ])
      await expectRefused(world, 'factors_changed', () => change(changingOf(person, setting(), { was })))
    const first = changingOf(person, setting())
    await change(first)
    const replay = changingOf(person, setting(), { spend: first.spend, claim: claimOf(first.session) })
    await expectRefused(world, 'ticket_spent', () => change(replay))
  },

  'factors.open and change are stopped by a lock, and tell its words': async (world) => {
    const who = await newEquipped(world, await newEditor(world))
    await lockOut(world, who, { message: 'Ask the help desk' })
    const verbs = [
      () => world.ports.factors.open(openingOf(who, otpOf(who))),
      () => world.ports.factors.change(changingOf(who, setting())),
    ]
    for (const verb of verbs) {
      await expectRefused(world, 'user_locked', verb)
      await expect(verb()).rejects.toMatchObject({ told: 'This user is locked: Ask the help desk' })
    }
  },

  'users.remove, users.reset and administrator.recover take password, apps and recovery codes of the one who goes, and nobody else’s':
    async (world) => {
      const [editor, staying] = [await newEditor(world, { isRoot: true }), await newEquipped(world)]
      const { users, administrator, factors } = world.ports
      const leaving: Record<string, (who: Equipped) => Promise<unknown>> = {
        remove: ({ user }) => users.remove(editor.actor, user, newEvent('user.remove')),
        reset: (who) => users.reset(resettingOf(editor, who)),
        recover: async ({ user }) => {
          const link = linkFor(user.name)
          await administrator.offer(link, newEvent('recovery.offer'))
          await administrator.recover(recoveringOf(link.hash, { user, isNew: false }))
        },
      }
      for (const [verb, leave] of Object.entries(leaving)) {
        const who = await newEquipped(world)
        await leave(who)
        for (const table of [passwords, totps, recoveryCodes]) {
          const owners = (await world.store.db.select({ userId: table.userId }).from(table)).map(({ userId }) => userId)
          expect([verb, ...owners]).toEqual([verb, staying.user.id])
        }
        const { person } = await factors.attempt(attemptOf(who.user.name))
        expect([verb, person?.password, person?.totps ?? []]).toEqual([verb, undefined, []])
      }
    },

  'factors.change, two apps removing each other, 25 each way: one stays': async (world) => {
    const person = await newEquipped(world)
    const apps = [person.totp, await storeTotp(world, person)] as const
    const claims = await Promise.all(Array.from({ length: 50 }, () => storeSession(world, person.credential)))
    const outcome = await race(50, (way) => {
      const effect = { kind: 'remove totp', id: apps[way % 2 === 0 ? 0 : 1] } as const
      const more = { was: { passkeys: 1, totps: 2 }, claim: claimOf(claims[way]!) }
      return world.ports.factors.change(changingOf(person, effect, more))
    })
    expect(outcome).toEqual({ done: 1, factors_changed: 49 })
    expect(await world.store.db.$count(totps)).toBe(1)
  },
}
