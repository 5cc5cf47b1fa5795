/** Passkeys and security keys: what each may take the place of, what a session rests on after a tap, and which of them count at all. */
import { eq } from 'drizzle-orm'
import { expect } from 'vitest'
import type { Attestation } from '../../../core/login/attestation.ts'
import type { SessionVia } from '../../../core/model.ts'
import { sessionRow } from '../../../storage/rows.ts'
import { sessions } from '../../../storage/schema.ts'
import { expectRefused } from './changes.ts'
import { newEditor } from './editors.ts'
import { counted, newEquipped, openingOf, passkeyOf } from './factor-world.ts'
import { resettingOf } from './resetting.ts'
import {
  addingOf,
  type Cases,
  claimOf,
  ends,
  here,
  loginOf,
  newCredential,
  newEvent,
  newPerson,
  newSession,
  type Person,
  removingOf,
  staying,
  storeCredential,
  tapOf,
  type World,
} from './world.ts'

const key = { kind: 'security_key', mayVouch: false } as const
const elsewhere = { rpId: 'old.example.com' }

/** A person whose passkey may not vouch, and a security key. */
async function withKey<P extends Person>(world: World, person: P) {
  return { person, key: await storeCredential(world, newCredential(person.user.id, key)) }
}
const weak = (world: World) => newPerson(world, { mayVouch: false })

async function sessionOf(
  world: World,
  person: Person,
  via: SessionVia,
  credentialId: Person['credential']['id'] | null,
) {
  const session = newSession()
  const row = sessionRow(session, { userId: person.user.id, via, credentialId, expiresAt: ends })
  await world.store.db.insert(sessions).values(row)
  return claimOf(session)
}

