/** factors.attempt, passkeysOf, find and open: a login by password. */
import { expect } from 'vitest'
import { hours, minutes, type TotpId } from '../../../core/model.ts'
import { audit, passwordAttempts, sessions, totps } from '../../../storage/schema.ts'
import { changes, expectRefused, race } from './changes.ts'
import {
  attemptOf,
  counted,
  firstStep,
  newEquipped,
  openingOf,
  otpOf,
  passkeyOf,
  recoveryOf,
  storeTotp,
} from './factor-world.ts'
import { staleClaims } from './reading.ts'
import {
  type Cases,
  claimOf,
  ends,
  from,
  newCredential,
  newPerson,
  newSpend,
  now,
  storeCredential,
  tapOf,
  unique,
} from './world.ts'

export const factorLogins: Cases = {
  'factors.find and sessions.account answer the user with passkeys, password, apps and the number of unused codes, and nobody else’s':
    async (world) => {
      await newEquipped(world)
      const person = await newEquipped(world)
      await storeCredential(world, newCredential(person.user.id), { removedAt: now })
      const found = await world.ports.factors.find(person.claim, now)
      expect(found).toMatchObject({ user: person.user, password: person.password, recoveryCodes: 1 })
      expect(found?.credentials.map(({ id }) => id)).toEqual([person.credential.id])
      expect(found?.totps.map(({ id }) => id)).toEqual([person.totp])
      expect(await world.ports.sessions.account(person.claim, now)).toMatchObject({ ...found })
      const plain = await newPerson(world)
      const nothing = { password: undefined, totps: [], recoveryCodes: 0 }
      expect(await world.ports.factors.find(plain.claim, now)).toMatchObject(nothing)
    },

  'factors.find answers undefined for a stale claim': async (world) => {
    const person = await newEquipped(world)
    for (const [what, claim] of Object.entries(await staleClaims(world, person)))
      expect(await world.ports.factors.find(claim, now), what).toBeUndefined()
  },

  'factors.passkeysOf answers the live passkeys of who bears the name, and none of a removed user': async (world) => {
    const { user, credential } = await newPerson(world)
    await storeCredential(world, newCredential(user.id), { removedAt: now })
    const nameKey = user.name.toLowerCase()
    const ids = async () => (await world.ports.factors.passkeysOf(nameKey)).map(({ id }) => id)
    expect(await ids()).toEqual([credential.id])
    expect(await world.ports.factors.passkeysOf('nobody')).toEqual([])
    await world.store.db.update((await import('../../../storage/schema.ts')).users).set({ removedAt: now })
    expect(await ids()).toEqual([])
  },

  'factors.attempt answers the one with this name, and counts for a name that nobody has just the same': async (
    world,
  ) => {
    const person = await newEquipped(world)
    const known = await world.ports.factors.attempt(attemptOf(person.user.name))
    expect(known).toMatchObject({ isLocked: false, person: { user: person.user, password: person.password } })
    expect(await world.ports.factors.attempt(attemptOf('nobody'))).toEqual({ isLocked: false, person: undefined })
    const rows = await world.store.db.select().from(passwordAttempts)
    expect(rows).toHaveLength(2)
    for (const row of rows) expect(row).toMatchObject({ failures: 1, forgottenAt: now + minutes(30) })
  },

  'factors.attempt looks at five, and locks from the fifth for its window, which more attempts do not prolong': async (
    world,
  ) => {
    const at = (minute: number) => world.ports.factors.attempt(attemptOf('ada', { at: now + minutes(minute) }))
    for (const minute of [0, 1, 2, 3, 29]) expect((await at(minute)).isLocked, `${minute}`).toBe(false)
    for (const minute of [29, 31, 58]) expect((await at(minute)).isLocked, `${minute}`).toBe(true)
    expect((await at(59)).isLocked).toBe(false)
    expect(await world.store.db.select().from(passwordAttempts)).toMatchObject([{ failures: 1 }])
  },

  'factors.attempt forgets failures that are a window old, and not sooner': async (world) => {
    const at = (ms: number) => world.ports.factors.attempt(attemptOf('ada', { at: now + ms }))
    for (let i = 0; i < 4; i++) await at(0)
    expect((await at(minutes(30))).isLocked).toBe(false)
    expect(await world.store.db.select().from(passwordAttempts)).toMatchObject([{ failures: 1 }])
    for (let i = 0; i < 4; i++) await at(minutes(60) - 1)
    expect((await at(minutes(60) - 1)).isLocked).toBe(true)
  },

  'factors.attempt, 50 at once: five are looked at': async (world) => {
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => world.ports.factors.attempt(attemptOf('ada'))))
    expect(outcomes.filter(({ isLocked }) => !isLocked)).toHaveLength(5)
  },

  'factors.open with a code spends, moves its step, forgets the failures, opens the session, and nothing else': async (
    world,
  ) => {
    const person = await newEquipped(world)
    await world.ports.factors.attempt(attemptOf(person.user.name))
    await world.ports.factors.attempt(attemptOf('another'))
    const login = openingOf(person, otpOf(person))
    const { id, secretHash } = login.session
    expect(await changes(world.store, () => world.ports.factors.open(login))).toEqual({
      [`+spent ${login.spend.id}`]: login.spend,
      [`~totps ${person.totp}`]: { lastStep: firstStep + 1, lastUsedAt: now },
      [`-passwordAttempts ${person.user.name}`]: expect.anything(),
      [`+sessions ${id}`]: {
        ...{ id, secretHash, userId: person.user.id, via: 'password+otp', credentialId: null, totpId: person.totp },
        ...{ openedAt: now, lastSeenAt: now, expiresAt: ends, endedAt: null, ...from },
      },
      '+audit login done': expect.objectContaining({ userId: person.user.id }),
    })
    expect(await world.ports.sessions.find(claimOf(login.session), now)).toEqual(person.user)
  },

  'factors.open with a passkey moves its counter; with a recovery code uses it up; with neither says so': async (
    world,
  ) => {
    const person = await newEquipped(world)
    const tapped = { kind: 'passkey', tapped: tapOf(person.credential, { counter: 9 }) } as const
    expect(await changes(world.store, () => world.ports.factors.open(openingOf(person, tapped)))).toMatchObject({
      [`~credentials ${person.credential.id}`]: { counter: 9, lastUsedAt: now },
    })
    const recovery = openingOf(person, recoveryOf(person))
    expect(await changes(world.store, () => world.ports.factors.open(recovery))).toMatchObject({
      [`~recoveryCodes ${person.code}`]: { usedAt: now },
    })
    await world.ports.factors.open(openingOf(person, { kind: 'none', was: counted(1, 1) }))
    const vias = (await world.store.db.select().from(sessions)).map(({ via }) => via)
    expect(vias.sort()).toEqual(['passkey', 'password', 'password+passkey', 'password+recovery'])
  },

  'factors.open puts the newer hash in the place of the old one, and the password stays the same one': async (
    world,
  ) => {
    const person = await newEquipped(world)
    await world.ports.factors.open(openingOf(person, passkeyOf(person), { rehashed: 'newer' }))
    const found = await world.ports.factors.find(person.claim, now)
    expect(found?.password).toEqual({ ...person.password, hash: 'newer' })
    await world.ports.factors.open(openingOf(person, passkeyOf(person)))
  },

  'factors.open refuses what is not there, was used, or is another’s, and takes nothing': async (world) => {
    const [person, other] = [await newEquipped(world), await newEquipped(world)]
    const { open } = world.ports.factors
    const spend = newSpend()
    await open(openingOf(person, otpOf(person), { spend }))
    const refused = [
      ['ticket_spent', openingOf(person, passkeyOf(person), { spend })],
      ['password_changed', openingOf(person, passkeyOf(person), { password: { ...person.password, id: unique() } })],
      ['password_changed', openingOf(person, passkeyOf(person), { password: other.password })],
      ['code_spent', openingOf(person, otpOf(person))],
      ['code_spent', openingOf(person, otpOf(person, firstStep))],
      ['code_spent', openingOf(person, otpOf(other))],
      ['code_spent', openingOf(person, { kind: 'otp', id: 'none' as TotpId, step: 999 })],
      ['recovery_wrong', openingOf(person, recoveryOf(other))],
      ['recovery_wrong', openingOf(person, { kind: 'recovery', hash: 'none' })],
      [
        'credential_changed',
        openingOf(person, { kind: 'passkey', tapped: { ...tapOf(other.credential), userId: person.user.id } }),
      ],
      ['factors_changed', openingOf(person, { kind: 'none', was: counted(0, 1) })],
      ['factors_changed', openingOf(person, { kind: 'none', was: counted(1, 0) })],
    ] as const
    for (const [code, login] of refused) await expectRefused(world, code, () => open(login))
  },

  'factors.open, 50 logins with one code: one session': async (world) => {
    const person = await newEquipped(world)
    const outcome = await race(50, () => world.ports.factors.open(openingOf(person, otpOf(person))))
    expect(outcome).toEqual({ done: 1, code_spent: 49 })
    expect(await world.store.db.$count(sessions)).toBe(2)
    expect(await world.store.db.$count(audit)).toBe(1)
  },

  'factors.open, 50 logins with 50 steps in any order: the newest is used, and none of before it afterwards': async (
    world,
  ) => {
    const person = await newEquipped(world)
    await race(50, (way) =>
      world.ports.factors.open(openingOf(person, otpOf(person, firstStep + 1 + ((way * 7) % 50)))),
    )
    expect(await world.store.db.select().from(totps)).toMatchObject([{ lastStep: firstStep + 50 }])
  },

  'factors.open: a code of one app uses up nothing of another': async (world) => {
    const person = await newEquipped(world)
    const other = await storeTotp(world, person)
    const { open } = world.ports.factors
    await open(openingOf(person, otpOf(person)))
    await open(openingOf(person, { kind: 'otp', id: other, step: firstStep + 1 }))
  },

  'factors.open, 50 logins with one recovery code: one session': async (world) => {
    const person = await newEquipped(world)
    const outcome = await race(50, () => world.ports.factors.open(openingOf(person, recoveryOf(person))))
    expect(outcome).toEqual({ done: 1, recovery_wrong: 49 })
  },

  'factors.open ends where a role says so': async (world) => {
    const person = await newEquipped(world)
    const { documents, userRoles } = await import('../../../storage/schema.ts')
    const row = { kind: 'role', name: 'short', document: {}, revision: 'r', updatedAt: now, updatedBy: person.user.id }
    await world.store.db.insert(documents).values({ ...row, maxSessionTtl: hours(1) })
    await world.store.db.insert(userRoles).values({ userId: person.user.id, role: 'short' })
    expect(await world.ports.factors.open(openingOf(person, otpOf(person)))).toEqual({ expiresAt: now + hours(1) })
  },
}
