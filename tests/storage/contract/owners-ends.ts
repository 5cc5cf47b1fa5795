/** logins.list and logins.end: browsers and programs alike. credentials.of and removeBy: the same for a program. */

import { expect } from 'vitest'
import type { Actor } from '../../../core/admin-ports.ts'
import { hours, type UserId } from '../../../core/model.ts'
import { changes, expectRefused, race } from './changes.ts'
import { type Editor, giveRoles, heldBy, newEditor } from './editors.ts'
import { staleClientSessions, storeClientSession } from './programs.ts'
import {
  type Cases,
  ends,
  from,
  newCredential,
  newEvent,
  newPerson,
  newSpend,
  now,
  staying,
  storeCredential,
  storeSession,
  tapOf,
  type World,
} from './world.ts'

const ending = newEvent('login.end')
export const own = ({ actor }: Editor) => ({ ...actor, by: [] })
const targetOf = ({ user }: Pick<Editor, 'user'>, id: string) =>
  ({ id, owner: user.id, reason: 'administrator' }) as const

async function withTwo(world: World) {
  const editor = await newEditor(world)
  return { editor, second: await storeCredential(world, newCredential(editor.user.id)) }
}

export const removingBy = ({ credential }: Editor, leaving: ReturnType<typeof newCredential>, more: object = {}) => ({
  ...{ spend: newSpend(), tapped: tapOf(credential), credentialId: leaving.id, revision: leaving.fingerprint },
  ...{ staying, event: newEvent('passkey.remove', { userId: credential.userId }), ...more },
})

