/** Stepping up (RFC 9470) with openid-client: a call is refused, its challenge says how the login must be, and such a login may make it. */
import * as client from 'openid-client'
import { describe, expect, test } from 'vitest'
import { minutes, seconds } from '../../../core/model.ts'
import type { Authenticator } from '../../authenticator.ts'
import type { Visitor } from '../../client.ts'
import { approveByCode, codeBody, newCodePerson } from '../../code-approvals.ts'
import { approveDevice, headlessRole } from '../../device-flow.ts'
import { lastRefusal, type TestEdge } from '../../edge.ts'
import { newAdmin, putDocuments, recentIsEnough } from '../../people.ts'
import { approvalBody, redirectUri } from '../../program.ts'

type Approve = (request: Record<string, string>) => Promise<{ readonly json: { readonly location: string } }>

const byTap =
  (visitor: Visitor, passkey: Authenticator): Approve =>
  async (request) =>
    visitor.post('/v1/authorize/finish', await approvalBody(visitor, passkey, request))

/** A program of other people's making, whose clock is the edge's: a configuration has one, so each step has a configuration. */
async function newClient(edge: TestEdge) {
  const { origin } = edge.site
  const keys = await client.randomDPoPKeyPair()
  const now = async () => {
    const clock = { [client.clockSkew]: Math.round((edge.ports.now() - Date.now()) / 1000) }
    const customFetch = async (url: string, options: object) => edge.send(url, options as RequestInit)
    const config = await client.discovery(new URL(origin), 'sallyport-cli', clock, client.None(), {
      [client.customFetch]: customFetch,
    })
    config[client.customFetch] = customFetch
    return { config, DPoP: client.getDPoPHandle(config, keys) }
  }
  const authorize = async (more: Record<string, string> = {}) => {
    const { config, DPoP } = await now()
    const [verifier, state] = [client.randomPKCECodeVerifier(), client.randomState()]
    const url = client.buildAuthorizationUrl(config, {
      ...{ redirect_uri: redirectUri, scope: 'openid api', state, code_challenge_method: 'S256', ...more },
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      dpop_jkt: await DPoP.calculateThumbprint(),
    })
    return { url, verifier, state }
  }
  const login = async (approve: Approve, more: Record<string, string> = {}) => {
    const { url, verifier, state } = await authorize(more)
    const { json } = await approve(Object.fromEntries(url.searchParams))
    const maxAge = more['max_age'] === undefined ? {} : { maxAge: Number(more['max_age']) }
    const checks = { pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: true, ...maxAge }
    const { config, DPoP } = await now()
    return client.authorizationCodeGrant(config, new URL(json.location), checks, undefined, { DPoP })
  }
  const rotate = async (token: string) => {
    const { config, DPoP } = await now()
    const headers = new Headers({ 'content-type': 'application/json' })
    const url = new URL('/v1/keys/rotate', origin)
    return client.fetchProtectedResource(config, token, url, 'POST', '{}', headers, { DPoP })
  }
  /** What a refused call asks for. */
  const challengeTo = async (token: string): Promise<Record<string, string>> => {
    const error = await rotate(token).then(
      () => undefined,
      (refused: unknown) => refused,
    )
    if (!(error instanceof client.WWWAuthenticateChallengeError)) throw error ?? new Error('It was not refused')
    const [challenge] = error.cause
    expect(challenge?.scheme).toBe('dpop')
    return challenge?.parameters as Record<string, string>
  }
  return { now, authorize, login, rotate, challengeTo }
}

test('the metadata names the one context that there is, and the claims that tell of it', async () => {
  const { config } = await (await newClient((await newAdmin()).edge)).now()
  expect(config.serverMetadata().acr_values_supported).toEqual(['phr'])
  expect(config.serverMetadata().claims_supported).toEqual(expect.arrayContaining(['acr', 'auth_time']))
})

