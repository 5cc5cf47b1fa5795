/** The once-only facts of programs and administrators, raced 50 ways. */
import { expect } from 'vitest'
import { audit, clientSessions, documents, invites, users } from '../../../storage/schema.ts'
import { race } from './changes.ts'
import {
  acceptingOf,
  beginKeys,
  changeTo,
  countKeys,
  dbOf,
  invitingOf,
  newEditor,
  newInvited,
  newKey,
  roleOf,
  standing,
} from './editors.ts'
import {
  claimOfCode,
  enteringOf,
  issuingOf,
  newJkt,
  redeemingOf,
  refreshAt,
  refreshingOf,
  repeatFor,
  storeClientSession,
  storeCode,
} from './programs.ts'
import { type Cases, from, newEvent, newPerson, newSpend, newUser, now, type World } from './world.ts'

const countEnds = async ({ store }: World): Promise<number> => {
  const rows = await store.db.select({ kind: audit.kind }).from(audit)
  return rows.filter(({ kind }) => kind === 'client.end').length
}

export const programRaces: Cases = {
  'codes.issue, 50 answers to one intent: one code': async (world) => {
    const person = await newPerson(world)
    const spend = newSpend()
    const outcome = await race(50, () => world.ports.codes.issue(issuingOf(person, { spend })))
    expect(outcome).toEqual({ done: 1, ticket_spent: 49 })
  },

  'codes.redeem of one code by 50: one login': async (world) => {
    const { credential } = await newPerson(world)
    const code = await storeCode(world, credential)
    const outcome = await race(50, () => world.ports.codes.redeem(redeemingOf(code)))
    expect(outcome).toEqual({ done: 1, code_invalid: 49 })
    expect(await world.store.db.$count(clientSessions)).toBe(1)
    expect(await world.store.db.$count(audit)).toBe(1)
  },

  'codes.examine of one used code by 50: the login ends once, and one row says so': async (world) => {
    const { credential } = await newPerson(world)
    const code = await storeCode(world, credential)
    await world.ports.codes.redeem(redeemingOf(code))
    const event = (way: number) => newEvent('client.login', { asking: { requestId: `request ${way}`, from } })
    await race(50, (way) => world.ports.codes.examine(claimOfCode(code), event(way)))
    expect(await countEnds(world)).toBe(1)
  },

  'clientSessions.refresh of one token by 50 with its key: it moves once, and all get the same': async (world) => {
    const { credential } = await newPerson(world)
    const row = await storeClientSession(world, credential)
    const generations: number[] = []
    const outcome = await race(50, async () => {
      generations.push((await world.ports.clientSessions.refresh(refreshingOf(row))).generation)
    })
    expect(outcome).toEqual({ done: 50 })
    expect(new Set(generations)).toEqual(new Set([2]))
    expect((await world.store.db.select().from(clientSessions))[0]).toMatchObject({ generation: 2, endedAt: null })
  },

  'clientSessions.refresh of an old token by 50: the login ends once, and one row says so': async (world) => {
    const { credential } = await newPerson(world)
    const row = await storeClientSession(world, credential, { generation: 2, rotatedAt: now - repeatFor })
    const outcome = await race(50, () =>
      world.ports.clientSessions.refresh({ ...refreshingOf(row, refreshAt(now)), generation: 1 }),
    )
    expect(outcome).toEqual({ client_session_ended: 50 })
    expect(await countEnds(world)).toBe(1)
  },

  'clientSessions.refresh by owner and thief, 25 each: the login ends, whoever comes first': async (world) => {
    const { credential } = await newPerson(world)
    const row = await storeClientSession(world, credential)
    const outcome = await race(50, (way) => {
      const key = way % 2 === 0 ? {} : { jkt: newJkt() }
      return world.ports.clientSessions.refresh(refreshingOf(row, { ...refreshAt(now), ...key }))
    })
    expect(outcome['client_session_missing']).toBe(25)
    expect((outcome['done'] ?? 0) + (outcome['client_session_ended'] ?? 0)).toBe(25)
    expect(await countEnds(world)).toBe(1)
    const [after] = await world.store.db.select().from(clientSessions)
    expect(after).toMatchObject({ endReason: 'another_key' })
    expect(after?.generation).toBeLessThanOrEqual(2)
  },

  'clientSessions.enter, one proof and 50 calls: one gets in': async (world) => {
    const { credential } = await newPerson(world)
    const row = await storeClientSession(world, credential)
    const spend = newSpend()
    const outcome = await race(50, () => world.ports.clientSessions.enter(enteringOf(row, { spend })))
    expect(outcome).toEqual({ done: 1, dpop_replayed: 49 })
  },

  'clientSessions.revoke by 50: one row says so': async (world) => {
    const { credential } = await newPerson(world)
    const { id, clientId } = await storeClientSession(world, credential)
    await race(50, (way) => {
      const asking = { requestId: `request ${way}`, from }
      return world.ports.clientSessions.revoke(id, clientId, newEvent('client.end', { asking }))
    })
    expect(await countEnds(world)).toBe(1)
  },

  'users.invite, one tap and 50 requests, and one name and 50 taps: one user each': async (world) => {
    const editor = await newEditor(world)
    const spend = newSpend()
    const sameTap = await race(50, () => world.ports.users.invite(invitingOf(editor, { spend })))
    expect(sameTap).toEqual({ done: 1, ticket_spent: 49 })
    const names = ['Grace', 'GRACE', 'grace', 'Ｇrace']
    const sameName = await race(50, (way) =>
      world.ports.users.invite(invitingOf(editor, { user: newUser(names[way % names.length]) })),
    )
    expect(sameName).toEqual({ done: 1, name_taken: 49 })
    expect(await world.store.db.$count(users)).toBe(3)
    expect(await world.store.db.$count(invites)).toBe(2)
  },

  'users.accept of one invite by 50: one passkey': async (world) => {
    const invited = await newInvited(world)
    const outcome = await race(50, () => world.ports.users.accept(acceptingOf(invited)))
    expect(outcome).toEqual({ done: 1, link_invalid: 49 })
    expect((await world.ports.users.list(now)).find(({ name }) => name === invited.user.name)?.passkeys).toBe(1)
  },

  'users.accept racing the removal of the one invited: he is gone, whoever comes first': async (world) => {
    const { actor } = await newEditor(world)
    const invited = await newInvited(world, { user: newUser('Grace') })
    const outcome = await race(50, (way) =>
      way === 25
        ? world.ports.users.remove(actor, { name: 'Grace' }, newEvent('user.remove'))
        : world.ports.users.accept(acceptingOf(invited)),
    )
    expect((outcome['done'] ?? 0) + (outcome['link_invalid'] ?? 0)).toBe(50)
    expect((await world.ports.users.list(now)).map(({ name }) => name)).not.toContain('Grace')
  },

  'users.remove, two editors removing each other, 25 each: one stays': async (world) => {
    const two = [await newEditor(world), await newEditor(world)] as const
    const outcome = await race(50, (way) => {
      const [actor, other] = way % 2 === 0 ? two : [two[1], two[0]]
      return world.ports.users.remove(actor.actor, other.user, newEvent('user.remove'))
    })
    expect(outcome).toEqual({ done: 1, user_unknown: 24, token_invalid: 25 })
    expect((await world.ports.users.list(now)).filter(({ roles }) => roles.includes('editor'))).toHaveLength(1)
  },

  'documents.put, one name created by 50: one document': async (world) => {
    const { actor } = await newEditor(world)
    const outcome = await race(50, (way) =>
      world.ports.documents.put(actor, [changeTo(dbOf('orders', `h${way}.example.com:1`))], newEvent('document.put')),
    )
    expect(outcome).toEqual({ done: 1, document_changed: 49 })
    expect(await world.store.db.$count(documents)).toBe(1)
  },

  'documents.put, one revision replaced by 50: one replaces it': async (world) => {
    const { actor } = await newEditor(world)
    const put = (way: number, expected?: string) =>
      world.ports.documents.put(
        actor,
        [changeTo(dbOf('orders', `h${way}.example.com:1`), expected)],
        newEvent('document.put'),
      )
    await put(99)
    const { revision } = changeTo(dbOf('orders', 'h99.example.com:1'))
    expect(await race(50, (way) => put(way, revision))).toEqual({ done: 1, document_changed: 49 })
  },

  'documents.remove of a role racing invites that give it: never a user with a role that is not there': async (
    world,
  ) => {
    const editor = await newEditor(world)
    await world.ports.documents.put(editor.actor, [changeTo(roleOf('dev'))], newEvent('document.put'))
    const dev = await standing(world, 'role', 'dev')
    const outcome = await race(50, (way) =>
      way === 25
        ? world.ports.documents.remove(editor.actor, dev, newEvent('document.remove'))
        : world.ports.users.invite(invitingOf(editor, { roles: ['dev'] })),
    )
    const held = (await world.ports.users.list(now)).filter(({ roles }) => roles.includes('dev')).length
    const there = (await world.ports.documents.list({ kind: 'role' })).length
    expect(there === 1 || held === 0).toBe(true)
    expect(outcome['role_held'] ?? 0).toBe(there)
  },

  'signingKeys.begin by 50: one pair of one maker': async (world) => {
    const { begin, list } = world.ports.signingKeys
    const pairs = Array.from({ length: 50 }, () => [newKey(1, { activatedAt: now }), newKey(2)] as const)
    expect(await race(50, (way) => begin(pairs[way]!))).toEqual({ done: 50 })
    const kids = (await list()).map(({ kid }) => kid)
    expect(pairs.map((pair) => pair.map(({ kid }) => kid))).toContainEqual(kids)
  },

  'signingKeys.rotate by 50: one rotation': async (world) => {
    const { actor } = await newEditor(world)
    await beginKeys(world)
    const outcome = await race(50, () => world.ports.signingKeys.rotate(actor, 1, newKey(3), newEvent('keys.rotate')))
    expect(outcome).toEqual({ done: 1, keys_rotated: 49 })
    expect(await countKeys(world)).toBe(3)
  },
}
