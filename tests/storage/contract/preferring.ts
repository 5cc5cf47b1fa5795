/** The preference about logins: what was judged by another than the newest lets nobody in, and shortens what it says. */
import { expect } from 'vitest'
import { preferenceOf } from '../../../core/access/preference.ts'
import type { Json } from '../../../core/intent.ts'
import { hours, type Instant, minutes } from '../../../core/model.ts'
import { preferencesPort } from '../../../storage/preferences.ts'
import { expectRefused, race } from './changes.ts'
import {
  acceptingOf,
  changeTo,
  dbOf,
  documentOf,
  giveRoles,
  invitingOf,
  newEditor,
  newInvited,
  roleOf,
  standing,
  storeDocuments,
} from './editors.ts'
import { own, removingBy } from './owners-ends.ts'
import { issuingOf, redeemingOf, storeCode } from './programs.ts'
import { resettingOf } from './resetting.ts'
import {
  addingOf,
  type Cases,
  claimingOf,
  loginOf,
  newCredential,
  newEvent,
  newLink,
  newPerson,
  now,
  removingOf,
  storeCredential,
  tapOf,
  type World,
} from './world.ts'

const preferenceWith = (spec: Record<string, Json>) =>
  documentOf({ kind: 'cluster_auth_preference', version: 'v2', metadata: {}, spec })

const strict = preferenceWith({ allow_passwords: false })
const { revision } = changeTo(strict)

type Verb = (preference: string | undefined) => Promise<unknown>

/** Each verb that lets somebody in or takes a tap, of people who are there. */
async function verbsOf(world: World): Promise<Record<string, Verb>> {
  const { ports } = world
  const [person, invited, lost] = [await newEditor(world), await newInvited(world), await newPerson(world)]
  const { credential, user } = person
  const leaving = await storeCredential(world, newCredential(user.id))
  const link = newLink()
  await ports.administrator.offer(link, newEvent('administrator.offer'))
  const tapped = (preference: string | undefined) => ({ tapped: tapOf(credential, { preference }) })
  return {
    'sessions.open': (preference) => ports.sessions.open(loginOf(credential, tapped(preference))),
    'credentials.add': (preference) => ports.credentials.add(addingOf(person, tapped(preference))),
    'credentials.remove': (preference) => ports.credentials.remove(removingOf(person, leaving, tapped(preference))),
    'codes.issue': (preference) => ports.codes.issue(issuingOf(person, tapped(preference))),
    'users.invite': (preference) => ports.users.invite(invitingOf(person, tapped(preference))),
    'credentials.removeBy': (preference) =>
      ports.credentials.removeBy(own(person), removingBy(person, leaving, tapped(preference))),
    'users.reset': (preference) => ports.users.reset(resettingOf(person, lost, tapped(preference))),
    'users.accept': (preference) => ports.users.accept(acceptingOf(invited, { preference })),
    'administrator.claim': (preference) => ports.administrator.claim(claimingOf(link.hash, { preference })),
  }
}

const event = newEvent('document.put')

