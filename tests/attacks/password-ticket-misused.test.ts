import { expect, test } from 'vitest'
import { newAccount, newAccountWithoutPasskey } from '../accounts.ts'
import type { RequestOptions } from '../authenticator.ts'
import { addBody, ceremonyCookieName, loginBody, type Visitor } from '../client.ts'
import { lastRefusal, sessionsOf } from '../edge.ts'
import { changeBody, goodPassword, passwordBody, passwordLogin } from '../factors.ts'

const path = '/v1/login/password/finish'

test('a ticket opens one session', async () => {
  const { edge, passkey } = await newAccount()
  const visitor = edge.visitor()
  const body = await passwordBody(visitor, { passkey })
  expect((await visitor.post(path, body)).status).toBe(200)
  const before = sessionsOf(edge)
  expect((await visitor.post(path, body)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('ticket_spent')
  expect(sessionsOf(edge)).toBe(before)
})

test('a ticket works for five minutes, in its own browser, for its own name, unaltered', async () => {
  const { edge, code } = await newAccount()
  const visitor = edge.visitor()
  const body = await passwordBody(visitor, { code: code() })
  const refused = async (send: Promise<{ status: number }>, why: string) => {
    expect((await send).status).toBe(401)
    expect(lastRefusal(edge)).toBe(why)
  }
  await refused(edge.visitor().post(path, body), 'wrong_holder')
  await refused(visitor.post(path, { ...body, name: 'Eve' }), 'wrong_subject')
  await refused(visitor.post(path, { ...body, ticket: `${body.ticket}A` }), 'ticket_invalid')
  expect(edge.rows('select failures from password_attempts')).toEqual([])
  edge.advance(300_000)
  await refused(visitor.post(path, { ...body, code: code() }), 'ticket_expired')
})

test('a tap for a login with the passkey alone is no second factor, and the other way round', async () => {
  const { edge, passkey } = await newAccount()
  const visitor = edge.visitor()
  const alone = await loginBody(visitor, passkey)
  expect((await visitor.post(path, { ...alone, name: 'Ada', password: goodPassword } as never)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_subject')
  const { ticket, assertion } = await passwordBody(visitor, { passkey })
  expect((await visitor.post('/v1/login/finish', { ticket, assertion } as never)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_subject')
})

test('a tap for one ticket is none for another', async () => {
  const { edge, passkey } = await newAccount()
  const visitor = edge.visitor()
  const [one, other] = [await passwordBody(visitor, { passkey }), await passwordBody(visitor, { passkey })]
  expect((await visitor.post(path, { ...one, assertion: other.assertion } as never)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('assertion_wrong')
})

test('a ticket of one change makes no other, and logs nobody in', async () => {
  const { edge, passkey, visitor } = await newAccount()
  const password = await changeBody(visitor, '/v1/password', { password: goodPassword }, passkey)
  const recovery = await changeBody(visitor, '/v1/recovery-codes', {}, passkey)
  const removal = await changeBody(visitor, '/v1/password/remove', {}, passkey)
  const added = await addBody(visitor, passkey, await edge.authenticator())
  const wrong: [string, Record<string, unknown>][] = [
    ['/v1/password', { ...recovery, password: goodPassword }],
    ['/v1/password', { ...removal, password: goodPassword }],
    ['/v1/password', { ticket: added.ticket, assertion: added.assertion, password: goodPassword }],
    ['/v1/recovery-codes', password],
    ['/v1/password/remove', password],
    ['/v1/login/finish', password],
    [path, { ...password, name: 'Ada', password: goodPassword }],
  ]
  const before = sessionsOf(edge)
  for (const [to, body] of wrong) expect((await visitor.post(to, body as never)).status, to).toBe(401)
  expect(sessionsOf(edge)).toBe(before)
})

test('password and code make no change with the ticket of another, of another browser, or of five minutes ago', async () => {
  const { edge, visitor, code } = await newAccountWithoutPasskey()
  const current = () => ({ current: { password: goodPassword, code: code() } })
  const recovery = await changeBody(visitor, '/v1/recovery-codes', {}, current())
  const setting = await changeBody(visitor, '/v1/password', { password: goodPassword }, current())
  const thief = visitor.copy()
  thief.cookies.delete(ceremonyCookieName)
  const send = async (browser: Visitor, body: object, why: string) => {
    expect((await browser.post('/v1/password', { ...body, password: goodPassword } as never)).status).toBe(401)
    expect(lastRefusal(edge)).toBe(why)
  }
  await send(visitor, recovery, 'wrong_subject')
  await send(thief, setting, 'wrong_holder')
  edge.advance(300_000)
  await send(visitor, { ...setting, ...current() }, 'ticket_expired')
  expect(edge.rows('select failures from password_attempts')).toEqual([])
})

test('a tap for the removal of one app removes no other', async () => {
  const { edge, passkey, visitor } = await newAccount()
  const [app] = edge.rows('select id from totps')
  const body = await changeBody(visitor, `/v1/totp/${app?.['id']}/remove`, {}, passkey)
  edge.store.raw.exec(`insert into totps select 'other', user_id, 'Other', sealed, 0, 1, null from totps`)
  expect((await visitor.post('/v1/totp/other/remove', body)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_subject')
})

test('two second factors at once are refused before anything is looked at', async () => {
  const { edge, passkey, code } = await newAccount()
  const visitor = edge.visitor()
  for (const password of [goodPassword, 'a guess that is long enough']) {
    const body = await passwordBody(visitor, { passkey, password, code: code() })
    expect((await visitor.post(path, body)).status).toBe(400)
  }
  expect(edge.rows('select failures from password_attempts')).toEqual([])
})

test('a tap without user verification is no second factor', async () => {
  const { edge, passkey } = await newAccount()
  const visitor = edge.visitor()
  const { json } = await visitor.post('/v1/login/password/begin', { name: 'Ada' })
  const assertion = await passkey.get(json.options as RequestOptions, { flags: 1 })
  const body = { ticket: json.ticket, name: 'Ada', password: goodPassword, assertion }
  expect((await visitor.post(path, body as never)).status).toBe(401)
  expect((await passwordLogin(visitor, { passkey })).status).toBe(200)
})
