/** The whole way of a program: approval, code, tokens, calls, refresh, revocation. */
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { expect, test } from 'vitest'
import { hours, minutes } from '../../../core/model.ts'
import { newAdministrator, newLogin } from '../../edge.ts'
import { approve, askOf, parametersAt } from '../../program.ts'

test('an approved program gets tokens for its key, and calls the API with them', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const { program, tokens } = await newLogin(edge, visitor, passkey)
  const jwks = createLocalJWKSet((await visitor.get('/oauth/jwks')).json)
  const { origin } = edge.site
  const currentDate = new Date(edge.ports.now())
  const { payload } = await jwtVerify(tokens.access_token, jwks, {
    issuer: origin,
    audience: origin,
    typ: 'at+jwt',
    currentDate,
  })
  expect(payload).toMatchObject({ client_id: 'sallyport-cli', scope: 'openid api', cnf: { jkt: program.key.jkt } })
  expect(payload.exp).toBe((payload.iat ?? 0) + 600)
  const me = await program.call('GET', '/v1/me', tokens.access_token)
  expect(me).toMatchObject({
    status: 200,
    json: { user: { id: payload.sub, name: 'Ada' }, cluster: 'test', roles: ['access', 'auditor', 'editor'] },
  })
  expect(me.json.valid_until).toBe(me.json.auth_time + 12 * 3600)
})

test('the code goes to the loopback address with state and issuer', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const { key } = await edge.program()
  const asked = askOf(key)
  const { json } = await approve(visitor, passkey, asked)
  expect(json.location).toMatch(/^http:\/\/127\.0\.0\.1:49152\/callback\?/)
  const answer = parametersAt(json.location)
  expect(answer.get('state')).toBe(asked.state)
  expect(answer.get('iss')).toBe(edge.site.origin)
})

test('the ID token says who, for this client, with the nonce', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const program = await edge.program('EdDSA')
  const asked = askOf(program.key, { nonce: 'n-0S6_WzA2Mj' })
  const code = parametersAt((await approve(visitor, passkey, asked)).json.location).get('code') ?? ''
  const { json } = await program.token(program.codeForm(code, asked))
  expect(decodeJwt(json.id_token)).toMatchObject({
    iss: edge.site.origin,
    aud: 'sallyport-cli',
    name: 'Ada',
    nonce: 'n-0S6_WzA2Mj',
  })
  expect(decodeProtectedHeader(json.id_token)).toMatchObject({ alg: 'EdDSA', typ: 'JWT' })
})

test('a refresh gives new tokens, and the login ends twelve hours after the tap whatever is refreshed', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const { program, tokens } = await newLogin(edge, visitor, passkey)
  let token = tokens.refresh_token
  for (let i = 0; i < 3; i++) {
    edge.advance(hours(3))
    const { status, json } = await program.refresh(token)
    expect(status).toBe(200)
    expect(json.refresh_token).not.toBe(token)
    expect((await program.call('GET', '/v1/me', json.access_token)).status).toBe(200)
    token = json.refresh_token
  }
  edge.advance(hours(3) - minutes(2))
  const last = await program.refresh(token)
  expect(last.json.expires_in).toBe(120)
  edge.advance(minutes(3))
  expect(await program.refresh(last.json.refresh_token)).toMatchObject({
    status: 400,
    json: { error: 'invalid_grant' },
  })
})

test('a revoked login is over at once, for refresh token and access token', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const { program, tokens } = await newLogin(edge, visitor, passkey)
  const form = String(new URLSearchParams({ token: tokens.refresh_token, client_id: 'sallyport-cli' }))
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  expect((await program.visitor.request('POST', '/oauth/revoke', form, type)).status).toBe(200)
  expect(await program.call('GET', '/v1/me', tokens.access_token)).toMatchObject({
    status: 401,
    json: { error: 'invalid_token' },
  })
  expect((await program.refresh(tokens.refresh_token)).json.error_description).toMatch(/ended by you/)
})
