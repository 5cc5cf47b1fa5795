/** clientSessions.refresh: the next tokens of a program's login, and what ends it. */
import { expect } from 'vitest'
import type { ClientSessionEnd } from '../../../core/model.ts'
import { Refusal } from '../../../core/refusal.ts'
import { changes, expectRefused } from './changes.ts'
import {
  type ClientSessionRow,
  loginOfRow,
  newJkt,
  refreshAt,
  refreshingOf,
  repeatFor,
  staleClientSessions,
  storeClientSession,
} from './programs.ts'
import { type Cases, newPerson, newSpend, now, type World } from './world.ts'

type Refreshing = ReturnType<typeof refreshingOf>

async function withProgram(world: World, more: Partial<ClientSessionRow> = {}) {
  await storeClientSession(world, (await newPerson(world)).credential)
  const person = await newPerson(world)
  return { person, row: await storeClientSession(world, person.credential, more) }
}

/** The refresh is refused, and what it wrote is answered: a theft ends the login although nothing is given out. */
async function refusedWith(world: World, refreshing: Refreshing) {
  const thrown: unknown[] = []
  const done = await changes(world.store, () =>
    world.ports.clientSessions.refresh(refreshing).catch((error: unknown) => thrown.push(error)),
  )
  const [refusal] = thrown
  expect(refusal).toBeInstanceOf(Refusal)
  return { done, refusal: refusal as Refusal }
}

const endOf = (row: ClientSessionRow, { event, spend }: Refreshing, endReason: ClientSessionEnd) => ({
  [`+spent ${spend.id}`]: spend,
  [`~clientSessions ${row.id}`]: { endedAt: event.at, endReason, endedBy: event.asking.requestId },
  '+audit client.end done': expect.objectContaining({
    ...{ at: event.at, userId: row.userId, sessionId: row.id, code: null, detail: { reason: endReason } },
  }),
})

export const refreshing: Cases = {
  'clientSessions.refresh spends the proof, moves to the next token, and does nothing else': async (world) => {
    const { person, row } = await withProgram(world)
    const refresh = refreshingOf(row, refreshAt(now + 5))
    const done = await changes(world.store, async () =>
      expect(await world.ports.clientSessions.refresh(refresh)).toStrictEqual(
        loginOfRow({ ...row, generation: 2 }, person),
      ),
    )
    expect(done).toEqual({
      [`+spent ${refresh.spend.id}`]: refresh.spend,
      [`~clientSessions ${row.id}`]: { generation: 2, rotatedAt: now + 5 },
    })
  },

  'clientSessions.refresh answers the token before the newest with the newest for 60 seconds, and moves nothing':
    async (world) => {
      const { person, row } = await withProgram(world, { generation: 7 })
      await world.ports.clientSessions.refresh(refreshingOf(row))
      for (const at of [now, now + 1, now + repeatFor - 1]) {
        const repeat = refreshingOf(row, refreshAt(at))
        const done = await changes(world.store, async () =>
          expect(await world.ports.clientSessions.refresh(repeat)).toStrictEqual(
            loginOfRow({ ...row, generation: 8 }, person),
          ),
        )
        expect(done).toEqual({ [`+spent ${repeat.spend.id}`]: repeat.spend })
      }
    },

  'clientSessions.refresh ends the login at the very instant that the 60 seconds are over': async (world) => {
    const { row } = await withProgram(world)
    await world.ports.clientSessions.refresh(refreshingOf(row))
    const late = refreshingOf(row, refreshAt(now + repeatFor))
    const { done, refusal } = await refusedWith(world, late)
    expect(done).toEqual(endOf(row, late, 'token_reused'))
    expect(refusal).toMatchObject({ code: 'client_session_ended', detail: { reason: 'token_reused' } })
  },

  'clientSessions.refresh ends the login when an older token than the one before the newest is shown': async (
    world,
  ) => {
    const { row } = await withProgram(world, { generation: 3 })
    for (const generation of [1, 2]) {
      const old = await storeClientSession(world, row as never, { ...row, id: `old ${generation}` as never })
      if (generation === 2) await world.ports.clientSessions.refresh(refreshingOf(old))
      const reused = refreshingOf(old, { generation })
      const { done, refusal } = await refusedWith(world, reused)
      expect(done).toEqual(endOf(old, reused, 'token_reused'))
      expect(refusal.code).toBe('client_session_ended')
    }
  },

  'clientSessions.refresh with another key ends the login, and does not tell that key why': async (world) => {
    for (const generation of [1, 2, 3]) {
      const { row } = await withProgram(world, { generation: 3 })
      const thief = refreshingOf(row, { jkt: newJkt(), generation })
      const { done, refusal } = await refusedWith(world, thief)
      expect(done).toEqual(endOf(row, thief, 'another_key'))
      expect(refusal.code).toBe('client_session_missing')
      const owner = await refusedWith(world, refreshingOf(row, refreshAt(now)))
      expect(owner.refusal).toMatchObject({ code: 'client_session_ended', detail: { reason: 'another_key' } })
      expect(Object.keys(owner.done)).toEqual([expect.stringContaining('+spent')])
    }
  },

  'clientSessions.refresh of another client moves nothing and ends nothing': async (world) => {
    const { row } = await withProgram(world)
    const other = refreshingOf(row, { clientId: 'another' })
    const { done, refusal } = await refusedWith(world, other)
    expect(done).toEqual({ [`+spent ${other.spend.id}`]: other.spend })
    expect(refusal.code).toBe('client_session_missing')
    await world.ports.clientSessions.refresh(refreshingOf(row))
  },

  'clientSessions.refresh of a login that ended, expired or never was spends the proof, and nothing else': async (
    world,
  ) => {
    const { credential } = await newPerson(world)
    for (const [which, row] of Object.entries(await staleClientSessions(world, credential))) {
      const refresh = refreshingOf(row)
      const { done, refusal } = await refusedWith(world, refresh)
      expect(done, which).toEqual({ [`+spent ${refresh.spend.id}`]: refresh.spend })
      const code = which === 'one that ended' ? 'client_session_ended' : 'client_session_missing'
      expect(refusal.code, which).toBe(code)
    }
  },

  'clientSessions.refresh works until the instant of the login’s end': async (world) => {
    const { row } = await withProgram(world)
    const { expiresAt } = row
    const last = await world.ports.clientSessions.refresh(refreshingOf(row, refreshAt(expiresAt - 1)))
    expect(last.session.expiresAt).toBe(expiresAt)
    const late = refreshingOf({ ...row, generation: 2 }, refreshAt(expiresAt))
    expect((await refusedWith(world, late)).refusal.code).toBe('client_session_missing')
  },

  'clientSessions.refresh refuses a replayed proof before all else, and ends nothing': async (world) => {
    const { row } = await withProgram(world)
    const spend = newSpend()
    await world.ports.clientSessions.refresh(refreshingOf(row, { spend }))
    for (const more of [{}, { jkt: newJkt() }, { generation: 2 }]) {
      const replayed = refreshingOf(row, { spend, ...more })
      await expectRefused(world, 'dpop_replayed', () => world.ports.clientSessions.refresh(replayed))
    }
  },
}
