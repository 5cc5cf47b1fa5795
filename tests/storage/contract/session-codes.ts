/** Sessions by a code: grants.approveByCode, and the grant that asks for it. */
import { eq } from 'drizzle-orm'
import { expect } from 'vitest'
import type { Coded, Grants } from '../../../core/proxy-ports.ts'
import { credentials, totps } from '../../../storage/schema.ts'
import { changes, expectRefused, race } from './changes.ts'
import { attemptOf, type Equipped, firstStep, newWithoutPasskey, otpOf } from './factor-world.ts'
import { storeClientSession } from './programs.ts'
import { staleClaims } from './reading.ts'
import { type Cases, claimOf, newEvent, newPerson, newSpend, now, storeSession, unique, type World } from './world.ts'

type Approving = Parameters<Grants['approveByCode']>[0]

function approvingOf(person: Equipped, step?: number): Approving {
  const { user, claim } = person
  const event = newEvent('session.approve', { userId: user.id })
  return {
    spend: newSpend(),
    userId: user.id,
    name: user.name,
    factor: otpOf(person, step),
    preference: undefined,
    claim,
    event,
  }
}

/** Somebody whose app let a program in, and gave a code for one of its sessions. */
async function approved(world: World) {
  const person = await newWithoutPasskey(world)
  const program = await storeClientSession(world, person.credential, { credentialId: null, totpId: person.totp })
  const approving = approvingOf(person)
  await world.ports.grants.approveByCode(approving)
  const coded: Coded = { given: approving.spend.id, app: person.totp, preference: undefined }
  const proxy = { id: unique(), name: unique(), x: 'x', registeredAt: now }
  await world.ports.proxies.add(proxy, newEvent('proxy.add'))
  const issue = async (more: Partial<Coded> = {}, spend = newSpend()) => {
    const { sequence } = await world.ports.policies.newest()
    const by = { clientSessionId: program.id, sequence, proxy: proxy.id }
    return world.ports.grants.issue({
      ...{ spend, tapped: undefined, coded: { ...coded, ...more }, ...by },
      events: [
        newEvent('session.grant', { userId: person.user.id }),
        newEvent('session.grant', { userId: person.user.id }),
      ],
    })
  }
  return { person, issue }
}

export const sessionCodes: Cases = {
  'grants.approveByCode moves the step, forgets failures, writes down that the code was given, and nothing else':
    async (world) => {
      const person = await newWithoutPasskey(world)
      await world.ports.factors.attempt(attemptOf(person.user.name))
      const approving = approvingOf(person)
      const done = await changes(world.store, () => world.ports.grants.approveByCode(approving))
      expect(done).toEqual({
        [`+spent ${approving.spend.id}`]: approving.spend,
        [`~totps ${person.totp}`]: { lastStep: firstStep + 1, lastUsedAt: now },
        [`-passwordAttempts ${person.user.name}`]: expect.anything(),
        '+audit session.approve done': expect.objectContaining({ userId: person.user.id }),
      })
    },

  'grants.approveByCode refuses a used step, another preference, a stale session, a spent id, and who has a passkey':
    async (world) => {
      const person = await newWithoutPasskey(world)
      const refused = (code: Parameters<typeof expectRefused>[1], more: Partial<Approving>, step?: number) =>
        expectRefused(world, code, () => world.ports.grants.approveByCode({ ...approvingOf(person, step), ...more }))
      await refused('code_spent', {}, firstStep)
      await refused('preference_changed', { preference: unique() })
      const other = await newPerson(world)
      for (const claim of Object.values({ ...(await staleClaims(world, person)), other: other.claim }))
        await refused('session_missing', { claim })
      const first = approvingOf(person)
      await world.ports.grants.approveByCode(first)
      await refused('ticket_spent', { spend: first.spend }, firstStep + 2)
      await world.store.db.update(credentials).set({ removedAt: null }).where(eq(credentials.userId, person.user.id))
      await refused('factors_changed', {}, firstStep + 2)
    },

  'grants.approveByCode, one code for 50 sessions at once: one is approved': async (world) => {
    const person = await newWithoutPasskey(world)
    const claims = await Promise.all(Array.from({ length: 50 }, () => storeSession(world, person.credential)))
    const outcome = await race(50, (i) =>
      world.ports.grants.approveByCode({ ...approvingOf(person), claim: claimOf(claims[i]!) }),
    )
    expect(outcome).toEqual({ done: 1, code_spent: 49 })
  },

  'grants.issue by a code writes a row for each resource, and happens once for an intent, raced 50 ways': async (
    world,
  ) => {
    const { issue } = await approved(world)
    const spend = newSpend()
    const done = await changes(world.store, async () =>
      expect(await race(50, () => issue({}, spend))).toEqual({ done: 1, ticket_spent: 49 }),
    )
    expect(Object.keys(done).filter((key) => key.startsWith('+audit session.grant'))).not.toHaveLength(0)
    expect(done).toHaveProperty([`+spent ${spend.id}`])
  },

  'grants.issue refuses a code that was not given, of another app, of one that is gone, and of who has a passkey':
    async (world) => {
      const { person, issue } = await approved(world)
      await expectRefused(world, 'code_ungiven', () => issue({ given: unique() }))
      const other = await newWithoutPasskey(world)
      await expectRefused(world, 'code_ungiven', () => issue({ app: other.totp }))
      await expectRefused(world, 'preference_changed', () => issue({ preference: unique() }))
      await world.store.db.update(credentials).set({ removedAt: null }).where(eq(credentials.userId, person.user.id))
      await expectRefused(world, 'factors_changed', () => issue())
      await world.store.db.update(credentials).set({ removedAt: now }).where(eq(credentials.userId, person.user.id))
      await issue()
      await world.store.db.delete(totps).where(eq(totps.id, person.totp))
      await expectRefused(world, 'code_ungiven', () => issue())
    },
}
