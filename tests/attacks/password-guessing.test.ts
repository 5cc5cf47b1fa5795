import { expect, test } from 'vitest'
import { newAccount, newAccountWithoutPasskey } from '../accounts.ts'
import { login } from '../client.ts'
import { lastRefusal, sessionsOf } from '../edge.ts'
import { passwordBody, passwordLogin, setPassword } from '../factors.ts'
import { countingPasswords } from '../passwords.ts'
import { race, statuses } from '../race.ts'

const wrong = 'a guess that is long enough'

test('five wrong passwords lock the name for half an hour, from whatever address they come; passkeys go on', async () => {
  const { edge, passkey, code } = await newAccount()
  for (let i = 0; i < 5; i++)
    expect((await passwordLogin(edge.visitor(), { password: wrong, code: code() })).status).toBe(401)
  const locked = await passwordLogin(edge.visitor(), { code: code() })
  expect(locked).toMatchObject({ status: 403, json: { error: 'password_locked' } })
  expect((await login(edge.visitor(), passkey)).status).toBe(200)
  edge.advance(29 * 60_000)
  expect((await passwordLogin(edge.visitor(), { code: code() })).status).toBe(403)
  edge.advance(60_000)
  expect((await passwordLogin(edge.visitor(), { code: code() })).status).toBe(200)
})

test('wrong codes and wrong passkeys count as wrong passwords do', async () => {
  const { edge, code } = await newAccount()
  const passkey = await edge.authenticator()
  for (const factor of [{ code: '000000' }, { passkey }, {}, { recovery_code: '0000-0000-0000-0000' }, { code: 'x' }])
    expect((await passwordLogin(edge.visitor(), factor)).status).toBe(401)
  expect((await passwordLogin(edge.visitor(), { code: code() })).status).toBe(403)
})

test('a hundred guesses at once, each from an address of its own: five are looked at', async () => {
  const passwords = countingPasswords()
  const { edge } = await newAccount({ passwords })
  const bodies = await race(100, async (i) => {
    const visitor = edge.visitor()
    return { visitor, body: await passwordBody(visitor, { password: `${wrong} ${i}`, code: '000000' }) }
  })
  const before = passwords.derived.length
  const replies = await race(100, (i) => bodies[i]!.visitor.post('/v1/login/password/finish', bodies[i]!.body))
  expect(statuses(replies)).toEqual({ 401: 5, 403: 95 })
  expect(passwords.derived.length - before).toBe(5)
})

test('a login forgets the failures before it, and does not forget those of another name', async () => {
  const { edge, passkey } = await newAccount()
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 4; i++) await passwordLogin(edge.visitor(), { password: wrong, passkey })
    expect((await passwordLogin(edge.visitor(), { passkey })).status).toBe(200)
  }
  for (let i = 0; i < 6; i++) await passwordLogin(edge.visitor(), { name: 'Eve', password: wrong })
  expect(lastRefusal(edge)).toBe('password_locked')
  expect((await passwordLogin(edge.visitor(), { passkey })).status).toBe(200)
})

test('a name is locked however it is written', async () => {
  const { edge, code } = await newAccount()
  for (const name of ['Ada', 'ada', 'ADA', 'Ａｄａ', 'aDA'])
    expect((await passwordLogin(edge.visitor(), { name, password: wrong })).status).toBe(401)
  expect((await passwordLogin(edge.visitor(), { code: code() })).status).toBe(403)
})

test('ten failures a minute from one address make it wait, whatever names they are for', async () => {
  const { edge, code } = await newAccount({ failuresAMinute: 10 })
  const thief = edge.visitor()
  for (let i = 0; i < 10; i++) await passwordLogin(thief, { name: `user ${i % 3}`, password: wrong })
  expect((await thief.post('/v1/login/password/begin', { name: 'Ada' })).status).toBe(429)
  expect((await passwordLogin(edge.visitor(), { code: code() })).status).toBe(200)
})

test('attempts at a name that is locked already count against the address too', async () => {
  const { edge } = await newAccount({ failuresAMinute: 10 })
  const thief = edge.visitor()
  for (let i = 0; i < 10; i++) await passwordLogin(thief, { password: wrong })
  expect((await thief.post('/v1/login/password/begin', { name: 'Ada' })).status).toBe(429)
})

test('a thief of a cookie guesses no more at the account page than at the door', async () => {
  const { edge, visitor, code } = await newAccountWithoutPasskey()
  for (let i = 0; i < 5; i++)
    expect((await setPassword(visitor, { current: { password: wrong, code: code() } })).status).toBe(401)
  const sessions = sessionsOf(edge)
  expect((await passwordLogin(edge.visitor(), { code: code() })).status).toBe(403)
  expect((await setPassword(visitor, { current: { password: wrong, code: code() } })).status).toBe(403)
  expect(sessionsOf(edge)).toBe(sessions)
})
