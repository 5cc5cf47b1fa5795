/** Programs that password and code approve: codes.issue and redeem, deviceCodes.approve and redeem, and what ends those logins. */
import { eq } from 'drizzle-orm'
import { expect } from 'vitest'
import type { FactorEffect } from '../../../core/factor-ports.ts'
import type { ClientSessionEnd, TotpId } from '../../../core/model.ts'
import { clientSessions, codes, passwordAttempts, passwords, totps } from '../../../storage/schema.ts'
import { changes, expectRefused, race } from './changes.ts'
import { newHeadlessPerson, redeemingOf as redeemingDevice, storeDeviceCode } from './device-flows.ts'
import {
  attemptOf,
  changingOf,
  counted,
  type Equipped,
  firstStep,
  newEquipped,
  newWithoutPasskey,
  otpOf,
  provenOf,
  storeTotp,
} from './factor-world.ts'
import { newCode, redeemingOf, storeClientSession, twelveHours } from './programs.ts'
import { staleClaims } from './reading.ts'
import { type Cases, claimOf, ends, from, newPerson, now, storeSession, unique, type World } from './world.ts'

async function issued(world: World, person: Equipped) {
  const code = newCode()
  await world.ports.codes.issue({ ...provenOf(person), code })
  return code
}

async function approvedDevice(world: World) {
  const person = await newWithoutPasskey(world, await newHeadlessPerson(world))
  const code = await storeDeviceCode(world)
  await world.ports.deviceCodes.approve({ ...provenOf(person), hash: code.hash, intentId: unique() })
  return { person, code }
}

/** What takes away what approved, and why that ended. */
const takeAway: readonly (readonly [ClientSessionEnd, (person: Equipped) => FactorEffect])[] = [
  ['app_removed', ({ totp }) => ({ kind: 'remove totp', id: totp })],
  ['password_changed', () => ({ kind: 'set password', id: unique(), hash: unique() })],
  ['password_changed', ({ password }) => ({ kind: 'remove password', id: password.id })],
]

/** A second app, so that the first can go; the change is proven by the second. */
async function takingAway(world: World, person: Equipped, effect: FactorEffect) {
  const id = await storeTotp(world, person)
  const claim = claimOf(await storeSession(world, person.credential))
  const proof = { kind: 'password', password: person.password, factor: otpOf({ ...person, totp: id }) } as const
  return world.ports.factors.change(changingOf(person, effect, { proof, claim, was: counted(0, 2) }))
}

