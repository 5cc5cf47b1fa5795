import { expect, test } from 'vitest'
import { login } from '../../client.ts'
import { newAdministrator, sessionsOf } from '../../edge.ts'
import {
  bothFactors,
  codeAt,
  makeRecoveryCodes,
  newAccount,
  newAccountWithoutPasskey,
  passwordLogin,
  setPassword,
} from '../../factors.ts'

test('a password opens a session together with a passkey, a code, or a recovery code, and the session says with which', async () => {
  const { edge, passkey, visitor, code } = await newAccount()
  const [recovery_code = ''] = await makeRecoveryCodes(visitor, passkey)
  for (const factor of [{ passkey }, { code: code() }, { recovery_code }]) {
    const browser = edge.visitor()
    expect(await passwordLogin(browser, factor)).toMatchObject({ status: 200, json: { location: '/account' } })
    expect((await browser.get('/account')).status).toBe(200)
  }
  const opened = edge.rows('select via, credential_id is not null as tapped from sessions order by rowid desc limit 3')
  expect(opened).toEqual([
    { via: 'password+recovery', tapped: 0 },
    { via: 'password+otp', tapped: 0 },
    { via: 'password+passkey', tapped: 1 },
  ])
})
