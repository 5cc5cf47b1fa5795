/** A stolen authenticator with a passkey in it: what nobody verified is refused where a security key's touch would do. */
import { expect, test } from 'vitest'
import { newAccount } from '../accounts.ts'
import { addSecurityKey, touch } from '../client.ts'
import { lastRefusal, newLogin } from '../edge.ts'
import { passwordLogin } from '../factors.ts'
import { approve, askOf } from '../program.ts'

test('its touch is no second factor beside a stolen password', async () => {
  const { edge, passkey } = await newAccount()
  expect((await passwordLogin(edge.visitor(), { passkey, tap: touch })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('assertion_wrong')
})

test('its touch approves no program beside a stolen cookie, where a security key’s does', async () => {
  const { edge, passkey, visitor } = await newAccount()
  const key = await edge.authenticator()
  expect((await addSecurityKey(visitor, passkey, key)).status).toBe(200)
  const { program } = await newLogin(edge, visitor, passkey)
  const asked = askOf(program.key)
  expect((await approve(visitor, passkey, asked, touch)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('assertion_wrong')
  expect((await approve(visitor, key, asked, touch)).status).toBe(200)
})
