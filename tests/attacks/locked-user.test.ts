import { expect, test } from 'vitest'
import { login } from '../client.ts'
import { lastRefusal } from '../edge.ts'
import {
  acceptBody,
  addUser,
  call,
  endsOf,
  invite,
  lockOf,
  loginsOf,
  newAdmin,
  newInvitation,
  newPerson,
  type Person,
  personOf,
  putDocuments,
} from '../people.ts'
import { approvalBody, askOf } from '../program.ts'

const message = 'Ask the help desk'

/** Bob with a program, and a lock on his name. */
async function locked(spec: Parameters<typeof lockOf>[1] = { message }, roles: readonly string[] = ['access']) {
  const ada = await newAdmin()
  const bob = await newPerson(ada, 'Bob', roles)
  const lock = async () => expect(await putDocuments(ada, [lockOf('bOB', spec)])).toMatchObject({ status: 200 })
  return { edge: ada.edge, ada, bob, lock }
}

test('a locked user gets nowhere, whatever he had before', async () => {
  const { edge, bob, lock } = await locked()
  const { program, visitor, passkey } = bob
  const asked = askOf(program.key)
  const approval = await approvalBody(visitor, passkey, asked.parameters)
  await lock()
  const attempts: Record<string, () => Promise<{ status: number }>> = {
    login: () => login(edge.visitor(), passkey),
    approval: () => visitor.post('/v1/authorize/finish', approval),
    refresh: () => program.refresh(bob.refreshToken),
    call: () => call(bob, 'GET', '/v1/me'),
  }
  for (const [name, attempt] of Object.entries(attempts)) {
    expect([name, (await attempt()).status]).toEqual([name, 403])
    expect([name, lastRefusal(edge)]).toEqual([name, 'user_locked'])
  }
  expect((await visitor.get('/account')).status).toBe(302)
  expect((await visitor.post('/v1/authorize/begin', { request: asked.parameters })).status).toBe(401)
})

test('a code that was approved before the lock gives no tokens', async () => {
  const { edge, bob, lock } = await locked()
  const asked = askOf(bob.program.key)
  const body = await approvalBody(bob.visitor, bob.passkey, asked.parameters)
  const { location } = (await bob.visitor.post('/v1/authorize/finish', body)).json
  await lock()
  const code = new URL(location).searchParams.get('code') ?? ''
  expect((await bob.program.token(bob.program.codeForm(code, asked))).status).toBe(403)
  expect(lastRefusal(edge)).toBe('user_locked')
  expect(loginsOf(edge)).toHaveLength(2)
})

test('the lock’s message is told to the key of the user or of the login, and to no other', async () => {
  const { edge, bob, lock } = await locked()
  await lock()
  const told = [
    await bob.program.refresh(bob.refreshToken),
    await call(bob, 'GET', '/v1/me'),
    await login(edge.visitor(), bob.passkey),
  ]
  for (const { json } of told) expect(json.message).toContain(message)

  const thief = await edge.program()
  const untold = [
    await thief.call('GET', '/v1/me', bob.token),
    await thief.refresh(bob.refreshToken),
    await login(edge.visitor(), bob.passkey, { badSignature: true }),
  ]
  for (const { text, status } of untold) {
    expect(text).not.toContain(message)
    expect(text).not.toMatch(/lock/i)
    expect(status).not.toBe(403)
  }
})

test('a thief’s refresh ends the login of a locked user as it does any other', async () => {
  const { edge, bob, lock } = await locked()
  await lock()
  expect((await (await edge.program()).refresh(bob.refreshToken)).status).toBe(400)
  expect(loginsOf(edge).map((row) => row['end_reason'])).toEqual([null, 'another_key'])
  expect(endsOf(edge)).toHaveLength(1)
})

test('a locked administrator administers nothing', async () => {
  const { edge, bob, lock } = await locked({ message }, ['access', 'editor'])
  const { body } = await newInvitation('Eve')
  await lock()
  const attempts: (() => Promise<{ status: number }>)[] = [
    () => addUser(bob, body, 'AAAA'),
    () => call(bob, 'DELETE', '/v1/users/Ada'),
    () => call(bob, 'DELETE', '/v1/documents/lock/lock-bob'),
    () => call(bob, 'POST', '/v1/keys/rotate', {}),
  ]
  for (const attempt of attempts) expect((await attempt()).status).toBe(403)
  expect(edge.rows('select name from users')).toHaveLength(2)
})

test('somebody invited who is locked meanwhile registers no passkey', async () => {
  const ada = await newAdmin()
  const invited = await invite(ada, 'Bob')
  const visitor = ada.edge.visitor()
  const body = await acceptBody(visitor, await ada.edge.authenticator(), invited)
  await putDocuments(ada, [lockOf('Bob')])
  expect((await visitor.post('/v1/invites/finish', body)).status).toBe(403)
  expect(ada.edge.rows('select id from credentials')).toHaveLength(1)
})

test('a lock ends by itself, or when it is removed', async () => {
  const expires = new Date(1_800_000_000_000 + 60_000).toISOString()
  for (const end of [
    async ({ edge }: Person) => edge.advance(60_000),
    async (ada: Person) => expect((await call(ada, 'DELETE', '/v1/documents/lock/lock-bob')).status).toBe(200),
  ]) {
    const { ada, bob, lock } = await locked({ expires })
    await lock()
    expect((await call(bob, 'GET', '/v1/me')).status).toBe(403)
    await end(ada)
    expect((await call(bob, 'GET', '/v1/me')).status).toBe(200)
    expect((await bob.program.refresh(bob.refreshToken)).status).toBe(200)
    expect((await login(ada.edge.visitor(), bob.passkey)).status).toBe(200)
  }
})

test.each(['Ada', 'ada', 'ＡＤＡ'])('an administrator cannot lock himself out, under the name %s', async (name) => {
  const ada = await newAdmin()
  const lock = { ...lockOf(name), metadata: { name: 'own' } }
  expect(await putDocuments(ada, [lock])).toMatchObject({ status: 409, json: { error: 'own_account' } })
  expect((await call(ada, 'DELETE', `/v1/users/${encodeURIComponent(name)}`)).status).toBe(409)
  expect(lastRefusal(ada.edge)).toBe('own_account')
  expect(ada.edge.rows('select name from documents')).toEqual([])
  const again = await personOf(ada.edge, ada.visitor, ada.passkey)
  expect((await call(again, 'GET', '/v1/me')).status).toBe(200)
})
