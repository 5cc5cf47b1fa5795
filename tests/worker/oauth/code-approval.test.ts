/** A certified client of other people's making, approved by password and code; and what the pages show. */
import * as client from 'openid-client'
import { expect, test } from 'vitest'
import { approveByCode, deviceCodeBody, newCodeDeviceFlow, newCodePerson } from '../../code-approvals.ts'
import { poll } from '../../device-flow.ts'
import { prefer } from '../../preferences.ts'
import { askOf, redirectUri } from '../../program.ts'

test('openid-client: code, PKCE and DPoP, ID token, call and refresh', async () => {
  const { edge, visitor, code } = await newCodePerson()
  const config = await client.discovery(
    new URL(edge.site.origin),
    'sallyport-cli',
    // Its clock is the edge's.
    { [client.clockSkew]: Math.round((edge.ports.now() - Date.now()) / 1000) },
    client.None(),
    { [client.customFetch]: (url, init) => edge.send(url, init as RequestInit) },
  )
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  const [pkceCodeVerifier, expectedState] = [client.randomPKCECodeVerifier(), client.randomState()]
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'openid api',
    state: expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    dpop_jkt: await DPoP.calculateThumbprint(),
  })
  const page = await visitor.get(url.pathname + url.search)
  expect(page).toMatchObject({ status: 200, text: expect.stringContaining('Approve with password and code') })
  const { json } = await approveByCode(visitor, Object.fromEntries(url.searchParams), { code: code() })
  const checks = { pkceCodeVerifier, expectedState, idTokenExpected: true }
  const tokens = await client.authorizationCodeGrant(config, new URL(json.location), checks, undefined, { DPoP })
  expect(tokens.claims()).toMatchObject({ aud: 'sallyport-cli', name: 'Bob' })
  const me = new URL('/v1/me', edge.site.origin)
  const called = await client.fetchProtectedResource(config, tokens.access_token, me, 'GET', null, undefined, { DPoP })
  expect(await called.json()).toMatchObject({ user: { name: 'Bob' }, via: 'browser' })
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, { DPoP })
  expect(refreshed.refresh_token).not.toBe(tokens.refresh_token)
})

test('the audit log says that a code approved, of which app and which step, and keeps the intent', async () => {
  const { edge, visitor, code } = await newCodePerson()
  const asked = askOf((await edge.program()).key)
  expect((await approveByCode(visitor, asked.parameters, { code: code() })).status).toBe(200)
  const [app] = edge.rows('select id, last_step from totps')
  const [row] = edge.rows(
    "select credential_id, detail, evidence from audit where kind = 'client.approve' and outcome = 'done' order by seq desc limit 1",
  )
  expect(row?.['credential_id']).toBeNull()
  expect(JSON.parse(String(row?.['detail']))).toEqual({
    ...{ client: 'sallyport-cli', scope: 'openid api', factor: 'totp' },
  })
  expect(JSON.parse(String(row?.['evidence']))).toEqual({
    intent: expect.objectContaining({
      purpose: 'cli',
      subject: expect.objectContaining({ client_key: asked.parameters['dpop_jkt'] }),
    }),
    factor: { kind: 'totp', id: app?.['id'], step: app?.['last_step'] },
  })
})

test('a headless login is approved by password and code, is marked, and goes on', async () => {
  const { edge, visitor, code, program, codes } = await newCodeDeviceFlow()
  const page = await visitor.get(`/device?user_code=${codes.user_code}`)
  expect(page).toMatchObject({ status: 200, text: expect.stringContaining('Approve with password and code') })
  const body = await deviceCodeBody(visitor, codes.user_code, { code: code() })
  const { status, json } = await visitor.post('/v1/device/finish', body)
  expect([status, json.location]).toEqual([200, `/device?user_code=${codes.user_code}`])
  expect(await poll(program, codes)).toMatchObject({ status: 200, json: { token_type: 'DPoP' } })
  const [row] = edge.rows(
    "select detail from audit where kind = 'client.approve' and outcome = 'done' order by seq desc limit 1",
  )
  expect(JSON.parse(String(row?.['detail']))).toMatchObject({ via: 'device_flow', factor: 'totp' })
})

test('where taps are taken too, the pages say what somebody without a passkey has to do, and Refuse works', async () => {
  const { edge, admin, visitor, codes } = await newCodeDeviceFlow()
  await prefer(admin, { second_factor: 'on', allow_passwords: true })
  const { parameters } = askOf((await edge.program()).key)
  const words = 'You cannot approve this: it wants a passkey, and you have none.'
  for (const path of [`/oauth/authorize?${new URLSearchParams(parameters)}`, `/device?user_code=${codes.user_code}`]) {
    const { text } = await visitor.get(path)
    expect(text).toContain(words)
    expect(text).not.toContain('id="approve"')
  }
  expect((await visitor.post('/v1/authorize/refuse', { request: parameters })).status).toBe(200)
  expect((await visitor.get('/account')).text).toContain('Ask an administrator for a link to register the first one')
})
