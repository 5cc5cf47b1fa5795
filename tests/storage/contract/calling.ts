/** clientSessions.enter, revoke and end: a call with a token, and the two ways in which a person ends a login. */
import { expect } from 'vitest'
import { revisionOf } from '../../../core/access/document.ts'
import { presetOf } from '../../../core/access/presets.ts'
import { Refusal } from '../../../core/refusal.ts'
import { changes, expectRefused } from './changes.ts'
import { giveRoles, roleOf, storeDocuments } from './editors.ts'
import { enteringOf, newJkt, refreshingOf, staleClientSessions, storeClientSession } from './programs.ts'
import { staleClaims } from './reading.ts'
import { type Cases, ends, from, newEvent, newPerson, newSpend, now } from './world.ts'

const revoking = newEvent('client.end')

export const calling: Cases = {
  'clientSessions.enter spends the proof, answers user, roles and login, and does nothing else': async (world) => {
    await giveRoles(world, await newPerson(world), 'access')
    const person = await newPerson(world)
    await giveRoles(world, person, 'editor', 'gone', 'dev')
    const dev = roleOf('dev')
    await storeDocuments(world, dev)
    const { id, clientId, scope, via, authenticatedAt, expiresAt, ...row } = await storeClientSession(
      world,
      person.credential,
      { generation: 4 },
    )
    const call = enteringOf({ ...row, id, clientId, scope, via, authenticatedAt, expiresAt })
    const { sequence } = await world.ports.policies.newest()
    const done = await changes(world.store, async () =>
      expect(await world.ports.clientSessions.enter(call)).toStrictEqual({
        user: person.user,
        session: { id, clientId, scope, via, tapped: true, authenticatedAt, expiresAt },
        roles: ['dev', 'editor', 'gone'],
        held: [
          { document: dev, revision: revisionOf(dev) },
          { document: presetOf('editor'), revision: undefined },
        ],
        factorId: person.credential.id,
        sequence,
      }),
    )
    expect(done).toEqual({ [`+spent ${call.spend.id}`]: call.spend })
  },

  'clientSessions.enter takes a user without roles': async (world) => {
    const person = await newPerson(world)
    const row = await storeClientSession(world, person.credential)
    expect((await world.ports.clientSessions.enter(enteringOf(row))).roles).toEqual([])
  },

  'clientSessions.enter works until the instant of the login’s end': async (world) => {
    const { credential } = await newPerson(world)
    const row = await storeClientSession(world, credential)
    await world.ports.clientSessions.enter(enteringOf(row, { at: ends - 1 }))
    const late = enteringOf(row, { at: ends })
    await expectRefused(world, 'token_invalid', () => world.ports.clientSessions.enter(late))
  },

  'clientSessions.enter refuses a login that does not run, another key, and a replayed proof': async (world) => {
    const { credential } = await newPerson(world)
    const { enter } = world.ports.clientSessions
    for (const row of Object.values(await staleClientSessions(world, credential)))
      await expectRefused(world, 'token_invalid', () => enter(enteringOf(row)))
    const row = await storeClientSession(world, credential)
    await expectRefused(world, 'token_invalid', () => enter(enteringOf(row, { jkt: newJkt() })))
    const call = enteringOf(row)
    await enter(call)
    await expectRefused(world, 'dpop_replayed', () => enter(call))
    const refresh = refreshingOf(row, { spend: call.spend })
    await expectRefused(world, 'dpop_replayed', () => world.ports.clientSessions.refresh(refresh))
  },

  'clientSessions.revoke ends the login with one audit row, and nothing else; again it does nothing': async (world) => {
    const person = await newPerson(world)
    const row = await storeClientSession(world, person.credential)
    await storeClientSession(world, person.credential)
    const revoke = (requestId: string) =>
      world.ports.clientSessions.revoke(row.id, row.clientId, { ...revoking, asking: { requestId, from } })
    expect(await changes(world.store, () => revoke('one'))).toEqual({
      [`~clientSessions ${row.id}`]: { endedAt: now, endReason: 'revoked', endedBy: 'one' },
      '+audit client.end done': expect.objectContaining({
        ...{ userId: person.user.id, sessionId: row.id, detail: { reason: 'revoked' } },
      }),
    })
    expect(await changes(world.store, () => revoke('two'))).toEqual({})
    await expectRefused(world, 'token_invalid', () => world.ports.clientSessions.enter(enteringOf(row)))
    const refused = await world.ports.clientSessions.refresh(refreshingOf(row)).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(Refusal)
    expect(refused).toMatchObject({ code: 'client_session_ended', detail: { reason: 'revoked' } })
  },

  'clientSessions.revoke does nothing for another client, and for a login that does not run': async (world) => {
    const { credential } = await newPerson(world)
    const row = await storeClientSession(world, credential)
    const stale = Object.values(await staleClientSessions(world, credential))
    const done = await changes(world.store, async () => {
      await world.ports.clientSessions.revoke(row.id, 'another', revoking)
      for (const { id, clientId } of stale) await world.ports.clientSessions.revoke(id, clientId, revoking)
    })
    expect(done).toEqual({})
  },

  'clientSessions.end ends one of the user’s own, names the user in one audit row, and does nothing else': async (
    world,
  ) => {
    const person = await newPerson(world)
    const row = await storeClientSession(world, person.credential)
    await storeClientSession(world, person.credential)
    const event = newEvent('client.end', { sessionId: row.id })
    expect(await changes(world.store, () => world.ports.clientSessions.end(person.claim, row.id, event))).toEqual({
      [`~clientSessions ${row.id}`]: { endedAt: now, endReason: 'revoked', endedBy: 'request' },
      '+audit client.end done': expect.objectContaining({ userId: person.user.id, sessionId: row.id }),
    })
  },

  'clientSessions.end refuses without a running browser session, and what is not the user’s running login': async (
    world,
  ) => {
    const [person, other] = [await newPerson(world), await newPerson(world)]
    const own = await storeClientSession(world, person.credential)
    const foreign = await storeClientSession(world, other.credential)
    const { end } = world.ports.clientSessions
    for (const claim of Object.values(await staleClaims(world, person)))
      await expectRefused(world, 'session_missing', () => end(claim, own.id, revoking))
    const stale = Object.values(await staleClientSessions(world, person.credential))
    for (const { id } of [foreign, ...stale])
      await expectRefused(world, 'not_found', () => end(person.claim, id, revoking))
  },

  'sessions.account shows logins that run and those that others ended within a day, oldest first': async (world) => {
    const person = await newPerson(world)
    const day = 24 * 3_600_000
    const store = (more: Parameters<typeof storeClientSession>[2]) => storeClientSession(world, person.credential, more)
    await storeClientSession(world, (await newPerson(world)).credential)
    const running = await store({ authenticatedAt: now - 2 })
    const ended = await store({ authenticatedAt: now - 9, endedAt: now - day + 1, endReason: 'token_reused' })
    await store({ endedAt: now - day, endReason: 'token_reused' })
    await store({ endedAt: now - 1, endReason: 'revoked' })
    await store({ expiresAt: now })
    const account = await world.ports.sessions.account(person.claim, now)
    expect(account?.clientSessions.map(({ id }) => id)).toEqual([ended.id, running.id])
    const { clientId, scope, via, authenticatedAt, expiresAt, id } = running
    expect(account?.clientSessions[1]).toStrictEqual({
      ...{ id, clientId, scope, via, tapped: true, authenticatedAt, expiresAt },
      ...{ endedAt: undefined, endReason: undefined, origin: from },
    })
    expect(account?.clientSessions[0]).toMatchObject({ endedAt: now - day + 1, endReason: 'token_reused' })
  },

  'a proof is spent for whatever it was sent with: a second call needs a second one': async (world) => {
    const { credential } = await newPerson(world)
    const rows = [await storeClientSession(world, credential), await storeClientSession(world, credential)]
    const spend = newSpend()
    await world.ports.clientSessions.enter(enteringOf(rows[0]!, { spend }))
    const second = enteringOf(rows[1]!, { spend })
    await expectRefused(world, 'dpop_replayed', () => world.ports.clientSessions.enter(second))
  },
}