export const kinds: Cases = {
  'a credential keeps its kind and what it showed of its make': async (world) => {
    const person = await newPerson(world)
    const ca = { subject: 'CN=Öffentlich, O=Maker', hash: 'h' }
    const shown: Attestation[] = [
      { format: 'fido-u2f', trust: 'chain', ca },
      { format: 'packed', trust: 'self', ca: undefined },
    ]
    for (const attestation of shown) {
      const adding = addingOf({ ...person, claim: await sessionOf(world, person, 'passkey', null) })
      const credential = { ...adding.credential, kind: 'security_key', attestation } as const
      await world.ports.credentials.add({ ...adding, credential })
      const found = await world.ports.credentials.find(credential.id)
      expect([found?.kind, found?.attestation]).toEqual(['security_key', attestation])
    }
    expect(await world.ports.credentials.find(person.credential.id)).toMatchObject({ attestation: undefined })
  },

  'every tap is confirmed as of the kind that it was judged as': async (world) => {
    const { person, key: made } = await withKey(world, await newEquipped(world))
    const wrong = { kind: 'security_key' } as const
    await expectRefused(world, 'credential_changed', () =>
      world.ports.sessions.open(loginOf(person.credential, { tapped: tapOf(person.credential, wrong) })),
    )
    await expectRefused(world, 'credential_changed', () =>
      world.ports.credentials.add(addingOf(person, { tapped: tapOf(person.credential, wrong) })),
    )
    const asPasskey = { kind: 'passkey', tapped: tapOf(made, { kind: 'passkey' }) } as const
    await expectRefused(world, 'credential_changed', () => world.ports.factors.open(openingOf(person, asPasskey)))
    await world.ports.factors.open(openingOf(person, { kind: 'passkey', tapped: tapOf(made) }))
  },

  'credentials.remove: a security key takes the place of the last passkey beside a password alone': async (world) => {
    const { person, key: made } = await withKey(world, await weak(world))
    const tapped = { tapped: tapOf(made) }
    const beside = { staying: { ...staying, securityKeys: true } }
    const { remove } = world.ports.credentials
    await expectRefused(world, 'last_passkey', () => remove(removingOf(person, person.credential, tapped)))
    const unset = removingOf(person, person.credential, { ...tapped, ...beside })
    await expectRefused(world, 'last_passkey', () => remove(unset))
    const { person: equipped, key: second } = await withKey(world, await newEquipped(world, await weak(world)))
    const byKey = { tapped: tapOf(second) }
    await expectRefused(world, 'last_passkey', () => remove(removingOf(equipped, equipped.credential, byKey)))
    await remove(removingOf(equipped, equipped.credential, { ...byKey, ...beside }))
    await remove(removingOf(person, made))
  },

  'credentials.remove: what is of a relying party that is not taken counts for nothing, and goes': async (world) => {
    const person = await weak(world)
    const { remove } = world.ports.credentials
    const old = await storeCredential(world, newCredential(person.user.id, { ...elsewhere, mayVouch: false }))
    const { key: made } = await withKey(world, person)
    const tapped = { tapped: tapOf(made) }
    await expectRefused(world, 'last_passkey', () => remove(removingOf(person, person.credential, tapped)))
    const both = { staying: { ...staying, rpIds: [...here.rpIds, elsewhere.rpId] } }
    const kept = removingOf(person, old, tapped)
    await remove(kept)
    const again = await weak(world)
    await storeCredential(world, newCredential(again.user.id, elsewhere))
    await remove(removingOf(again, again.credential, { tapped: tapOf((await withKey(world, again)).key), ...both }))
  },

  'a passkey that may vouch and works for nobody does not stand in for the last that does': async (world) => {
    const { users, credentials } = world.ports
    const [by, last] = [await newEditor(world, { mayVouch: false }), await newEditor(world)]
    const old = await storeCredential(world, newCredential(by.user.id, elsewhere))
    const spare = await storeCredential(world, newCredential(last.user.id, elsewhere))
    const remove = (rpIds: readonly string[]) => users.remove(by.actor, last.user, newEvent('user.remove'), rpIds)
    await expectRefused(world, 'last_vouching', () => remove(here.rpIds))
    const tapped = tapOf(last.credential)
    await expectRefused(world, 'last_vouching', () => users.reset(resettingOf(by, last, { tapped })))
    const other = await storeCredential(world, newCredential(last.user.id, { mayVouch: false }))
    const removal = removingOf(last, last.credential, { tapped: { ...tapOf(spare), rpId: elsewhere.rpId } })
    await expectRefused(world, 'last_vouching', () => credentials.remove(removal))
    await credentials.remove(removingOf(last, other))
    await remove([...here.rpIds, old.rpId])
  },

  'users.remove confirms the preference that says which relying parties are taken': async (world) => {
    const [by, gone] = [await newEditor(world), await newPerson(world)]
    const actor = { ...by.actor, warrant: { preference: 'another' } }
    await expectRefused(world, 'preference_changed', () =>
      world.ports.users.remove(actor, gone.user, newEvent('user.remove'), here.rpIds),
    )
  },

  'factors are counted by kind, and of the relying parties that are taken': async (world) => {
    const { person } = await withKey(world, await newEquipped(world))
    await storeCredential(world, newCredential(person.user.id, elsewhere))
    await storeCredential(world, newCredential(person.user.id, { ...key, ...elsewhere }))
    const open = (was: ReturnType<typeof counted>) => world.ports.factors.open(openingOf(person, { kind: 'none', was }))
    for (const was of [counted(1, 1), counted(2, 1), counted(0, 1, 2), counted(2, 1, 1), counted(1, 1, 2)])
      await expectRefused(world, 'factors_changed', () => open(was))
    await open(counted(1, 1, 1))
    await open({ ...counted(2, 1, 2), rpIds: [...here.rpIds, elsewhere.rpId] })
    await world.ports.factors.open(openingOf(person, passkeyOf(person)))
  },

  'a session that goes on after the tap of a security key rests on what it rested on, too': async (world) => {
    const person = await newPerson(world)
    const { key: made } = await withKey(world, person)
    const own = person.credential.id
    const cases = [
      ['passkey', own, made, 'passkey', own],
      ['password+otp', null, made, 'password+passkey', made.id],
      ['password', null, made, 'password+passkey', made.id],
      ['password+passkey', made.id, person.credential, 'passkey', own],
    ] as const
    for (const [via, credentialId, tapping, after, rests] of cases) {
      const claim = await sessionOf(world, person, via, credentialId)
      const adding = addingOf(person, { claim, tapped: tapOf(tapping) })
      await world.ports.credentials.add(adding)
      const [row] = await world.store.db.select().from(sessions).where(eq(sessions.id, adding.session.id))
      expect([via, row?.via, row?.credentialId]).toEqual([via, after, rests])
    }
  },
}
