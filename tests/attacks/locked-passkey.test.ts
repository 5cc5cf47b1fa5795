import { expect, test } from 'vitest'
import { addPasskey, login } from '../client.ts'
import { lastRefusal, signIn } from '../edge.ts'
import { call, lockOn, newAdmin, newPerson, personOf, putDocuments } from '../people.ts'
import { approvalBody, askOf } from '../program.ts'

/** Bob has two passkeys, a browser and a program of each. The first is stolen. */
async function newWorld() {
  const ada = await newAdmin()
  const { edge } = ada
  const bob = await newPerson(ada, 'Bob')
  const spare = await edge.authenticator()
  expect((await addPasskey(await signIn(edge, bob.passkey), bob.passkey, spare)).status).toBe(200)
  const other = await personOf(edge, await signIn(edge, spare), spare)
  const target = { mfa_device: bob.passkey.credentialId }
  const lock = async () => expect((await putDocuments(ada, [lockOn(target, 'Lost in a train.')])).status).toBe(200)
  return { edge, ada, bob, other, lock }
}

test('a locked passkey opens nothing, and its cookies and tokens are dead at once', async () => {
  const { edge, bob, lock } = await newWorld()
  const asked = askOf(bob.program.key)
  const approval = await approvalBody(bob.visitor, bob.passkey, asked.parameters)
  expect((await bob.visitor.get('/account')).status).toBe(200)
  await lock()
  const attempts = {
    login: () => login(edge.visitor(), bob.passkey),
    approval: () => bob.visitor.post('/v1/authorize/finish', approval),
    refresh: () => bob.program.refresh(bob.refreshToken),
    call: () => call(bob, 'GET', '/v1/me'),
  }
  for (const [name, attempt] of Object.entries(attempts)) {
    const { status, json } = await attempt()
    expect([name, status]).toEqual([name, 403])
    expect(json.message ?? json.error_description).toContain('This passkey or app is locked: Lost in a train.')
    expect([name, lastRefusal(edge)]).toEqual([name, 'user_locked'])
  }
  expect((await bob.visitor.get('/account')).status).toBe(302)
})

test('the other passkey of the same user works on, but not in a session of the locked one', async () => {
  const { edge, bob, other, lock } = await newWorld()
  const asked = askOf(bob.program.key)
  const mixed = await approvalBody(bob.visitor, other.passkey, asked.parameters)
  await lock()
  expect((await call(other, 'GET', '/v1/me')).status).toBe(200)
  expect((await other.program.refresh(other.refreshToken)).status).toBe(200)
  expect((await other.visitor.get('/account')).status).toBe(200)
  expect((await login(edge.visitor(), other.passkey)).status).toBe(200)
  expect((await bob.visitor.post('/v1/authorize/finish', mixed)).status).toBe(403)
})

test('what it let in comes back when the lock ends', async () => {
  const { ada, bob, lock } = await newWorld()
  await lock()
  expect((await call(bob, 'GET', '/v1/me')).status).toBe(403)
  expect((await call(ada, 'DELETE', '/v1/documents/lock/l')).status).toBe(200)
  expect((await call(bob, 'GET', '/v1/me')).status).toBe(200)
  expect((await bob.program.refresh(bob.refreshToken)).status).toBe(200)
})

test('an administrator does not lock the passkey that he is signed in with; another does', async () => {
  const ada = await newAdmin()
  const eve = await newPerson(ada, 'Eve', ['access', 'editor'])
  const locks = [lockOn({ mfa_device: ada.passkey.credentialId })]
  const refused = await putDocuments(ada, locks)
  expect(refused).toMatchObject({ status: 409, json: { error: 'own_account' } })
  expect(refused.json.message).toContain('You are signed in with that passkey.')
  expect((await putDocuments(eve, locks)).status).toBe(200)
  expect((await call(ada, 'DELETE', '/v1/documents/lock/l')).status).toBe(403)
})
