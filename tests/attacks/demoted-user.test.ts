import { expect, test } from 'vitest'
import { lastRefusal } from '../edge.ts'
import { call, newAdmin, newPerson, putDocuments } from '../people.ts'
import { askFor, beginSession, exchangeForm, newProxy, pgDocument, readerRole } from '../proxies.ts'

test('tokens that were given before a role was taken away do nothing that the role was for', async () => {
  const ada = await newAdmin()
  const { edge } = ada
  expect((await putDocuments(ada, [pgDocument(), readerRole('db-reader', false)])).status).toBe(200)
  const bob = await newPerson(ada, 'Bob', ['access', 'editor', 'db-reader'])
  const ask = askFor(await newProxy(edge))
  const grant = () => bob.program.token(exchangeForm(bob.token, ask))
  expect((await grant()).status).toBe(200)
  expect((await call(bob, 'GET', '/v1/users')).status).toBe(200)

  edge.store.raw.exec(
    "delete from user_roles where role in ('editor', 'db-reader') and user_id in (select id from users where name = 'Bob')",
  )
  expect((await call(bob, 'GET', '/v1/users')).status).toBe(403)
  expect(lastRefusal(edge)).toBe('role_missing')
  expect((await putDocuments(bob, [pgDocument('pg-9')])).status).toBe(403)
  expect((await beginSession(bob.program, bob.token, ask)).status).toBe(404)
  expect((await grant()).status).toBe(404)
  expect(lastRefusal(edge)).toBe('resource_unknown')
  const { json } = await call(bob, 'GET', '/v1/me')
  expect(json.roles).toEqual(['access'])
})
