/** A stolen security key wants no finger and no PIN, so alone it opens nothing. */
import { expect, test } from 'vitest'
import { newAccount } from '../accounts.ts'
import { addSecurityKey, login, touch } from '../client.ts'
import { lastRefusal, sessionsOf } from '../edge.ts'
import { passwordLogin } from '../factors.ts'

async function newKeeper() {
  const account = await newAccount()
  const key = await account.edge.authenticator()
  expect((await addSecurityKey(account.visitor, account.passkey, key)).status).toBe(200)
  return { ...account, key }
}

test('beside the password its touch signs in: so it is no accident that it does not elsewhere', async () => {
  const { edge, key } = await newKeeper()
  const visitor = edge.visitor()
  expect((await passwordLogin(visitor, { passkey: key, tap: touch })).status).toBe(200)
  expect(edge.rows('select via, credential_id from sessions order by rowid desc limit 1')).toEqual([
    { via: 'password+passkey', credential_id: key.credentialId },
  ])
})

test('a touch without a password, or with a wrong one, opens nothing', async () => {
  const { edge, key } = await newKeeper()
  const before = sessionsOf(edge)
  expect((await login(edge.visitor(), key, { ...touch, userHandle: key.userHandle ?? null })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('assertion_wrong')
  const guess = { passkey: key, tap: touch, password: 'a guess that is long enough' }
  expect((await passwordLogin(edge.visitor(), guess)).status).toBe(401)
  expect(sessionsOf(edge)).toBe(before)
})

test('nor does one that made itself discoverable, whoever its thief shows it', async () => {
  const { edge, key } = await newKeeper()
  const before = sessionsOf(edge)
  expect((await login(edge.visitor(), key)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('security_key_alone')
  expect(sessionsOf(edge)).toBe(before)
})