export const preferring: Cases = {
  'every verb refuses what was judged without a preference once there is one, and writes nothing': async (world) => {
    const verbs = await verbsOf(world)
    await storeDocuments(world, strict)
    for (const verb of Object.values(verbs)) await expectRefused(world, 'preference_changed', () => verb(undefined))
  },

  'every verb refuses what was judged by another preference, and by one that was removed': async (world) => {
    const verbs = await verbsOf(world)
    const { actor } = await newEditor(world)
    await world.ports.documents.put(actor, [changeTo(strict)], event)
    const other = changeTo(preferenceWith({}))
    for (const verb of Object.values(verbs)) {
      await expectRefused(world, 'preference_changed', () => verb(other.revision))
    }
    await world.ports.documents.remove(
      actor,
      await standing(world, strict.kind, strict.metadata.name),
      newEvent('document.remove'),
    )
    for (const verb of Object.values(verbs)) await expectRefused(world, 'preference_changed', () => verb(revision))
  },

  'every verb does what was judged by the newest': async (world) => {
    await storeDocuments(world, strict)
    const { credential } = await newPerson(world)
    await world.ports.sessions.open(loginOf(credential, { tapped: tapOf(credential, { preference: revision }) }))
  },

  'sessions.open refuses a credential that signed for another relying party than its own': async (world) => {
    const { credential } = await newPerson(world)
    const login = () =>
      world.ports.sessions.open(loginOf(credential, { tapped: tapOf(credential, { rpId: 'example.com' }) }))
    await expectRefused(world, 'credential_changed', login)
  },

  'of a login that races the change of the preference, either is first and no stale one gets in after it': async (
    world,
  ) => {
    const { actor } = await newEditor(world)
    const people = await Promise.all(Array.from({ length: 20 }, () => newPerson(world)))
    const outcomes = await race(people.length + 1, (way) => {
      const person = people[way]
      if (!person) return world.ports.documents.put(actor, [changeTo(strict)], event)
      return world.ports.sessions.open(loginOf(person.credential))
    })
    expect((outcomes['done'] ?? 0) + (outcomes['preference_changed'] ?? 0)).toBe(21)
    const { credential } = await newPerson(world)
    await expectRefused(world, 'preference_changed', () => world.ports.sessions.open(loginOf(credential)))
  },

  'a cluster has one preference, and its name takes none from a database': async (world) => {
    await storeDocuments(world, strict, dbOf('cluster-auth-preference'))
    const { actor } = await newEditor(world)
    const again = () => world.ports.documents.put(actor, [changeTo(strict)], event)
    await expectRefused(world, 'document_changed', again)
  },

  'default_session_ttl ends sessions of browsers and programs, where no role says less': async (world) => {
    const preference = preferenceWith({ default_session_ttl: '2h' })
    const judged = { preference: changeTo(preference).revision }
    await storeDocuments(
      world,
      preference,
      roleOf('short', { max_session_ttl: '1h' }),
      roleOf('long', { max_session_ttl: '9h' }),
    )
    const openedEnd = async (...roles: readonly string[]): Promise<Instant> => {
      const person = await newPerson(world)
      await giveRoles(world, person, ...roles)
      const login = loginOf(person.credential, { tapped: tapOf(person.credential, judged) })
      const { expiresAt } = await world.ports.sessions.open(login)
      const code = await storeCode(world, person.credential, { authenticatedAt: now })
      const { session } = await world.ports.codes.redeem(redeemingOf(code))
      expect(session.expiresAt).toBe(expiresAt)
      return expiresAt
    }
    expect(await openedEnd()).toBe(now + hours(2))
    expect(await openedEnd('long')).toBe(now + hours(2))
    expect(await openedEnd('short', 'long')).toBe(now + hours(1))
  },

  'preferences.current is what was read within a minute, and newest what is there': async (world) => {
    let instant = now
    const port = preferencesPort(world.store, () => instant)
    expect(await port.current()).toEqual(preferenceOf(undefined))
    await storeDocuments(world, strict)
    expect(await port.current()).toEqual(preferenceOf(undefined))
    instant += minutes(1) - 1
    expect((await port.current()).revision).toBeUndefined()
    instant += 1
    expect((await port.current()).revision).toBe(revision)
    const { actor } = await newEditor(world)
    await world.ports.documents.remove(
      actor,
      await standing(world, strict.kind, strict.metadata.name),
      newEvent('document.remove'),
    )
    expect((await port.current()).revision).toBe(revision)
    expect(await port.newest()).toEqual(preferenceOf(undefined))
    expect(await port.current()).toEqual(preferenceOf(undefined))
    // A clock that went back says nothing about an age.
    await storeDocuments(world, strict)
    instant -= 1
    expect((await port.current()).revision).toBe(revision)
  },
}
