import { expect, test } from 'vitest'
import { minutes } from '../../core/model.ts'
import { newAccount } from '../accounts.ts'
import { addPasskey, login, sessionCookieName } from '../client.ts'
import { newAdministrator } from '../edge.ts'
import { passwordLogin, setPassword } from '../factors.ts'

const chosen = `${'A'.repeat(22)}.${'A'.repeat(43)}`

test('a session that somebody planted before the login is not the one that the login opens', async () => {
  const { edge, passkey } = await newAdministrator()
  const victim = edge.visitor()
  victim.cookies.set(sessionCookieName, chosen)
  expect((await login(victim, passkey)).status).toBe(200)
  expect(victim.cookies.get(sessionCookieName)).not.toBe(chosen)
  const thief = edge.visitor()
  thief.cookies.set(sessionCookieName, chosen)
  expect((await thief.get('/account')).status).toBe(302)
})

test('a login by password opens a session of its own too, and each change of factors gives it a new id', async () => {
  const { edge, passkey, code } = await newAccount()
  const victim = edge.visitor()
  victim.cookies.set(sessionCookieName, chosen)
  expect((await passwordLogin(victim, { code: code() })).status).toBe(200)
  expect(victim.cookies.get(sessionCookieName)).not.toBe(chosen)
  const before = victim.copy()
  expect((await setPassword(victim, passkey)).status).toBe(200)
  expect((await victim.get('/account')).status).toBe(200)
  expect((await before.get('/account')).status).toBe(302)
})

test('a tap gives the session a new id, and the old one is dead', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const before = visitor.copy()
  expect((await addPasskey(visitor, passkey, await edge.authenticator())).status).toBe(200)
  expect((await visitor.get('/account')).status).toBe(200)
  expect((await before.get('/account')).status).toBe(302)
})

test('a step up does not prolong a session', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  edge.advance(minutes(40))
  await addPasskey(visitor, passkey, await edge.authenticator())
  for (let halves = 0; halves < 22; halves++) {
    edge.advance(minutes(30))
    expect((await visitor.get('/account')).status).toBe(200)
  }
  edge.advance(minutes(20))
  expect((await visitor.get('/account')).status).toBe(302)
})

test('a session cookie is refused unless it is whole', async () => {
  const { edge, visitor } = await newAdministrator()
  const [id = '', secret = ''] = (visitor.cookies.get(sessionCookieName) ?? '').split('.')
  const wrong = [
    id,
    `${id}.`,
    `.${secret}`,
    `${id}.${'A'.repeat(43)}`,
    `${id}.${secret}.x`,
    `${id}.${secret}A`,
    '.',
    'x',
  ]
  for (const cookie of wrong) {
    const thief = edge.visitor()
    thief.cookies.set(sessionCookieName, cookie)
    expect((await thief.get('/account')).status).toBe(302)
  }
})
