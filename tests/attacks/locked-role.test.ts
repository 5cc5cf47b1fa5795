import { expect, test } from 'vitest'
import { login } from '../client.ts'
import { lastRefusal } from '../edge.ts'
import { call, lockOn, newAdmin, newPerson, putDocuments } from '../people.ts'
import { approvalBody, askOf } from '../program.ts'
import { askFor, beginSession, exchangeForm, newProxy, pgDocument, readerRole, tapTicket } from '../proxies.ts'

/** Bob reaches pg-1 by the role db-reader, and has tapped for a session already. */
async function newWorld() {
  const ada = await newAdmin()
  const { edge } = ada
  expect((await putDocuments(ada, [pgDocument(), readerRole()])).status).toBe(200)
  const bob = await newPerson(ada, 'Bob', ['access', 'db-reader'])
  const ask = askFor(await newProxy(edge))
  const { json } = await beginSession(bob.program, bob.token, ask)
  const tap = await tapTicket(bob.visitor, bob.passkey, json.ticket)
  const grant = () => bob.program.token(exchangeForm(bob.token, ask, tap))
  return { edge, ada, bob, grant }
}

test('whoever holds a locked role gets nothing, whatever he had before; others do', async () => {
  const { edge, ada, bob, grant } = await newWorld()
  const eve = await newPerson(ada, 'Eve', ['access'])
  const asked = askOf(bob.program.key)
  const approval = await approvalBody(bob.visitor, bob.passkey, asked.parameters)
  expect((await putDocuments(ada, [lockOn({ role: 'db-reader' }, 'Audit until Friday.')])).status).toBe(200)
  const attempts = {
    login: () => login(edge.visitor(), bob.passkey),
    approval: () => bob.visitor.post('/v1/authorize/finish', approval),
    refresh: () => bob.program.refresh(bob.refreshToken),
    call: () => call(bob, 'GET', '/v1/me'),
    grant,
  }
  for (const [name, attempt] of Object.entries(attempts)) {
    const { status, json } = await attempt()
    expect([name, status, json.message ?? json.error_description]).toEqual([
      ...[name, 403, expect.stringContaining('A role of this user is locked: Audit until Friday.')],
    ])
    expect([name, lastRefusal(edge)]).toEqual([name, 'user_locked'])
  }
  const [{ detail }] = edge.rows("select detail from audit where code = 'user_locked' order by seq desc limit 1") as [
    Record<string, unknown>,
  ]
  expect(JSON.parse(String(detail))).toMatchObject({ lock: 'l' })
  expect((await call(eve, 'GET', '/v1/me')).status).toBe(200)

  expect((await call(ada, 'DELETE', '/v1/documents/lock/l')).status).toBe(200)
  expect((await call(bob, 'GET', '/v1/me')).status).toBe(200)
})

test('nobody locks a role that he holds, and the one that lifts locks cannot be locked', async () => {
  const ada = await newAdmin()
  const held = await putDocuments(ada, [lockOn({ role: 'access' })])
  expect(held).toMatchObject({ status: 409, json: { error: 'own_account' } })
  expect(held.json.message).toContain('You hold the role access: this lock would keep you out too.')
  const editor = await putDocuments(ada, [lockOn({ role: 'editor' })])
  expect(editor).toMatchObject({ status: 422, json: { error: 'document_invalid' } })
  expect(editor.json.message).toContain('nobody could lift the lock')
  expect(ada.edge.rows("select name from documents where kind = 'lock'")).toEqual([])
  // Who does not hold it may.
  const eve = await newPerson(ada, 'Eve', ['editor'])
  expect((await putDocuments(eve, [lockOn({ role: 'access' })])).status).toBe(200)
  expect((await call(ada, 'GET', '/v1/me')).status).toBe(403)
})

test('a lock on a role in another spelling is no lock, so it is refused', async () => {
  const ada = await newAdmin()
  for (const role of ['DB-Reader', 'db-reader ', 'db‑reader', 'ｄb-reader', 'db-reader\n'])
    expect([role, (await putDocuments(ada, [lockOn({ role })])).status]).toEqual([role, 422])
})
