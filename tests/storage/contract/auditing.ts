/** audit.list: what happened, newest first, in pages. */
import { expect } from 'vitest'
import type { AuditEvent } from '../../../core/audit.ts'
import { changes } from './changes.ts'
import { newEditor, newInvited } from './editors.ts'
import { type Cases, from, here, newEvent, newPerson, newUser, now, type World } from './world.ts'

const newest = Number.MAX_SAFE_INTEGER

async function record({ ports }: World, ...events: readonly AuditEvent[]): Promise<void> {
  for (const event of events) await ports.audit.record(event)
}

export const auditing: Cases = {
  'audit.list answers a row as it was recorded, with the user’s name, and writes nothing': async (world) => {
    const { user } = await newPerson(world)
    const detail = { why: 'ünï "code" 漢字 \u2028', counter: 4_294_967_295, isRoot: false }
    await record(world, newEvent('login', { outcome: 'refused', code: 'ticket_spent', userId: user.id, detail }))
    const done = await changes(world.store, async () =>
      expect(await world.ports.audit.list({ before: newest, limit: 10 })).toStrictEqual([
        {
          ...{ seq: expect.any(Number), at: now, kind: 'login', outcome: 'refused', code: 'ticket_spent' },
          ...{ user: user.name, from, requestId: 'request', detail },
        },
      ]),
    )
    expect(done).toEqual({})
  },

  'audit.find answers one number, or all of one request newest first, and of one user only his own': async (world) => {
    const [ada, bob] = [await newPerson(world), await newPerson(world)]
    const asking = { requestId: 'AbCd-1234_xyz', from }
    await record(
      world,
      newEvent('session.grant', { asking, userId: ada.user.id }),
      newEvent('session.approve', { asking, userId: bob.user.id }),
      newEvent('login', { userId: ada.user.id }),
    )
    const kinds = async (id: string, userId?: typeof ada.user.id) =>
      (await world.ports.audit.find(id, userId)).map(({ kind }) => kind)
    expect(await kinds('AbCd-1234_xyz')).toEqual(['session.approve', 'session.grant'])
    expect(await kinds('AbCd-1234_xyz', ada.user.id)).toEqual(['session.grant'])
    const [newestRow] = await world.ports.audit.list({ before: newest, limit: 1 })
    expect(await kinds(String(newestRow?.seq))).toEqual(['login'])
    expect(await kinds(String(newestRow?.seq), bob.user.id)).toEqual([])
    expect(await kinds('999999999')).toEqual([])
    expect(await kinds('no such request')).toEqual([])
  },

  'users.withRoles answers name, roles and traits, whatever the letter case, and nobody who was removed': async (
    world,
  ) => {
    const [editor, { user }] = [await newEditor(world), await newPerson(world)]
    const find = () => world.ports.users.withRoles(user.name.toUpperCase())
    expect((await find())?.id).toBe(user.id)
    expect(await world.ports.users.withRoles('nobody')).toBeUndefined()
    expect(await world.ports.users.withRoles(editor.user.name)).toStrictEqual({
      ...{ id: editor.user.id, name: editor.user.name },
      roles: expect.arrayContaining(['editor']),
    })
    await world.ports.users.remove(editor.actor, user, newEvent('user.remove', { userId: editor.user.id }), [])
    expect(await find()).toBeUndefined()
  },

  'audit.list says nothing where nothing is known': async (world) => {
    await record(world, newEvent('request'))
    expect((await world.ports.audit.list({ before: newest, limit: 1 }))[0]).toMatchObject({
      ...{ code: undefined, user: undefined, detail: undefined },
    })
  },

  'audit.list answers page by page, newest first, each row once': async (world) => {
    const events = Array.from({ length: 7 }, (_, i) => newEvent('login', { at: now + i }))
    await record(world, ...events)
    const seen: number[] = []
    let before = newest
    for (let page = await world.ports.audit.list({ before, limit: 3 }); page.length > 0; ) {
      seen.push(...page.map(({ at }) => at - now))
      before = page.at(-1)?.seq ?? 0
      page = await world.ports.audit.list({ before, limit: 3 })
    }
    expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0])
  },

  'audit.list finds by kind and by user, whatever the letter case, a user who was removed too': async (world) => {
    const [editor, person] = [await newEditor(world), await newPerson(world)]
    await record(
      world,
      newEvent('login', { userId: person.user.id }),
      newEvent('logout', { userId: person.user.id }),
      newEvent('login', { userId: editor.user.id }),
    )
    await world.ports.users.remove(
      editor.actor,
      person.user,
      newEvent('user.remove', { userId: editor.user.id }),
      here.rpIds,
    )
    const kinds = async (query: { user?: string; kind?: string }) =>
      (await world.ports.audit.list({ before: newest, limit: 10, ...query })).map(({ kind }) => kind)
    expect(await kinds({ user: person.user.name.toUpperCase() })).toEqual(['logout', 'login'])
    expect(await kinds({ user: person.user.name, kind: 'login' })).toEqual(['login'])
    expect(await kinds({ kind: 'login' })).toEqual(['login', 'login'])
    expect(await kinds({ user: 'nobody' })).toEqual([])
    expect(await kinds({ kind: '%' })).toEqual([])
  },

  'audit.list finds rows of both who bore a name, one after the other': async (world) => {
    const [editor, first] = [await newEditor(world), await newPerson(world)]
    await world.ports.users.remove(editor.actor, first.user, newEvent('user.remove'), here.rpIds)
    const { user } = await newInvited(world, { user: newUser(first.user.name) })
    await record(world, newEvent('login', { userId: first.user.id }), newEvent('logout', { userId: user.id }))
    const found = await world.ports.audit.list({ before: newest, limit: 10, user: user.name })
    expect(found.map(({ kind }) => kind)).toEqual(['logout', 'login'])
  },
}
