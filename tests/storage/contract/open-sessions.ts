/** Sessions on resources: from what proxies tell to their being ended. */
import { expect } from 'vitest'
import { longestSession } from '../../../core/access/constraints.ts'
import { hours, type UserId } from '../../../core/model.ts'
import type { OpenedAt, SessionChange } from '../../../core/proxy-ports.ts'
import { expectRefused, race } from './changes.ts'
import { newEditor } from './editors.ts'
import { type Cases, newEvent, now, unique, type World } from './world.ts'

async function newProxy({ ports }: World) {
  const proxy = { id: unique(), name: unique(), x: 'x', registeredAt: now }
  await ports.proxies.add(proxy, newEvent('proxy.add'))
  return proxy
}

const openedBy = (userId: UserId, more: Partial<OpenedAt> = {}): OpenedAt => ({
  ...{ id: unique(), userId, boot: 'b1', kind: 'db', resource: 'pg-1', principal: 'user reader', impersonated: null },
  ...{ address: '192.0.2.7', openedAt: now },
  ...more,
})

const tell = ({ ports }: World, proxyId: string, ...changes: readonly SessionChange[]) =>
  ports.events.record(changes.map((session) => ({ id: unique(), event: newEvent('session.start'), proxyId, session })))

async function newWorld(world: World) {
  const [who, proxy] = [await newEditor(world), await newProxy(world)]
  const listed = async (at = now) => (await world.ports.openSessions.list({}, at)).map(({ id }) => id)
  const open = async (more: Partial<OpenedAt> = {}) => {
    const opened = openedBy(who.user.id, more)
    await tell(world, proxy.id, { kind: 'opened', opened })
    return opened
  }
  const end = (id: string, owner = who.user.id) =>
    world.ports.openSessions.end(who.actor, { id, owner }, newEvent('session.disconnect', { userId: who.user.id }))
  return { who, proxy, listed, open, end }
}

export const openSessions: Cases = {
  'events.record lists a session from its beginning to its end, told however often': async (world) => {
    const { who, proxy, listed, open } = await newWorld(world)
    const opened = await open({ impersonated: 'jenkins' })
    await tell(world, proxy.id, { kind: 'opened', opened: { ...opened, resource: 'another' } })
    expect(await world.ports.openSessions.list({}, now)).toEqual([
      {
        id: opened.id,
        user: who.user,
        resource: { kind: 'db', name: 'pg-1' },
        principal: 'user reader',
        impersonated: 'jenkins',
        proxy: proxy.name,
        address: '192.0.2.7',
        openedAt: now,
      },
    ])
    const other = await newProxy(world)
    await tell(world, other.id, { kind: 'closed', id: opened.id })
    expect(await listed()).toEqual([opened.id])
    await tell(world, proxy.id, { kind: 'closed', id: opened.id })
    expect(await listed()).toEqual([])
  },

  'a proxy that has started anew has open what it opened since': async (world) => {
    const { proxy, listed, open } = await newWorld(world)
    const other = await newProxy(world)
    const [before, since] = [await open({ boot: 'b1' }), await open({ boot: 'b2' })]
    await tell(world, other.id, { kind: 'started', boot: 'b2' })
    expect(await listed()).toHaveLength(2)
    await tell(world, proxy.id, { kind: 'started', boot: 'b2' })
    expect(await listed()).toEqual([since.id])
    expect(before.id).not.toBe(since.id)
  },

  'openSessions.list by id, user and name; nothing that no proxy can have open any more': async (world) => {
    const { who, proxy, open } = await newWorld(world)
    const other = await newEditor(world)
    const [mine, latest] = [await open(), await open({ openedAt: now + 1 })]
    await tell(world, proxy.id, { kind: 'opened', opened: openedBy(other.user.id) })
    const { list } = world.ports.openSessions
    const ids = async (which: Parameters<typeof list>[0], at = now) => (await list(which, at)).map(({ id }) => id)
    expect(await ids({ userId: who.user.id })).toEqual([latest.id, mine.id])
    expect(await ids({ name: who.user.name.toUpperCase(), id: mine.id })).toEqual([mine.id])
    expect(await ids({ userId: other.user.id, id: mine.id })).toEqual([])
    const over = now + longestSession + hours(1)
    expect([(await ids({}, over - 1)).length, await ids({}, over)]).toEqual([3, [latest.id]])
    await world.ports.proxies.remove(proxy.name, newEvent('proxy.remove'))
    expect(await ids({})).toEqual([])
  },

  'openSessions.end tells the proxy that has it open, and once: of 50 at once one is in time': async (world) => {
    const { proxy, listed, open, end } = await newWorld(world)
    const [ended, other] = [await open(), await open()]
    expect(await race(50, () => end(ended.id))).toEqual({ done: 1, session_unknown: 49 })
    expect(await listed()).toEqual([other.id])
    const { head } = world.ports.snapshots
    expect((await head(proxy.id, now)).endedSessions).toEqual([ended.id])
    expect((await head((await newProxy(world)).id, now)).endedSessions).toEqual([])
    // Its end was never told: nobody can have it open any more.
    expect((await head(proxy.id, now + longestSession + hours(1))).endedSessions).toEqual([])
    await tell(world, proxy.id, { kind: 'closed', id: ended.id })
    expect((await head(proxy.id, now)).endedSessions).toEqual([])
  },

  'openSessions.end refuses what is not there, and what is another user’s': async (world) => {
    const { open, end, listed } = await newWorld(world)
    const other = await newEditor(world)
    const opened = await open()
    await expectRefused(world, 'session_unknown', () => end(unique()))
    await expectRefused(world, 'session_unknown', () => end(opened.id, other.user.id))
    expect(await listed()).toEqual([opened.id])
  },
}
