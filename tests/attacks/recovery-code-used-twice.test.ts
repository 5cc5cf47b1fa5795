import { expect, test } from 'vitest'
import { newAccount } from '../accounts.ts'
import { lastRefusal, sessionsOf } from '../edge.ts'
import { bothFactors, makeRecoveryCodes, passwordBody, passwordLogin } from '../factors.ts'
import { race, statuses } from '../race.ts'

test('a recovery code that 50 send at once opens one session', async () => {
  const { edge, passkey, visitor } = await newAccount()
  const [recovery_code = ''] = await makeRecoveryCodes(visitor, passkey)
  const browser = edge.visitor()
  const body = await passwordBody(browser, { recovery_code })
  const before = sessionsOf(edge)
  expect(statuses(await race(50, () => browser.post('/v1/login/password/finish', body)))[200]).toBe(1)
  expect(sessionsOf(edge)).toBe(before + 1)
})

test('a recovery code is refused when it was used; the other nine are not', async () => {
  const { edge, passkey, visitor } = await newAccount()
  const codes = await makeRecoveryCodes(visitor, passkey)
  expect(codes).toHaveLength(10)
  for (const recovery_code of codes) {
    expect((await passwordLogin(edge.visitor(), { recovery_code })).status).toBe(200)
    expect((await passwordLogin(edge.visitor(), { recovery_code })).status).toBe(401)
    expect(lastRefusal(edge)).toBe('recovery_wrong')
  }
})

test('new recovery codes void those of before', async () => {
  const { edge, passkey, visitor } = await newAccount()
  const [old = ''] = await makeRecoveryCodes(visitor, passkey)
  const [fresh = ''] = await makeRecoveryCodes(visitor, passkey)
  expect((await passwordLogin(edge.visitor(), { recovery_code: old })).status).toBe(401)
  expect((await passwordLogin(edge.visitor(), { recovery_code: fresh })).status).toBe(200)
})

test('a recovery code opens nothing where the cluster takes taps alone', async () => {
  const account = await newAccount()
  const [recovery_code = ''] = await makeRecoveryCodes(account.visitor, account.passkey)
  const strict = await account.under({ ...bothFactors, secondFactors: ['webauthn'] })
  expect((await passwordLogin(strict.visitor(), { recovery_code })).status).toBe(401)
  expect(lastRefusal(strict)).toBe('factor_unwanted')
  expect((await passwordLogin(strict.visitor(), { passkey: account.passkey })).status).toBe(200)
})