describe('a login that is too old', () => {
  test('is told max_age, and a new one that asks with it makes the call', async () => {
    const { edge, visitor, passkey } = await newAdmin(recentIsEnough)
    const program = await newClient(edge)
    const tap = byTap(visitor, passkey)
    const first = await program.login(tap)
    edge.advance(minutes(5) + seconds(1))
    const challenge = await program.challengeTo(first.access_token)
    expect(challenge).toMatchObject({ error: 'insufficient_user_authentication', max_age: '300', acr_values: 'phr' })
    expect(challenge['error_description']).toContain('Sign in again, then repeat it within five minutes')
    const { max_age = '', acr_values = '' } = challenge
    const again = await program.login(tap, { max_age, acr_values })
    expect(again.claims()).toMatchObject({ acr: 'phr', auth_time: Math.floor(edge.ports.now() / 1000) })
    expect((await program.rotate(again.access_token)).status).toBe(200)
  })

  test('max_age=0 asks for nothing that is not so: every authorization wants a tap of its own', async () => {
    const { edge, visitor, passkey } = await newAdmin()
    const program = await newClient(edge)
    edge.advance(minutes(30))
    const { authorize } = program
    const page = await visitor.get(String((await authorize({ max_age: '0' })).url).slice(edge.site.origin.length))
    expect(page.text).toContain('Approve with a passkey')
    const tokens = await program.login(byTap(visitor, passkey), { max_age: '0' })
    expect(tokens.claims()?.auth_time).toBe(Math.floor(edge.ports.now() / 1000))
  })

  test.each(['-1', '1.5', 'soon'])('max_age=%s is told to the program as a wrong request', async (max_age) => {
    const { edge, visitor } = await newAdmin()
    const { url } = await (await newClient(edge)).authorize({ max_age })
    const { status, headers } = await visitor.get(url.pathname + url.search)
    expect(status).toBe(302)
    expect(new URL(headers.get('location') ?? '').searchParams.get('error')).toBe('invalid_request')
  })
})

describe('a login that a code approved', () => {
  test('has no acr, and is told the one that it takes', async () => {
    const { edge, visitor, code } = await newCodePerson(['access', 'editor'])
    const program = await newClient(edge)
    const tokens = await program.login((request) => approveByCode(visitor, request, { code: code() }))
    expect(tokens.claims()).not.toHaveProperty('acr')
    expect(await program.challengeTo(tokens.access_token)).toMatchObject({
      error: 'insufficient_user_authentication',
      acr_values: 'phr',
    })
    expect(lastRefusal(edge)).toBe('login_untapped')
  })

  test('is not taken where the program asks for phr: the page says what it takes, and no code helps', async () => {
    const { edge, visitor, code } = await newCodePerson(['access', 'editor'])
    const { url } = await (await newClient(edge)).authorize({ acr_values: 'urn:other phr' })
    const request = Object.fromEntries(url.searchParams)
    const page = await visitor.get(url.pathname + url.search)
    expect(page.text).toContain('You cannot approve this: it wants a passkey, and you have none.')
    expect(await visitor.post('/v1/authorize/begin', { request })).toMatchObject({
      status: 403,
      json: { error: 'tap_impossible' },
    })
    const { acr_values: _, ...lesser } = request
    const body = await codeBody(visitor, lesser, { code: code() })
    expect((await visitor.post('/v1/authorize/finish', { ...body, request })).status).toBe(403)
    expect(lastRefusal(edge)).toBe('proof_missing')
  })

  test('is taken where the program asks for what nobody knows: that is a wish', async () => {
    const { edge, visitor, code } = await newCodePerson()
    const program = await newClient(edge)
    const approve: Approve = (request) => approveByCode(visitor, request, { code: code() })
    expect((await program.login(approve, { acr_values: 'urn:other' })).claims()).not.toHaveProperty('acr')
  })
})

test('a headless login has no acr though it was tapped for, and one by a browser is what its challenge asks for', async () => {
  const admin = await newAdmin(recentIsEnough)
  const { edge, visitor, passkey } = admin
  expect((await putDocuments(admin, [headlessRole()])).status).toBe(200)
  edge.store.raw.exec("insert into user_roles select id, 'headless' from users")
  const program = await newClient(edge)
  const { config, DPoP } = await program.now()
  const scope = { scope: 'openid api', dpop_jkt: await DPoP.calculateThumbprint() }
  const begun = await client.initiateDeviceAuthorization(config, scope)
  expect((await approveDevice({ visitor, passkey }, begun)).status).toBe(200)
  const headless = await client.pollDeviceAuthorizationGrant(config, { ...begun, interval: 0 }, undefined, { DPoP })
  expect(headless.claims()).not.toHaveProperty('acr')
  const { acr_values = '', error } = await program.challengeTo(headless.access_token)
  expect({ error, acr_values }).toEqual({ error: 'insufficient_user_authentication', acr_values: 'phr' })
  const again = await program.login(byTap(visitor, passkey), { acr_values })
  expect((await program.rotate(again.access_token)).status).toBe(200)
})

test('a tap that one request wants is no matter of the login: no challenge sends anybody to sign in again', async () => {
  const { program, token } = await newAdmin()
  const { status, headers, json } = await program.call('POST', '/v1/keys/rotate', token, { body: {} })
  expect({ status, error: json.error }).toEqual({ status: 403, error: 'tap_required' })
  expect(headers.get('www-authenticate')).toBeNull()
})
