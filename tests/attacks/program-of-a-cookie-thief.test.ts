/** A stolen browser profile holds both cookies, and no key: what that is worth. */
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { lastRefusal, newAdministrator } from '../edge.ts'
import { askForTap, call, loginsOf, newAdmin, newInvitation, newPerson, tapHeaderOf } from '../people.ts'
import { approvalBody, askOf, parametersAt, redirectUri } from '../program.ts'

test('he approves no program of his, whatever he taps with', async () => {
  const { edge, visitor } = await newAdministrator()
  const thief = visitor.copy()
  const { parameters } = askOf((await edge.program()).key)
  const own = await edge.authenticator()
  const body = await approvalBody(thief, own, parameters)
  expect((await thief.post('/v1/authorize/finish', body)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('credential_unknown')
  const [{ id = '' } = {}] = edge.rows('select id from credentials') as { id?: string }[]
  const posing = { ...body, assertion: { ...body.assertion, id } }
  const again = await approvalBody(thief, own, parameters)
  expect((await thief.post('/v1/authorize/finish', { ...again, assertion: posing.assertion })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('assertion_wrong')
  expect(edge.rows('select hash from codes')).toEqual([])
})

test('a tap of the owner for his own program approves none of the thief’s', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const thief = visitor.copy()
  const [own, thieves] = [askOf((await edge.program()).key), askOf((await edge.program()).key)]
  const body = await approvalBody(visitor, passkey, own.parameters)
  expect((await thief.post('/v1/authorize/finish', { ...body, request: thieves.parameters })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_subject')
  const begun = await approvalBody(thief, await edge.authenticator(), thieves.parameters)
  expect((await thief.post('/v1/authorize/finish', { ...begun, assertion: body.assertion })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('assertion_wrong')
})

test('the code that he reads in the owner’s browser is of no use to his key', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const asked = askOf((await edge.program()).key)
  const body = await approvalBody(visitor, passkey, asked.parameters)
  const { location } = (await visitor.post('/v1/authorize/finish', body)).json
  const thief = await edge.program()
  const form = thief.codeForm(parametersAt(location).get('code') ?? '', asked)
  expect((await thief.token(form)).json.error).toBe('invalid_grant')
  expect(loginsOf(edge)).toEqual([])
})

test('the owner’s approval gives the session another cookie: the stolen one is dead', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const thief = visitor.copy()
  const body = await approvalBody(visitor, passkey, askOf((await edge.program()).key).parameters)
  expect((await visitor.post('/v1/authorize/finish', body)).status).toBe(200)
  expect((await thief.get('/account')).status).toBe(302)
  expect((await visitor.get('/account')).status).toBe(200)
})

test('cookies open no call of a program', async () => {
  const { edge, visitor } = await newAdministrator()
  const thief = visitor.copy()
  for (const path of ['/v1/me', '/v1/users', '/v1/audit', '/v1/cluster', '/v1/documents']) {
    expect((await thief.get(path)).status).toBe(401)
    expect(lastRefusal(edge)).toBe('token_missing')
  }
  const ask = { operation: 'userAdd', body: {}, redirect_uri: redirectUri, state: '' }
  expect((await thief.post('/v1/taps', ask)).status).toBe(401)
})

test('of a program’s waiting request he gets options that only the owner’s key can answer, and may say no', async () => {
  const admin = await newAdmin()
  const { edge, visitor, program, token } = admin
  const thief = visitor.copy()
  const { body } = await newInvitation('Eve', ['editor'])
  const { ticket } = (await askForTap(admin, body)).json
  const { options } = (await thief.post('/v1/taps/options', { ticket })).json
  const assertion = await (await edge.authenticator()).get(options)
  const tap = tapHeaderOf(ticket, assertion)
  const reply = await program.call('POST', '/v1/users', token, { body, headers: { 'sallyport-tap': tap } })
  expect(reply.status).toBe(401)
  expect(lastRefusal(edge)).toBe('credential_unknown')
  const no = await thief.post('/v1/taps/refuse', { ticket, redirect_uri: redirectUri, state: 's' })
  expect(parametersAt(no.json.location).get('error')).toBe('access_denied')
})

test('he may refuse a program and end those that run, as the owner may end him', async () => {
  const admin = await newAdmin()
  const { edge, visitor } = admin
  const thief = visitor.copy()
  const { parameters } = askOf((await edge.program()).key)
  expect((await thief.post('/v1/authorize/refuse', { request: parameters })).status).toBe(200)
  const { sid: id } = decodeJwt(admin.token)
  expect((await thief.post(`/v1/client-sessions/${id}/end`, {})).status).toBe(200)
  expect(loginsOf(edge)).toEqual([{ end_reason: 'revoked' }])
  expect((await call(admin, 'GET', '/v1/me')).status).toBe(401)
})

test('nobody ends the program of another user', async () => {
  const admin = await newAdmin()
  const { edge } = admin

  const bob = await newPerson(admin, 'Bob')
  const { sid: id } = decodeJwt(admin.token)
  expect((await bob.visitor.post(`/v1/client-sessions/${id}/end`, {})).status).toBe(404)
  expect((await edge.visitor().post(`/v1/client-sessions/${id}/end`, {})).status).toBe(401)
  expect((await call(admin, 'GET', '/v1/me')).status).toBe(200)
})
