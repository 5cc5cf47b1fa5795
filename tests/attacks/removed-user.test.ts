import { expect, test } from 'vitest'
import { addPasskey, login, removePasskey } from '../client.ts'
import { lastRefusal, newLogin, signIn } from '../edge.ts'
import { addUser, call, endsOf, newAdmin, newInvitation, newPerson, personOf, tapFor } from '../people.ts'
import { approve, askOf, parametersAt } from '../program.ts'

test('with a user everything ends: passkey, browser, programs, roles', async () => {
  const ada = await newAdmin()
  const { edge } = ada
  const bob = await newPerson(ada, 'Bob', ['access', 'editor'])
  expect((await call(ada, 'DELETE', '/v1/users/bob')).status).toBe(200)
  expect((await login(edge.visitor(), bob.passkey)).status).toBe(401)
  expect((await bob.visitor.get('/account')).status).toBe(302)
  expect(await call(bob, 'GET', '/v1/me')).toMatchObject({ status: 401, json: { error: 'invalid_token' } })
  const refreshed = await bob.program.refresh(bob.refreshToken)
  expect(refreshed).toMatchObject({ status: 400, json: { error: 'invalid_grant' } })
  expect(refreshed.json.error_description).toMatch(/^The user was removed\./)
  expect(edge.rows("select role from user_roles inner join users on users.id = user_id where name = 'Bob'")).toEqual([])
  expect((await call(ada, 'DELETE', '/v1/users/Bob')).status).toBe(404)
})

test('a namesake who comes later has nothing of the one who was removed', async () => {
  const ada = await newAdmin()
  const bob = await newPerson(ada, 'Bob', ['access', 'editor'])
  await call(ada, 'DELETE', '/v1/users/Bob')
  const other = await newPerson(ada, 'Bob', ['access'])
  expect((await call(other, 'GET', '/v1/users')).status).toBe(403)
  expect((await call(bob, 'GET', '/v1/me')).status).toBe(401)
  expect((await login(ada.edge.visitor(), bob.passkey)).status).toBe(401)
  const page = (await other.visitor.get('/account')).text
  expect(page).not.toContain('The user was removed.')
})

test('a code and a tap that he gave before have no effect after', async () => {
  const ada = await newAdmin()
  const { edge } = ada
  const bob = await newPerson(ada, 'Bob')
  const asked = askOf(bob.program.key)
  const code = parametersAt((await approve(bob.visitor, bob.passkey, asked)).json.location).get('code') ?? ''
  await call(ada, 'DELETE', '/v1/users/Bob')
  expect((await bob.program.token(bob.program.codeForm(code, asked))).status).toBeGreaterThanOrEqual(400)
  expect(lastRefusal(edge)).toBe('credential_changed')
  expect(edge.rows('select id from client_sessions where ended_at is null')).toHaveLength(1)
})

test('with a passkey the programs end that it approved, and say so; others go on', async () => {
  const { edge, visitor, passkey, ...ada } = await newAdmin()
  const second = await edge.authenticator()
  await addPasskey(visitor, passkey, second)
  const { program, tokens } = await newLogin(edge, await signIn(edge, second), second)
  expect((await removePasskey(visitor, passkey, second.credentialId)).status).toBe(200)
  expect((await program.call('GET', '/v1/me', tokens.access_token)).status).toBe(401)
  const { json } = await program.refresh(tokens.refresh_token)
  expect(json.error_description).toMatch(/^The passkey that approved this login was removed\./)
  expect((await visitor.get('/account')).text).toContain('The passkey that approved this login was removed.')
  expect((await ada.program.call('GET', '/v1/me', ada.token)).status).toBe(200)
  expect((await ada.program.refresh(ada.refreshToken)).status).toBe(200)
})

test('a code that a passkey approved is worth nothing once it is removed', async () => {
  const { edge, visitor, passkey } = await newAdmin()
  const second = await edge.authenticator()
  await addPasskey(visitor, passkey, second)
  const program = await edge.program()
  const asked = askOf(program.key)
  const code = parametersAt((await approve(visitor, second, asked)).json.location).get('code') ?? ''
  await removePasskey(visitor, passkey, second.credentialId)
  expect((await program.token(program.codeForm(code, asked))).status).toBe(400)
  expect(lastRefusal(edge)).toBe('credential_changed')
})

test('an administrative tap of a passkey that was removed meanwhile does nothing', async () => {
  const { edge, visitor, passkey } = await newAdmin()
  const second = await edge.authenticator()
  await addPasskey(visitor, passkey, second)
  const ada = await personOf(edge, visitor, passkey)
  const { body } = await newInvitation('Bob')
  const tap = await tapFor(ada, body, { visitor, passkey: second })
  await removePasskey(visitor, passkey, second.credentialId)
  expect((await addUser(ada, body, tap)).status).toBe(401)
  expect(lastRefusal(edge)).toMatch(/^credential_(changed|unknown)$/)
})

test('each end is written down once, with its reason', async () => {
  const ada = await newAdmin()
  const bob = await newPerson(ada, 'Bob')
  const [{ id } = {}] = ada.edge.rows(
    "select client_sessions.id from client_sessions inner join users on users.id = user_id where name = 'Bob'",
  )
  expect((await bob.visitor.post(`/v1/client-sessions/${id}/end`, {})).status).toBe(200)
  expect((await bob.visitor.post(`/v1/client-sessions/${id}/end`, {})).status).toBe(404)
  expect(endsOf(ada.edge).filter((row) => row['detail'] === null)).toHaveLength(1)
  expect((await bob.program.refresh(bob.refreshToken)).json.error_description).toMatch(/ended by you/)
})
