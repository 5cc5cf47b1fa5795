import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { minutes, seconds } from '../../core/model.ts'
import { lastRefusal } from '../edge.ts'
import { call, callOnce, lockOf, newAdmin, newPerson, personOf, recentIsEnough } from '../people.ts'
import { approve, askOf, parametersAt } from '../program.ts'

const verbs = [
  ['DELETE', '/v1/users/Bob', undefined],
  ['POST', '/v1/documents', { documents: [{ ...lockOf('Bob'), metadata: { name: 'again' } }] }],
  ['DELETE', '/v1/documents/lock/lock-bob', undefined],
  ['POST', '/v1/keys/rotate', {}],
] as const

test.each(verbs)('%s %s wants a login that is not older than five minutes', async (method, path, body) => {
  const ada = await newAdmin(recentIsEnough)
  await newPerson(ada, 'Bob')
  await call(ada, 'POST', '/v1/documents', { documents: [{ ...lockOf('Bob'), metadata: { name: 'lock-bob' } }] })
  ada.edge.advance(minutes(5) + seconds(1))
  const reply = await call(ada, method, path, body)
  expect(reply).toMatchObject({ status: 401, json: { error: 'insufficient_user_authentication' } })
  // RFC 9470 section 3.
  const challenge = reply.headers.get('www-authenticate')
  expect(challenge).toMatch(/^DPoP /)
  expect(challenge).toContain('error="insufficient_user_authentication"')
  expect(challenge).toContain('max_age="300"')
  expect(lastRefusal(ada.edge)).toBe('login_too_old')
  expect((await call(ada, 'GET', '/v1/users')).status).toBe(200)
})

test('no refresh makes a login younger', async () => {
  const ada = await newAdmin(recentIsEnough)
  const { edge, program } = ada
  const { auth_time } = decodeJwt(ada.token)
  edge.advance(minutes(4))
  const { json } = await program.refresh(ada.refreshToken)
  expect(decodeJwt(json.access_token)['auth_time']).toBe(auth_time)
  edge.advance(minutes(2))
  const { json: later } = await program.refresh(json.refresh_token)
  const refreshed = { ...ada, token: later.access_token }
  expect((await call(refreshed, 'POST', '/v1/keys/rotate', {})).status).toBe(401)
  expect(lastRefusal(edge)).toBe('login_too_old')
})

test('nor does a login of another program, or of the browser', async () => {
  const ada = await newAdmin(recentIsEnough)
  ada.edge.advance(minutes(6))
  const again = await personOf(ada.edge, ada.visitor, ada.passkey)
  expect((await call(ada, 'POST', '/v1/keys/rotate', {})).status).toBe(401)
  expect((await call(again, 'POST', '/v1/keys/rotate', {})).status).toBe(200)
})

test('the tap counts, not when its code was exchanged', async () => {
  const { edge, visitor, passkey, ...ada } = await newAdmin(recentIsEnough)
  const asked = askOf(ada.program.key)
  const code = parametersAt((await approve(visitor, passkey, asked)).json.location).get('code') ?? ''
  edge.advance(seconds(50))
  const { json } = await ada.program.token(ada.program.codeForm(code, asked))
  const late = { ...ada, edge, visitor, passkey, token: json.access_token }
  edge.advance(minutes(5) - seconds(50))
  expect((await call(late, 'POST', '/v1/keys/rotate', {})).status).toBe(200)
  edge.advance(seconds(1))
  expect((await call(late, 'POST', '/v1/keys/rotate', {})).status).toBe(401)
})

test('where each action wants a tap, no login is recent enough, and none is too old', async () => {
  const ada = await newAdmin()
  expect((await callOnce(ada, 'POST', '/v1/keys/rotate', {})).json).toMatchObject({
    error: 'tap_required',
    operation: 'keysRotate',
  })
  ada.edge.advance(minutes(6))
  expect((await call(ada, 'POST', '/v1/keys/rotate', {})).status).toBe(200)
})
