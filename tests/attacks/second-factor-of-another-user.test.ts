import { expect, test } from 'vitest'
import { addPasskey, removePasskey } from '../client.ts'
import { lastRefusal, sessionsOf } from '../edge.ts'
import { addTotp, bothFactors, codeAt, makeRecoveryCodes, passwordLogin, setPassword } from '../factors.ts'
import { newAdmin, newPerson } from '../people.ts'

/** Ada and Grace, each with a passkey, a password and an app. */
async function newPair() {
  const ada = await newAdmin({ preference: bothFactors })
  const grace = await newPerson(ada, 'Grace')
  const { edge } = ada
  const equip = async ({ visitor, passkey }: typeof ada) => {
    expect((await setPassword(visitor, passkey)).status).toBe(200)
    return (await addTotp(edge, visitor, passkey)).secret
  }
  const [adas, graces] = [await equip(ada), await equip(grace)]
  edge.advance(30_000)
  return { edge, ada, grace, adas, graces }
}

test('a passkey, a code or a recovery code of another user is no second factor', async () => {
  const { edge, ada, grace, adas, graces } = await newPair()
  const [recovery_code = ''] = await makeRecoveryCodes(grace.visitor, grace.passkey)
  const before = sessionsOf(edge)
  const factors = [
    [{ passkey: grace.passkey }, 'credential_unknown'],
    [{ code: codeAt(graces, edge.ports.now()) }, 'code_wrong'],
    [{ recovery_code }, 'recovery_wrong'],
  ] as const
  for (const [factor, why] of factors) {
    expect((await passwordLogin(edge.visitor(), { name: 'Ada', ...factor })).status).toBe(401)
    expect(lastRefusal(edge)).toBe(why)
  }
  expect(sessionsOf(edge)).toBe(before)
  expect((await passwordLogin(edge.visitor(), { passkey: ada.passkey })).status).toBe(200)
  expect((await passwordLogin(edge.visitor(), { code: codeAt(adas, edge.ports.now()) })).status).toBe(200)
  expect((await passwordLogin(edge.visitor(), { name: 'Grace', recovery_code })).status).toBe(200)
})

test('a passkey that claims to be another user’s is none', async () => {
  const { edge, ada, grace } = await newPair()
  ada.passkey.userHandle = grace.passkey.userHandle
  expect((await passwordLogin(edge.visitor(), { passkey: ada.passkey })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_user')
  // A security key need not say whose it is.
  ada.passkey.userHandle = undefined
  expect((await passwordLogin(edge.visitor(), { passkey: ada.passkey })).status).toBe(200)
})

test('a passkey that was removed is no second factor, and the sessions that it opened beside a password are over', async () => {
  const { edge, ada } = await newPair()
  const second = await edge.authenticator()
  expect((await addPasskey(ada.visitor, ada.passkey, second)).status).toBe(200)
  const browser = edge.visitor()
  expect((await passwordLogin(browser, { passkey: second })).status).toBe(200)
  expect((await removePasskey(ada.visitor, ada.passkey, second.credentialId)).status).toBe(200)
  expect((await browser.get('/account')).status).toBe(302)
  expect((await passwordLogin(edge.visitor(), { passkey: second })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('credential_unknown')
})

test('a cloned passkey is no second factor', async () => {
  const { edge, ada } = await newPair()
  expect((await passwordLogin(edge.visitor(), { passkey: ada.passkey })).status).toBe(200)
  ada.passkey.counter = 0
  expect((await passwordLogin(edge.visitor(), { passkey: ada.passkey })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('counter_regressed')
})
