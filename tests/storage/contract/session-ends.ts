/** options.max_session_ttl of the roles that a user holds: when what is opened for him ends. */
import { expect } from 'vitest'
import { hours, type Instant, minutes } from '../../../core/model.ts'
import { acceptingOf, giveRoles, newInvited, roleOf, storeDocuments } from './editors.ts'
import { issuingOf, redeemingOf, storeCode, twelveHours } from './programs.ts'
import { addingOf, type Cases, claimOf, ends, loginOf, newPerson, now, type Person, type World } from './world.ts'

/** A person with these roles, of which those with a ttl say one. */
async function holding(world: World, ttls: Readonly<Record<string, string | undefined>>): Promise<Person> {
  const person = await newPerson(world)
  const written = Object.entries(ttls).map(([name, ttl]) =>
    roleOf(name, ttl === undefined ? {} : { max_session_ttl: ttl }),
  )
  if (written.length > 0) await storeDocuments(world, ...written)
  await giveRoles(world, person, ...Object.keys(ttls), 'access')
  return person
}

const openedEnd = async ({ ports }: World, { credential }: Person): Promise<Instant> =>
  (await ports.sessions.open(loginOf(credential))).expiresAt

async function redeemedEnd(world: World, { credential }: Person, authenticatedAt = now): Promise<Instant> {
  const code = await storeCode(world, credential, { authenticatedAt })
  return (await world.ports.codes.redeem(redeemingOf(code))).session.expiresAt
}

export const sessionEnds: Cases = {
  'the shortest role wins, for a browser’s session and a program’s': async (world) => {
    const person = await holding(world, { long: '11h', short: '1h30m', middle: '8h', silent: undefined })
    expect(await openedEnd(world, person)).toBe(now + minutes(90))
    expect(await redeemedEnd(world, person)).toBe(now + minutes(90))
  },

  'a role without max_session_ttl, a preset and no role change nothing': async (world) => {
    await storeDocuments(world, roleOf('of-nobody', { max_session_ttl: '1m' }))
    for (const person of [
      await holding(world, { silent: undefined }),
      await holding(world, {}),
      await newPerson(world),
    ]) {
      expect(await openedEnd(world, person)).toBe(ends)
      expect(await redeemedEnd(world, person)).toBe(now + twelveHours)
    }
  },

  'a role lengthens nothing': async (world) => {
    const person = await holding(world, { long: '30h' })
    expect(await openedEnd(world, person)).toBe(ends)
    expect(await redeemedEnd(world, person)).toBe(now + twelveHours)
  },

  'a program’s time counts from the tap, not from the exchange': async (world) => {
    const person = await holding(world, { short: '1h' })
    expect(await redeemedEnd(world, person, now - minutes(1))).toBe(now + minutes(59))
  },

  'an exchanged session ends when the one before it would have, by a tap for a passkey and for a program': async (
    world,
  ) => {
    const person = await holding(world, { short: '1h' })
    const login = loginOf(person.credential)
    await world.ports.sessions.open(login)
    const adding = addingOf(person, { claim: claimOf(login.session) })
    expect(await world.ports.credentials.add(adding)).toEqual({ expiresAt: now + hours(1) })
    const issuing = issuingOf(person, { claim: claimOf(adding.session) })
    expect(await world.ports.codes.issue(issuing)).toEqual({ expiresAt: now + hours(1) })
    expect(await world.ports.sessions.find(claimOf(issuing.session), now + hours(1) - 1)).toEqual(person.user)
    expect(await world.ports.sessions.find(claimOf(issuing.session), now + hours(1))).toBeUndefined()
  },

  'a role that says less later shortens what is opened from then on': async (world) => {
    const person = await newPerson(world)
    expect(await openedEnd(world, person)).toBe(ends)
    await storeDocuments(world, roleOf('short', { max_session_ttl: '5m' }))
    await giveRoles(world, person, 'short')
    expect(await openedEnd(world, person)).toBe(now + minutes(5))
    expect(await world.ports.sessions.find(person.claim, now + minutes(6))).toEqual(person.user)
  },

  'the first session of somebody invited follows his roles too': async (world) => {
    await storeDocuments(world, roleOf('short', { max_session_ttl: '20m' }))
    const invited = await newInvited(world, { roles: ['access', 'short'] })
    expect(await world.ports.users.accept(acceptingOf(invited))).toEqual({ expiresAt: now + minutes(20) })
  },
}
