/** program-trips.workerd.test.ts, for sessions: what an ask and its grant cost, however many resources there are. */
import { applyD1Migrations } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import type { Document } from '../../core/access/document.ts'
import { addProxy, proxyOf } from '../../core/access/proxies.ts'
import { base64url } from '../../core/lib/bytes.ts'
import { openD1 } from '../../storage/d1.ts'
import { documents, userRoles, users } from '../../storage/schema.ts'
import { askFor, beginSession, exchangeForm, newBoot, pgDocument, readerRole, tapTicket } from '../session-asks.ts'
import { asking } from './contract/world.ts'
import { emptied } from './emptied.ts'
import { newAdministrator, succeeds, trips, withTokens } from './trips.ts'

beforeAll(() => applyD1Migrations(env.DB, env.MIGRATIONS))
beforeEach(() => emptied(openD1(env.DB)))

/** As if an administrator had: what that costs stands elsewhere. */
async function write(...all: readonly Document[]): Promise<void> {
  const { db } = openD1(env.DB)
  const [first] = await db.select({ id: users.id }).from(users)
  if (!first) throw new Error('nobody')
  const by = { revision: 'first', updatedAt: 0, updatedBy: first.id, approvedBy: null }
  const none = { maxSessionTtl: null, deviceFlow: null, lockKey: null, expiresAt: null }
  for (const document of all)
    await db.insert(documents).values({ kind: document.kind, name: document.metadata.name, document, ...by, ...none })
}

/** An administrator who reaches a database through a proxy. */
async function withSessions(tap: boolean) {
  const ada = await withTokens(await newAdministrator())
  const many = Array.from({ length: 100 }, (_, i) => pgDocument(`other-${i}`))
  await write(pgDocument(), ...many, readerRole('db-reader', tap))
  const { db } = openD1(env.DB)
  for (const { id } of await db.select({ id: users.id }).from(users))
    await db.insert(userRoles).values({ userId: id, role: 'db-reader' })
  const { ports } = ada.process
  const proxy = proxyOf('p1', base64url(crypto.getRandomValues(new Uint8Array(32))), ports.now())
  if (!proxy) throw new Error('no proxy')
  await addProxy(ports, asking, proxy)
  const ask = askFor({ id: proxy.id, boot: newBoot() })
  const grant = async (between: () => Promise<void> = async () => undefined) => {
    let tapped: string | undefined
    const begun = await trips(async () => {
      const { json } = await beginSession(ada.program, ada.token, ask)
      tapped = json.ticket
    })
    const asked = structuredClone(begun)
    await between()
    const sent = tapped === undefined ? undefined : await tapTicket(ada.visitor, ada.passkey, tapped)
    const granted = await trips(() => succeeds(ada.program.token(exchangeForm(ada.token, ask, sent))))
    return [asked.database, granted.database]
  }
  return { grant }
}

test('a session: the call, then proxy and policy at once, read where it has changed; its grant: 1 batch', async () => {
  const { grant } = await withSessions(false)
  expect(await grant()).toEqual([[5, 2, 1], [7]])
  expect(await grant()).toEqual([[5, 1, 1], [7]])
})

test('the same with a tap, which the batch confirms', async () => {
  const { grant } = await withSessions(true)
  await grant()
  expect(await grant()).toEqual([[5, 1, 1], [11]])
})

test('after a change of the policy the ask reads it anew; in between one batch is tried in vain, and caller and policy are read', async () => {
  const { grant } = await withSessions(false)
  await grant()
  await write(pgDocument('one-more'))
  expect(await grant()).toEqual([[5, 1, 1, 2], [7]])
  expect(await grant(() => write(pgDocument('another')))).toEqual([
    [5, 1, 1],
    [7, 5, 1, 2, 6],
  ])
  expect(await grant()).toEqual([[5, 1, 1], [7]])
})