export const ownersEnds: Cases = {
  'logins.list answers browsers and programs that run, newest first, of all or of one, and writes nothing': async (
    world,
  ) => {
    const [one, other] = [await newEditor(world), await newEditor(world)]
    await staleClientSessions(world, one.credential)
    await storeSession(world, one.credential, { endedAt: now })
    const late = await storeSession(world, one.credential, { openedAt: now + 5 })
    const browser = {
      kind: 'browser',
      user: one.user,
      clientId: undefined,
      via: 'passkey',
      lastSeenAt: now,
      expiresAt: ends,
      origin: from,
    }
    const done = await changes(world.store, async () => {
      const listed = await world.ports.logins.list({ userId: one.user.id }, now)
      expect(listed[0]).toStrictEqual({ ...browser, id: late.id, openedAt: now + 5 })
      expect(listed.map(({ id }) => id)).toContain(one.program.id)
      expect(listed.map(({ id }) => id)).toContain(one.session.id)
      expect(listed.find(({ id }) => id === one.program.id)).toMatchObject({
        ...{ kind: 'program', user: one.user, clientId: one.program.clientId, lastSeenAt: one.program.rotatedAt },
      })
      const named = await world.ports.logins.list({ name: one.user.name.toUpperCase() }, now)
      expect(named).toStrictEqual(listed)
      const all = (await world.ports.logins.list({}, now)).map(({ id }) => id)
      expect(all).toHaveLength(listed.length + 2)
      expect(all).toContain(other.program.id)
      expect(await world.ports.logins.list({ name: 'nobody' }, now)).toEqual([])
      for (const { id } of [late, one.program]) {
        expect((await world.ports.logins.list({ id }, now)).map((found) => found.id)).toEqual([id])
        expect(await world.ports.logins.list({ id, userId: other.user.id }, now)).toEqual([])
      }
    })
    expect(done).toEqual({})
  },

  'logins.end ends a browser’s or a program’s with one audit row, and nothing else': async (world) => {
    const [editor, other] = [await newEditor(world), await newEditor(world)]
    const { logins } = world.ports
    const audited = { '+audit login.end done': expect.objectContaining({ outcome: 'done' }) }
    expect(
      await changes(world.store, () => logins.end(editor.actor, targetOf(other, other.session.id), ending)),
    ).toEqual({ [`~sessions ${other.session.id}`]: { endedAt: now }, ...audited })
    expect(
      await changes(world.store, () => logins.end(editor.actor, targetOf(other, other.program.id), ending)),
    ).toEqual({
      [`~clientSessions ${other.program.id}`]: { endedAt: now, endReason: 'administrator', endedBy: 'request' },
      ...audited,
    })
  },

  'logins.end wants no role for one’s own, and a role for those of others': async (world) => {
    const { user, credential } = await newPerson(world)
    await giveRoles(world, { user }, 'access')
    const program = await storeClientSession(world, credential)
    const actor = { userId: user.id, sessionId: program.id }
    const other = await storeSession(world, credential)
    const end = (by: Actor['by']) => world.ports.logins.end({ ...actor, by }, targetOf({ user }, other.id), ending)
    await expectRefused(world, 'role_missing', () => end(heldBy('editor')))
    await end([])
  },

  'logins.end refuses what is unknown, another’s, over or ended, and a caller whose login does not run': async (
    world,
  ) => {
    const [editor, other] = [await newEditor(world), await newEditor(world)]
    const refused = (code: Parameters<typeof expectRefused>[1], id: string, owner: UserId, actor = own(editor)) =>
      expectRefused(world, code, () => world.ports.logins.end(actor, { id, owner, reason: 'revoked' }, ending))
    await refused('login_unknown', 'nobody', other.user.id)
    await refused('login_unknown', other.session.id, editor.user.id)
    await refused('login_unknown', other.program.id, editor.user.id)
    const ended = await storeSession(world, other.credential, { endedAt: now - 1 })
    const over = await storeSession(world, other.credential, { expiresAt: now })
    const idle = await storeSession(world, other.credential, { lastSeenAt: now - hours(1) })
    for (const { id } of [ended, over, idle]) await refused('login_unknown', id, other.user.id)
    const stale = Object.values(await staleClientSessions(world, editor.credential))
    for (const { id: sessionId } of stale)
      await refused('token_invalid', editor.session.id, editor.user.id, { ...own(editor), sessionId })
  },

  'logins.end of one by 50: one audit row': async (world) => {
    const [editor, other] = [await newEditor(world), await newEditor(world)]
    const outcome = await race(50, () =>
      world.ports.logins.end(editor.actor, targetOf(other, other.session.id), ending),
    )
    expect(outcome).toEqual({ done: 1, login_unknown: 49 })
  },

  'credentials.of answers those of one user that are not removed, oldest first': async (world) => {
    const { editor, second } = await withTwo(world)
    await newPerson(world)
    await storeCredential(world, newCredential(editor.user.id), { removedAt: now })
    const older = await storeCredential(world, newCredential(editor.user.id, { createdAt: now - 1 }))
    const ids = (await world.ports.credentials.of(editor.user.id)).map(({ id }) => id)
    expect(ids[0]).toBe(older.id)
    expect([...ids].sort()).toEqual([older.id, editor.credential.id, second.id].sort())
  },

  'credentials.removeBy removes with what it opened, moves the counter, writes one audit row, and nothing else': async (
    world,
  ) => {
    const { editor, second } = await withTwo(world)
    const opened = await storeSession(world, second)
    const program = await storeClientSession(world, second)
    const removing = removingBy(editor, second, { tapped: tapOf(editor.credential, { counter: 2 }) })
    expect(await changes(world.store, () => world.ports.credentials.removeBy(own(editor), removing))).toEqual({
      [`+spent ${removing.spend.id}`]: removing.spend,
      [`~credentials ${editor.credential.id}`]: { counter: 2, lastUsedAt: now },
      [`~credentials ${second.id}`]: { removedAt: now },
      [`~sessions ${opened.id}`]: { endedAt: now },
      [`~clientSessions ${program.id}`]: { endedAt: now, endReason: 'passkey_removed', endedBy: 'request' },
      '+audit passkey.remove done': expect.objectContaining({ userId: editor.user.id }),
    })
  },

  'credentials.removeBy refuses what credentials.remove refuses, and a login that does not run': async (world) => {
    const { editor, second } = await withTwo(world)
    const weak = await storeCredential(world, newCredential(editor.user.id, { mayVouch: false }))
    const { removeBy } = world.ports.credentials
    const refused = (code: Parameters<typeof expectRefused>[1], leaving: typeof second, more: object = {}) =>
      expectRefused(world, code, () => removeBy(own(editor), removingBy(editor, leaving, more)))
    await refused('not_found', second, { revision: weak.fingerprint })
    await refused('not_found', (await newPerson(world)).credential)
    await refused('not_found', second, { tapped: tapOf(weak) })
    await refused('credential_changed', second, { tapped: { ...tapOf(editor.credential), fingerprint: 'x' } })
    const stale = Object.values(await staleClientSessions(world, editor.credential))
    for (const { id: sessionId } of stale) {
      const actor = { ...own(editor), sessionId }
      await expectRefused(world, 'token_invalid', () => removeBy(actor, removingBy(editor, second)))
    }
    const alone = await newEditor(world)
    await expectRefused(world, 'last_passkey', () => removeBy(own(alone), removingBy(alone, alone.credential)))
  },
}
