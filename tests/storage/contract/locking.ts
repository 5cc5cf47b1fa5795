/** Locks: every verb that one stops, and the words that the person who is locked out is told. */
import { expect } from 'vitest'
import { Refusal } from '../../../core/refusal.ts'
import { audit } from '../../../storage/schema.ts'
import { changes, expectRefused } from './changes.ts'
import {
  acceptingOf,
  beginKeys,
  changeTo,
  dbOf,
  type Editor,
  giveRoles,
  invitingOf,
  lockOf,
  lockOn,
  lockOut,
  newEditor,
  newInvited,
  newKey,
  rfc3339,
  roleOf,
  standing,
  storeDocuments,
} from './editors.ts'
import { changingOf, firstStep, newEquipped, openingOf, otpOf, passkeyOf, recoveryOf } from './factor-world.ts'
import {
  enteringOf,
  issuingOf,
  redeemingOf,
  refreshAt,
  refreshingOf,
  storeClientSession,
  storeCode,
} from './programs.ts'
import { resettingOf } from './resetting.ts'
import {
  addingOf,
  type Cases,
  claimOf,
  here,
  loginOf,
  newCredential,
  newEvent,
  newPerson,
  newSpend,
  newUser,
  now,
  storeCredential,
  storeSession,
  type World,
} from './world.ts'

/** Verbs of somebody who has shown who he is by his key or his token: he is told the lock's own words. */
const told: Record<string, (world: World, who: Editor) => Promise<unknown>> = {
  'sessions.open': ({ ports }, { credential }) => ports.sessions.open(loginOf(credential)),
  'credentials.add': ({ ports }, who) => ports.credentials.add(addingOf(who)),
  'codes.issue': ({ ports }, who) => ports.codes.issue(issuingOf(who)),
  'clientSessions.refresh': ({ ports }, { program }) => ports.clientSessions.refresh(refreshingOf(program)),
  'clientSessions.enter': ({ ports }, { program }) => ports.clientSessions.enter(enteringOf(program)),
}

/** Verbs that only a lock made in this very moment can stop: `enter` was told before. */
const stopped: Record<string, (world: World, who: Editor) => Promise<unknown>> = {
  'users.invite': ({ ports }, who) => ports.users.invite(invitingOf(who)),
  'users.reset': ({ ports }, who) => ports.users.reset(resettingOf(who, { user: newUser() })),
  'logins.end': ({ ports }, { actor, session }) => {
    const target = { id: session.id, owner: actor.userId, reason: 'administrator' } as const
    return ports.logins.end(actor, target, newEvent('login.end'))
  },
  'users.remove': ({ ports }, { actor }) =>
    ports.users.remove(actor, { name: 'nobody' }, newEvent('user.remove'), here.rpIds),
  'documents.put': ({ ports }, { actor }) =>
    ports.documents.put(actor, [changeTo(roleOf('dev'))], newEvent('document.put')),
  'documents.remove': ({ ports }, { actor }) =>
    ports.documents.remove(actor, { kind: 'db', name: 'there', expected: 'r' }, newEvent('document.remove')),
  'signingKeys.rotate': ({ ports }, { actor }) =>
    ports.signingKeys.rotate(actor, 1, newKey(3), newEvent('keys.rotate')),
}

const refusalOf = async (work: Promise<unknown>): Promise<Refusal> => {
  const thrown = await work.catch((error: unknown) => error)
  expect(thrown).toBeInstanceOf(Refusal)
  return thrown as Refusal
}

