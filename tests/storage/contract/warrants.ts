/** What an administrator's change rests on: a tap that is spent and kept, or a preference under which a recent login is enough. */
import { expect } from 'vitest'
import type { Holder } from '../../../core/model.ts'
import type { SessionClaim } from '../../../core/ports.ts'
import { approvals, clientSessions } from '../../../storage/schema.ts'
import { changes, expectRefused, race } from './changes.ts'
import { changeTo, dbOf, newEditor, roleOf, storeDocuments, warrantOf } from './editors.ts'
import { storeClientSession } from './programs.ts'
import {
  type Cases,
  newCredential,
  newEvent,
  newPerson,
  newSpend,
  now,
  storeCredential,
  tapOf,
  unique,
} from './world.ts'

const written = newEvent('document.put')

export const warrants: Cases = {
  'documents.put in a browser session confirms that it runs and is the user’s': async (world) => {
    const editor = await newEditor(world)
    const stranger = await newPerson(world)
    const put = (claim: SessionClaim, warrant = warrantOf(editor.credential)) =>
      world.ports.documents.put(
        { ...editor.actor, sessionId: claim.id, claim, warrant },
        [changeTo(roleOf('dev'))],
        written,
      )
    await expectRefused(world, 'session_missing', () => put(stranger.claim))
    const forged = { ...editor.claim, secretHash: new Uint8Array(32) }
    await expectRefused(world, 'session_missing', () => put(forged))
    await put(editor.claim)
    expect(await world.ports.documents.list({ name: 'dev' })).toHaveLength(1)
  },

  'documents.put by a tap spends it, moves the counter, keeps the tap and names it in each document': async (world) => {
    const editor = await newEditor(world)
    const warrant = warrantOf(editor.credential, { tapped: tapOf(editor.credential, { counter: 3 }) })
    const actor = { ...editor.actor, warrant }
    const documents = [changeTo(roleOf('dev')), changeTo(dbOf('orders'))]
    const done = await changes(world.store, () => world.ports.documents.put(actor, documents, written))
    const { id } = warrant.tap.intent
    expect(done).toEqual({
      [`+spent ${warrant.spend.id}`]: warrant.spend,
      [`~credentials ${editor.credential.id}`]: { counter: 3, lastUsedAt: now },
      [`+approvals ${id}`]: {
        ...{ intentId: id, tap: warrant.tap, request: warrant.request, userId: editor.user.id, at: now },
      },
      '+documents role/dev': expect.objectContaining({ approvedBy: id }),
      '+documents db/orders': expect.objectContaining({ approvedBy: id }),
      '+audit document.put done': expect.anything(),
    })
  },

  'documents.put by a tap of 50 at once: one; with a key that may not vouch, that is gone, or another preference: none':
    async (world) => {
      const editor = await newEditor(world)
      const weak = await storeCredential(world, newCredential(editor.user.id, { mayVouch: false }))
      const put = (warrant: ReturnType<typeof warrantOf>) =>
        world.ports.documents.put({ ...editor.actor, warrant }, [changeTo(roleOf('dev'))], written)
      await expectRefused(world, 'credential_changed', () => put(warrantOf(weak)))
      const other = tapOf(editor.credential, { preference: 'another' })
      await expectRefused(world, 'preference_changed', () => put(warrantOf(editor.credential, { tapped: other })))
      const spend = newSpend()
      const outcome = await race(50, () => put(warrantOf(editor.credential, { spend })))
      expect(outcome).toEqual({ done: 1, ticket_spent: 49 })
      expect(await world.store.db.$count(approvals)).toBe(1)
    },

  'documents.put by a recent login confirms the preference that says so': async (world) => {
    const { actor } = await newEditor(world)
    const put = (preference: string | undefined) =>
      world.ports.documents.put({ ...actor, warrant: { preference } }, [changeTo(roleOf('dev'))], written)
    await expectRefused(world, 'preference_changed', () => put('another'))
    await put(undefined)
  },

  'documents.remove of another revision removes nothing': async (world) => {
    const { actor } = await newEditor(world)
    await storeDocuments(world, roleOf('dev'))
    const which = { kind: 'role', name: 'dev', expected: 'older' }
    const event = newEvent('document.remove')
    await expectRefused(world, 'document_changed', () => world.ports.documents.remove(actor, which, event))
  },

  'credentials.entrust lets one vouch, keeps the tap, and nothing else; only a lesser one of this user with this key':
    async (world) => {
      const [editor, bob] = [await newEditor(world), await newPerson(world)]
      const lesser = await storeCredential(world, newCredential(bob.user.id, { mayVouch: false }))
      const event = newEvent('passkey.entrust')
      const wanted = { credentialId: lesser.id, userId: bob.user.id, fingerprint: lesser.fingerprint }
      const entrust = (which: typeof wanted, warrant = warrantOf(editor.credential)) =>
        world.ports.credentials.entrust({ ...editor.actor, warrant }, which, event)
      const refused = (more: Partial<typeof wanted>) =>
        expectRefused(world, 'not_found', () => entrust({ ...wanted, ...more }))
      await refused({ userId: editor.user.id })
      await refused({ fingerprint: bob.credential.fingerprint })
      await refused({ credentialId: bob.credential.id, fingerprint: bob.credential.fingerprint })
      const warrant = warrantOf(editor.credential)
      const done = await changes(world.store, () => entrust(wanted, warrant))
      expect(done[`~credentials ${lesser.id}`]).toEqual({ mayVouch: true, entrustedBy: warrant.tap.intent.id })
      expect(
        Object.keys(done)
          .filter((key) => !key.includes('credentials'))
          .sort(),
      ).toEqual([`+approvals ${warrant.tap.intent.id}`, '+audit passkey.entrust done', `+spent ${warrant.spend.id}`])
      await refused({})
    },

  'clientSessions.disown ends all that runs with this key of this user, and nothing of anybody else': async (world) => {
    const [ada, bob] = [await newPerson(world), await newPerson(world)]
    const jkt = unique(32) as Holder
    const mine = [
      await storeClientSession(world, ada.credential, { jkt }),
      await storeClientSession(world, ada.credential, { jkt }),
    ]
    await storeClientSession(world, ada.credential)
    await storeClientSession(world, bob.credential, { jkt })
    const event = newEvent('tap.disown')
    const done = await changes(world.store, () => world.ports.clientSessions.disown(ada.claim, jkt, event))
    const ended = { endedAt: now, endReason: 'disowned', endedBy: 'request' }
    expect(done).toEqual({
      ...Object.fromEntries(mine.map(({ id }) => [`~clientSessions ${id}`, ended])),
      '+audit tap.disown done': expect.anything(),
    })
    const claim = { ...ada.claim, secretHash: bob.claim.secretHash }
    await expectRefused(world, 'session_missing', () => world.ports.clientSessions.disown(claim, jkt, event))
    expect((await world.store.db.select().from(clientSessions)).filter(({ endedAt }) => endedAt === null)).toHaveLength(
      2,
    )
  },
}