export const codeApprovals: Cases = {
  'codes.issue by password and code moves the step, forgets failures, exchanges the session, stores who approved, and nothing else':
    async (world) => {
      await newEquipped(world)
      const person = await newWithoutPasskey(world)
      await world.ports.factors.attempt(attemptOf(person.user.name))
      const [code, proven] = [newCode(), provenOf(person)]
      const done = await changes(world.store, async () =>
        expect(await world.ports.codes.issue({ ...proven, code })).toStrictEqual({ expiresAt: ends }),
      )
      const { id: userId } = person.user
      expect(done).toEqual({
        [`+spent ${proven.spend.id}`]: proven.spend,
        [`~totps ${person.totp}`]: { lastStep: firstStep + 1, lastUsedAt: now },
        [`-passwordAttempts ${person.user.name}`]: expect.anything(),
        [`~sessions ${person.session.id}`]: { endedAt: now },
        [`+sessions ${proven.session.id}`]: expect.objectContaining({
          ...{ userId, via: 'password+otp', credentialId: null, expiresAt: ends, endedAt: null },
        }),
        [`+codes ${code.hash}`]: {
          ...{ ...code, userId, credentialId: null, totpId: person.totp, passwordId: person.password.id, usedAt: null },
        },
        '+audit client.approve done': expect.objectContaining({ userId }),
      })
      expect(await world.store.db.$count(passwordAttempts)).toBe(0)
    },

  'codes.issue by password and code refuses a used step, another password, factors or preference than were judged, a stale session, a spent id':
    async (world) => {
      const person = await newWithoutPasskey(world)
      const refused = (code: Parameters<typeof expectRefused>[1], more: object, step?: number) =>
        expectRefused(world, code, () =>
          world.ports.codes.issue({ ...provenOf(person, step), ...more, code: newCode() }),
        )
      await refused('code_spent', {}, firstStep)
      const proof = { kind: 'password', password: { ...person.password, id: unique() }, factor: otpOf(person) }
      await refused('password_changed', { proof })
      await refused('factors_changed', { was: counted(1, 1) })
      await refused('factors_changed', { was: counted(0, 2) })
      await refused('preference_changed', { preference: unique() })
      const other = await newPerson(world)
      for (const claim of Object.values({ ...(await staleClaims(world, person)), other: other.claim }))
        await refused('session_missing', { claim })
      const first = provenOf(person)
      await world.ports.codes.issue({ ...first, code: newCode() })
      await refused('ticket_spent', { spend: first.spend, claim: claimOf(first.session) }, firstStep + 2)
    },

  'codes.issue, one code for 50 programs at once: one is approved': async (world) => {
    const person = await newWithoutPasskey(world)
    const claims = await Promise.all(Array.from({ length: 50 }, () => storeSession(world, person.credential)))
    const outcome = await race(50, (i) =>
      world.ports.codes.issue({ ...provenOf(person), claim: claimOf(claims[i]!), code: newCode() }),
    )
    expect(outcome).toEqual({ done: 1, code_spent: 49 })
  },

  'codes.redeem opens a login that no tap approved, and says so': async (world) => {
    const person = await newWithoutPasskey(world)
    const code = await issued(world, person)
    const { session } = await world.ports.codes.redeem(redeemingOf(code))
    expect(session).toMatchObject({ tapped: false, via: 'browser', expiresAt: now + twelveHours })
    expect(await world.store.db.select().from(clientSessions)).toEqual([
      expect.objectContaining({ userId: person.user.id, credentialId: null, totpId: person.totp, ...from }),
    ])
    const account = await world.ports.sessions.account(claimOf(await storeSession(world, person.credential)), now)
    expect(account?.clientSessions).toEqual([expect.objectContaining({ id: session.id, tapped: false })])
  },

  'deviceCodes.approve and redeem by password and code: the login is of no tap, and a code is used once': async (
    world,
  ) => {
    const { person, code } = await approvedDevice(world)
    const again = await storeDeviceCode(world)
    const claim = claimOf(await storeSession(world, person.credential))
    await expectRefused(world, 'code_spent', () =>
      world.ports.deviceCodes.approve({ ...provenOf(person), claim, hash: again.hash, intentId: unique() }),
    )
    await expectRefused(world, 'device_code_answered', () => {
      const proven = provenOf(person, firstStep + 2, { claim })
      return world.ports.deviceCodes.approve({ ...proven, hash: code.hash, intentId: unique() })
    })
    const { session } = await world.ports.deviceCodes.redeem(redeemingDevice(code))
    expect(session).toMatchObject({ tapped: false, via: 'device_flow' })
    const rows = await world.store.db.select().from(clientSessions).where(eq(clientSessions.id, session.id))
    expect(rows).toEqual([expect.objectContaining({ credentialId: null, totpId: person.totp })])
  },

  'deviceCodes.approve by password and code still wants the role': async (world) => {
    const person = await newWithoutPasskey(world)
    const code = await storeDeviceCode(world)
    await expectRefused(world, 'device_flow_off', () =>
      world.ports.deviceCodes.approve({ ...provenOf(person), hash: code.hash, intentId: unique() }),
    )
  },

  'codes.redeem and deviceCodes.redeem refuse what an app approved that is gone, or a password that is another': async (
    world,
  ) => {
    const person = await newWithoutPasskey(world)
    const code = await issued(world, person)
    const device = await approvedDevice(world)
    const redeems = [
      () => world.ports.codes.redeem(redeemingOf(code)),
      () => world.ports.deviceCodes.redeem(redeemingDevice(device.code)),
    ]
    const { db } = world.store
    for (const redeem of redeems) {
      const apps = await db.select().from(totps)
      await db.delete(totps)
      await expectRefused(world, 'credential_changed', redeem)
      await db.insert(totps).values(apps)
      const words = await db.select().from(passwords)
      await db.update(passwords).set({ id: unique() })
      await expectRefused(world, 'credential_changed', redeem)
      await db.delete(passwords)
      await db.insert(passwords).values(words)
      await redeem()
    }
  },

  'an app or a password of somebody else redeems nothing': async (world) => {
    const [person, other] = [await newWithoutPasskey(world), await newEquipped(world)]
    const strange = [
      { totpId: other.totp, passwordId: person.password.id },
      { totpId: person.totp, passwordId: other.password.id },
      { totpId: null, passwordId: null },
    ]
    for (const approver of strange) {
      const code = await issued(world, await newWithoutPasskey(world))
      await world.store.db
        .update(codes)
        .set({ userId: person.user.id, ...approver })
        .where(eq(codes.hash, code.hash))
      await expectRefused(world, 'credential_changed', () => world.ports.codes.redeem(redeemingOf(code)))
    }
  },

  'factors.change that removes the app, or sets another password, ends the programs that they approved, and no other':
    async (world) => {
      for (const [reason, effectOf] of takeAway) {
        const [person, other] = [await newWithoutPasskey(world), await newWithoutPasskey(world)]
        const redeemed = async (who: Equipped) => {
          const { session } = await world.ports.codes.redeem(redeemingOf(await issued(world, who)))
          return session.id
        }
        const [ended, running] = [await redeemed(person), await redeemed(other)]
        await takingAway(world, person, effectOf(person))
        const rows = await world.store.db.select().from(clientSessions)
        const endOf = (id: string) => rows.find((row) => row.id === id)?.endReason
        expect([endOf(ended), endOf(running)]).toEqual([reason, null])
      }
    },

  'factors.change that removes an app leaves alone what another app or a passkey approved': async (world) => {
    const person = await newWithoutPasskey(world)
    const { session } = await world.ports.codes.redeem(redeemingOf(await issued(world, person)))
    const spare: TotpId = await storeTotp(world, person)
    const claim = claimOf(await storeSession(world, person.credential))
    const proof = { kind: 'password', password: person.password, factor: otpOf(person, firstStep + 2) } as const
    const removing = { kind: 'remove totp', id: spare } as const
    const change = changingOf(person, removing, { proof, claim, was: counted(0, 2) })
    await world.ports.factors.change(change)
    const [row] = await world.store.db.select().from(clientSessions)
    expect(row).toMatchObject({ id: session.id, endedAt: null })
  },

  'factors.change of the password ends no program that a passkey approved': async (world) => {
    const person = await newEquipped(world)
    const program = await storeClientSession(world, person.credential)
    const setting = { kind: 'set password', id: unique(), hash: unique() } as const
    await world.ports.factors.change(changingOf(person, setting))
    expect(await world.store.db.select().from(clientSessions)).toEqual([{ ...program, endedAt: null }])
  },
}
