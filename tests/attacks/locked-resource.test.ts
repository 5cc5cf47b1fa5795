import { expect, test } from 'vitest'
import type { Json } from '../../core/intent.ts'
import { lastRefusal } from '../edge.ts'
import { lockOn, newAdmin, newPerson, putDocuments } from '../people.ts'
import { askFor, beginSession, exchangeForm, newProxy, pgDocument, readerRole, tapTicket } from '../proxies.ts'

async function newWorld() {
  const ada = await newAdmin()
  expect((await putDocuments(ada, [pgDocument('pg-1'), pgDocument('pg-2'), readerRole()])).status).toBe(200)
  const bob = await newPerson(ada, 'Bob', ['access', 'db-reader'])
  const [proxy, another] = [await newProxy(ada.edge), await newProxy(ada.edge, 'p2')]
  return { edge: ada.edge, ada, bob, proxy, another }
}

test('a locked resource, or one behind a locked proxy, is granted to nobody, whatever was tapped before', async () => {
  for (const of of ['db', 'proxy']) {
    const { edge, ada, bob, proxy, another } = await newWorld()
    const ask = askFor(proxy)
    const { json } = await beginSession(bob.program, bob.token, ask)
    const tap = await tapTicket(bob.visitor, bob.passkey, json.ticket)
    const target: Record<string, string> = of === 'db' ? { db: 'pg-1' } : { proxy: proxy.id }
    expect((await putDocuments(ada, [lockOn(target, 'Moving house.')])).status).toBe(200)
    for (const attempt of [
      () => beginSession(bob.program, bob.token, ask),
      () => bob.program.token(exchangeForm(bob.token, ask, tap)),
    ]) {
      const { status, text } = await attempt()
      expect(status).toBe(403)
      expect(text).toContain('is locked: Moving house.')
      expect(lastRefusal(edge)).toBe('session_refused')
    }
    const other = of === 'db' ? askFor(proxy, 'pg-2') : askFor(another)
    expect((await beginSession(bob.program, bob.token, other)).status).toBe(200)
    // A proxy that is locked hears of it, and tells what happened: so an honest one cuts what is open.
    const asked = await proxy.call('/v1/proxy/snapshot', { nonce: 'n' })
    expect(asked.status).toBe(200)
    expect(JSON.stringify(asked.json.snapshot)).toContain('Moving house.')
    const event: Json = { id: 'e', at: edge.ports.now(), kind: 'session.stop', session: 's', address: '192.0.2.1' }
    expect((await proxy.call('/v1/proxy/events', { events: [event] })).status).toBe(200)
  }
})

test('a lock that comes between the decision and the grant stops the grant', async () => {
  const { edge, ada, bob, proxy } = await newWorld()
  const ask = askFor(proxy)
  const { json } = await beginSession(bob.program, bob.token, ask)
  const tap = await tapTicket(bob.visitor, bob.passkey, json.ticket)
  const { policies } = edge.ports
  const [before, { newest }] = [await policies.newest(), policies]
  expect((await putDocuments(ada, [lockOn({ db: 'pg-1' })])).status).toBe(200)
  // What was read to decide is from the moment before.
  Object.assign(policies, { newest: async () => before })
  expect((await bob.program.token(exchangeForm(bob.token, ask, tap))).status).not.toBe(200)
  expect(lastRefusal(edge)).toBe('policy_changed')
  Object.assign(policies, { newest })
  expect((await bob.program.token(exchangeForm(bob.token, ask, tap))).status).not.toBe(200)
  expect(lastRefusal(edge)).toBe('session_refused')
})