export const locking: Cases = {
  'a lock stops every verb of its user, which writes nothing, and tells him its words': async (world) => {
    const who = await newEditor(world)
    await lockOut(world, who, { message: 'Ask the help desk „漢字“' })
    for (const [verb, work] of Object.entries(told)) {
      await expectRefused(world, 'user_locked', () => work(world, who))
      expect((await refusalOf(work(world, who))).words, verb).toContain('This user is locked: Ask the help desk „漢字“')
    }
  },

  'a lock on a role stops every verb of its holders, which writes nothing, and nobody else': async (world) => {
    const [who, other] = [await newEditor(world), await newEditor(world)]
    await beginKeys(world)
    await giveRoles(world, who, 'dev')
    await giveRoles(world, other, 'dev-ops')
    await storeDocuments(world, dbOf('there'), lockOn('dev-out', { role: 'dev' }, { message: 'Audit until Friday.' }))
    for (const [verb, work] of Object.entries(told)) {
      await expectRefused(world, 'user_locked', () => work(world, who))
      const { told: words, detail } = await refusalOf(work(world, who))
      expect([verb, words]).toEqual([verb, 'A role of this user is locked: Audit until Friday.'])
      expect(detail).toMatchObject({ lock: 'dev-out' })
    }
    for (const work of Object.values(stopped)) await expectRefused(world, 'user_locked', () => work(world, who))
    expect(await world.ports.sessions.find(who.claim, now)).toBeUndefined()
    for (const work of Object.values(told).slice(-2)) await work(world, other)
  },

  'a lock on a passkey stops its taps and all that it let in, and nothing of another passkey of the same user': async (
    world,
  ) => {
    const who = await newEditor(world)
    await beginKeys(world)
    const spare = await storeCredential(world, newCredential(who.user.id))
    const session = await storeSession(world, spare)
    const other: Editor = { ...who, credential: spare, session, claim: claimOf(session) }
    const program = await storeClientSession(world, spare)
    const code = await storeCode(world, who.credential)
    await storeDocuments(world, lockOn('lost', { mfa_device: who.credential.id }, { message: 'Lost in a train.' }))
    for (const [verb, work] of Object.entries(told)) {
      await expectRefused(world, 'user_locked', () => work(world, who))
      const { told: words } = await refusalOf(work(world, who))
      expect([verb, words]).toEqual([verb, 'This passkey or app is locked: Lost in a train.'])
    }
    for (const work of Object.values(stopped)) await expectRefused(world, 'user_locked', () => work(world, who))
    await expectRefused(world, 'user_locked', () => world.ports.codes.redeem(redeemingOf(code)))
    const { find } = world.ports.sessions
    expect([await find(who.claim, now), await find(other.claim, now)]).toEqual([undefined, who.user])

    // Its session is over for a tap of the other one too; and the other's is for a tap of it.
    await expectRefused(world, 'user_locked', () => told['codes.issue']!(world, { ...other, claim: who.claim }))
    await expectRefused(world, 'user_locked', () => told['codes.issue']!(world, { ...who, claim: other.claim }))
    await world.ports.clientSessions.enter(enteringOf(program))
    await world.ports.clientSessions.refresh(refreshingOf(program))
    for (const verb of ['sessions.open', 'codes.issue']) await told[verb]!(world, other)
  },

  'a lock on an authenticator app stops its codes and the sessions that it opened, and no others': async (world) => {
    const who = await newEquipped(world)
    const [byApp, byTap] = [openingOf(who, otpOf(who)), openingOf(who, passkeyOf(who))]
    await world.ports.factors.open(byApp)
    await world.ports.factors.open(byTap)
    await storeDocuments(world, lockOn('lost', { mfa_device: who.totp }))
    const { find } = world.ports.sessions
    expect(await find(claimOf(byApp.session), now)).toBeUndefined()
    expect(await find(claimOf(byTap.session), now)).toEqual(who.user)
    const { open, change } = world.ports.factors
    await expectRefused(world, 'user_locked', () => open(openingOf(who, otpOf(who, firstStep + 2))))
    await expectRefused(world, 'user_locked', () =>
      change(changingOf(who, { kind: 'make recovery codes', hashes: [] }, { claim: claimOf(byApp.session) })),
    )
    await open(openingOf(who, recoveryOf(who)))
  },

  'a grant is issued only by the policy that it was decided by, and for a proxy that is registered': async (world) => {
    const { grants, policies, proxies } = world.ports
    const who = await newEditor(world)
    const proxy = { id: 'p1', name: 'here', x: 'x', registeredAt: now }
    await proxies.add(proxy, newEvent('proxy.add'))
    const issue = (sequence: number, id = proxy.id) =>
      grants.issue({
        ...{ spend: newSpend(), tapped: undefined, clientSessionId: who.program.id, sequence, proxy: id },
        event: newEvent('session.grant', { userId: who.user.id }),
      })
    const changing: Record<string, () => Promise<unknown>> = {
      'a lock': () => storeDocuments(world, lockOn('one', { db: 'orders' })),
      'a role': () => storeDocuments(world, roleOf('dev')),
      'what somebody holds': () => giveRoles(world, who, 'dev'),
    }
    for (const [what, change] of Object.entries(changing)) {
      const { sequence } = await policies.newest()
      await issue(sequence)
      await change()
      await expectRefused(world, 'policy_changed', () => issue(sequence))
      expect((await policies.current()).sequence, what).toBe(sequence)
      expect((await policies.newest()).sequence, what).toBeGreaterThan(sequence)
    }
    const { sequence, locks, roles } = await policies.current()
    expect([[...locks.keys()], roles.has('dev')]).toEqual([['db:orders'], true])
    await expectRefused(world, 'target_invalid', () => issue(sequence, 'p2'))
    await proxies.remove(proxy.name, newEvent('proxy.remove'))
    await expectRefused(world, 'target_invalid', () => issue(sequence))
  },

  'a lock without words says that there is one': async (world) => {
    const who = await newEditor(world)
    await lockOut(world, who)
    for (const work of Object.values(told))
      expect((await refusalOf(work(world, who))).told).toBe('This user is locked.')
  },

  'a lock stops every administrative verb of its user, which writes nothing': async (world) => {
    const who = await newEditor(world)
    await beginKeys(world)
    await storeDocuments(world, dbOf('there'))
    await lockOut(world, who)
    for (const work of Object.values(stopped)) await expectRefused(world, 'user_locked', () => work(world, who))
  },

  'a lock hides the browser session of its user, and shows it again when it is gone': async (world) => {
    const person = await newPerson(world)
    const { actor } = await newEditor(world)
    await storeDocuments(world, lockOf('ada-left', person.user.name))
    const { find, account } = world.ports.sessions
    expect(await find(person.claim, now)).toBeUndefined()
    expect(await account(person.claim, now)).toBeUndefined()
    await world.ports.documents.remove(actor, await standing(world, 'lock', 'ada-left'), newEvent('document.remove'))
    expect(await find(person.claim, now)).toEqual(person.user)
    expect(await account(person.claim, now)).toBeDefined()
  },

  'a lock is in force until the instant at which it expires, and not at it': async (world) => {
    const who = await newEditor(world)
    const expires = now + 1000
    await lockOut(world, who, { expires: rfc3339(expires), message: 'For a second' })
    const { find } = world.ports.sessions
    const enterAt = (at: number) => world.ports.clientSessions.enter(enteringOf(who.program, { at }))
    expect(await find(who.claim, expires - 1)).toBeUndefined()
    expect((await refusalOf(enterAt(expires - 1))).told).toBe('This user is locked: For a second')
    expect(await find(who.claim, expires)).toEqual(who.user)
    await enterAt(expires)
    await world.ports.clientSessions.refresh(refreshingOf(who.program, refreshAt(expires)))
  },

  'of two locks one in force is enough': async (world) => {
    const who = await newEditor(world)
    await lockOut(world, who, { expires: rfc3339(now), message: 'over' })
    await lockOut(world, who, { message: 'in force' })
    expect((await refusalOf(told['clientSessions.enter']!(world, who))).told).toBe('This user is locked: in force')
  },

  'a lock names whoever a hurried reader takes for its user, and nobody else': async (world) => {
    const [who, other] = [await newEditor(world), await newEditor(world)]
    await storeDocuments(world, lockOf('one', who.user.name.toUpperCase()), lockOf('two', `${other.user.name}x`))
    await expectRefused(world, 'user_locked', () => told['sessions.open']!(world, who))
    for (const work of Object.values(told).slice(-2)) await work(world, other)
  },

  'a lock stops a code and an invite that were given before it': async (world) => {
    const who = await newEditor(world)
    const code = await storeCode(world, who.credential)
    const invited = await newInvited(world, { user: newUser('Grace') })
    await storeDocuments(world, lockOf('one', who.user.name), lockOf('two', 'grace'))
    await expectRefused(world, 'user_locked', () => world.ports.codes.redeem(redeemingOf(code)))
    await expectRefused(world, 'user_locked', () => world.ports.users.accept(acceptingOf(invited)))
  },

  'a lock ends nothing: a login runs on when it is lifted': async (world) => {
    const who = await newEditor(world)
    const { actor } = await newEditor(world)
    await storeDocuments(world, lockOf('ada-left', who.user.name))
    await expectRefused(world, 'user_locked', () => world.ports.clientSessions.refresh(refreshingOf(who.program)))
    const lifting = newEvent('document.remove')
    const lock = await standing(world, 'lock', 'ada-left')
    const done = await changes(world.store, () => world.ports.documents.remove(actor, lock, lifting))
    expect(Object.keys(done)).toEqual(['+audit document.remove done', '-documents lock/ada-left'])
    await world.ports.clientSessions.refresh(refreshingOf(who.program))
    expect(await world.store.db.$count(audit)).toBe(2)
  },
}
