/** A certified client of other people's making against the edge as it is deployed: discovery, code, PKCE, DPoP, refresh, revocation, device flow. */
import * as client from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Authenticator, newAuthenticator } from '../authenticator.ts'
import { login, registerFirst, Visitor } from '../client.ts'
import { approveDevice, headlessRole, refuseDevice } from '../device-flow.ts'
import { type Acting, join, putDocuments } from '../people.ts'
import { approvalBody, approve, askOf, newProofKey, Program, parametersAt, redirectUri } from '../program.ts'
import { launchServe, launchWorkerd, missing, type Running, remove } from './launch.ts'

const runtimes = ['node', 'deno', 'bun', 'workerd'] as const

describe.each(runtimes)('openid-client and the edge on %s', (runtime) => {
  const lacking = missing(runtime)
  let edge: Running
  let passkey: Authenticator
  let visitor: Visitor

  beforeAll(async () => {
    if (lacking !== undefined) return
    edge = runtime === 'workerd' ? await launchWorkerd() : await launchServe(runtime)
    passkey = await newAuthenticator({ origin: edge.origin, rpId: 'localhost' })
    visitor = new Visitor(edge.origin)
    expect((await registerFirst(visitor, edge.secret ?? '', passkey)).status).toBe(200)
    expect((await login(visitor, passkey)).status).toBe(200)
  }, 120_000)
  afterAll(async () => {
    await edge?.stop()
    if (edge) remove(edge.home)
  })

  const story = (name: string, work: () => Promise<void>) =>
    test(name, { timeout: 60_000 }, async (context) => {
      if (lacking !== undefined) context.skip(lacking)
      await work()
    })

  const discover = (algorithm: 'oidc' | 'oauth2') =>
    client.discovery(new URL(edge.origin), 'sallyport-cli', undefined, client.None(), {
      algorithm,
      // http, because the edge is on this machine.
      execute: [client.allowInsecureRequests],
    })

  /** All that a program does until the browser is back at its loopback address. */
  async function authorized(config: client.Configuration, alg = 'ES256') {
    const dpop = client.getDPoPHandle(config, await client.randomDPoPKeyPair(alg))
    const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()]
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope: 'openid api',
      state,
      nonce,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      dpop_jkt: await dpop.calculateThumbprint(),
    })
    const page = await visitor.get(url.pathname + url.search)
    expect(page).toMatchObject({ status: 200, text: expect.stringContaining('Sallyport CLI') })
    const body = await approvalBody(visitor, passkey, Object.fromEntries(url.searchParams))
    const { json } = await visitor.post('/v1/authorize/finish', body)
    const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true }
    return { dpop, verifier, checks, location: new URL(json.location) }
  }

  const call = (config: client.Configuration, token: string, DPoP: client.DPoPHandle) =>
    client.fetchProtectedResource(config, token, new URL('/v1/me', edge.origin), 'GET', null, undefined, { DPoP })

  story('discovery by both rules finds the same issuer and endpoints', async () => {
    const [openid, oauth] = [await discover('oidc'), await discover('oauth2')]
    expect(openid.serverMetadata()).toMatchObject({ issuer: edge.origin, token_endpoint: `${edge.origin}/oauth/token` })
    expect({ ...oauth.serverMetadata() }).toEqual({ ...openid.serverMetadata() })
    expect(openid.serverMetadata().supportsPKCE()).toBe(true)
  })

  story('code, ID token, call, refresh, revocation: and then the call fails', async () => {
    const config = await discover('oidc')
    // The ID token came over this connection, and its signature is checked all the same, with the published keys.
    client.enableNonRepudiationChecks(config)
    const { dpop: DPoP, checks, location } = await authorized(config)
    const tokens = await client.authorizationCodeGrant(config, location, checks, undefined, { DPoP })
    expect(tokens).toMatchObject({ token_type: 'dpop', scope: 'openid api', expires_in: 600 })
    expect(tokens.claims()).toMatchObject({ iss: edge.origin, aud: 'sallyport-cli', name: 'Ada' })

    const me = await call(config, tokens.access_token, DPoP)
    expect(await me.json()).toMatchObject({ user: { id: tokens.claims()?.sub, name: 'Ada' } })

    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, { DPoP })
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token)
    expect((await call(config, refreshed.access_token, DPoP)).status).toBe(200)

    await client.tokenRevocation(config, refreshed.refresh_token ?? '', { token_type_hint: 'refresh_token' })
    await expect(call(config, refreshed.access_token, DPoP)).rejects.toMatchObject({
      code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE',
      cause: [
        expect.objectContaining({ scheme: 'dpop', parameters: expect.objectContaining({ error: 'invalid_token' }) }),
      ],
    })
    const again = client.refreshTokenGrant(config, refreshed.refresh_token ?? '', undefined, { DPoP })
    await expect(again).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  story('a key of the other kind, Ed25519, and plain OAuth discovery', async () => {
    const config = await discover('oauth2')
    const { dpop: DPoP, checks, location } = await authorized(config, 'Ed25519')
    const tokens = await client.authorizationCodeGrant(config, location, checks, undefined, { DPoP })
    expect((await call(config, tokens.access_token, DPoP)).status).toBe(200)
  })

  story('a code is refused to another key, with another verifier, and a second time', async () => {
    const config = await discover('oidc')
    const { dpop: DPoP, checks, location } = await authorized(config)
    const grant = (more: object, handle = DPoP) =>
      client.authorizationCodeGrant(config, location, { ...checks, ...more }, undefined, { DPoP: handle })
    const refused = { error: 'invalid_grant', status: 400 }
    const thief = client.getDPoPHandle(config, await client.randomDPoPKeyPair())
    await expect(grant({}, thief)).rejects.toMatchObject(refused)
    await expect(grant({ pkceCodeVerifier: client.randomPKCECodeVerifier() })).rejects.toMatchObject(refused)
    const tokens = await grant({})
    await expect(grant({})).rejects.toMatchObject(refused)
    await expect(call(config, tokens.access_token, DPoP)).rejects.toMatchObject({ status: 401 })
  })

  /** Somebody whom a role allows the device flow, at a browser of his own. */
  async function headlessPerson(name: string) {
    const program = new Program(await newProofKey(), new Visitor(edge.origin))
    const asked = askOf(program.key)
    const code = parametersAt((await approve(visitor, passkey, asked)).json.location).get('code') ?? ''
    const { access_token: token } = (await program.token(program.codeForm(code, asked))).json
    const admin: Acting = { visitor, passkey, program, token }
    expect((await putDocuments(admin, [headlessRole()], true)).status).toBe(200)
    const who = {
      visitor: new Visitor(edge.origin),
      passkey: await newAuthenticator({ origin: edge.origin, rpId: 'localhost' }),
    }
    await join(admin, name, ['headless'], who)
    return who
  }

  /** A program without a browser, that shows its code to the test. */
  async function withoutBrowser() {
    const config = await discover('oidc')
    client.enableNonRepudiationChecks(config)
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair())
    const dpop_jkt = await DPoP.calculateThumbprint()
    const codes = await client.initiateDeviceAuthorization(config, { scope: 'openid api', dpop_jkt })
    return { config, DPoP, codes }
  }

  story('device flow: it waits, is told to slow down, has tokens of who approved, and refreshes them', async () => {
    const bob = await headlessPerson('Bob')
    const { config, DPoP, codes } = await withoutBrowser()
    expect(codes).toMatchObject({ verification_uri: `${edge.origin}/device`, expires_in: 600, interval: 5 })
    // In a hurry: its second poll is too early, and it waits six seconds for the third.
    const told: unknown[] = []
    config[client.customFetch] = async (...asked) => {
      const answer = await fetch(...(asked as Parameters<typeof fetch>))
      told.push((await answer.clone().json()).error)
      return answer
    }
    const waiting = client.pollDeviceAuthorizationGrant(config, { ...codes, interval: 1 }, undefined, { DPoP })
    const page = await bob.visitor.get(new URL(codes.verification_uri_complete ?? '').pathname)
    expect(page).toMatchObject({ status: 200, text: expect.stringContaining('Enter the code') })
    await expect.poll(() => told, { timeout: 20_000 }).toContain('slow_down')
    expect((await approveDevice(bob, codes)).status).toBe(200)
    const tokens = await waiting
    expect(told).toEqual(['use_dpop_nonce', 'authorization_pending', 'slow_down', undefined, undefined])
    expect(tokens).toMatchObject({ token_type: 'dpop', scope: 'openid api', expires_in: 600 })
    expect(tokens.claims()).toMatchObject({ iss: edge.origin, aud: 'sallyport-cli', name: 'Bob' })
    const me = await call(config, tokens.access_token, DPoP)
    expect(await me.json()).toMatchObject({ user: { name: 'Bob' }, via: 'device_flow' })
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, { DPoP })
    expect((await call(config, refreshed.access_token, DPoP)).status).toBe(200)
  })

  story('device flow: refused by the person, and to another key', async () => {
    const eve = await headlessPerson('Eve')
    const { config, DPoP, codes } = await withoutBrowser()
    const soon = { ...codes, interval: 0.1 }
    const thief = client.getDPoPHandle(config, await client.randomDPoPKeyPair())
    const stolen = client.pollDeviceAuthorizationGrant(config, soon, undefined, { DPoP: thief })
    await expect(stolen).rejects.toMatchObject({ error: 'invalid_grant', status: 400 })
    expect((await refuseDevice(eve, codes)).status).toBe(200)
    const refused = client.pollDeviceAuthorizationGrant(config, soon, undefined, { DPoP })
    await expect(refused).rejects.toMatchObject({ error: 'access_denied', status: 400 })
  })

  story('an answer of another issuer or another request is not taken', async () => {
    const config = await discover('oidc')
    const { dpop: DPoP, checks, location } = await authorized(config)
    for (const [name, value] of [
      ['iss', 'https://evil.example'],
      ['state', 'another'],
    ] as const) {
      const altered = new URL(location)
      altered.searchParams.set(name, value)
      await expect(client.authorizationCodeGrant(config, altered, checks, undefined, { DPoP })).rejects.toThrow()
    }
  })
})
