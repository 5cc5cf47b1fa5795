/** The CLI as an OAuth client: code with PKCE on loopback (RFC 8252), tokens bound to its key (RFC 9449), refresh, revocation. */
import * as oauth from 'oauth4webapi'
import type { Json } from '../core/intent.ts'
import { base64url } from '../core/lib/bytes.ts'
import { askInBrowser } from './browser.ts'
import type { Fetch } from './http.ts'
import { Problem } from './problem.ts'
import type { Profile, Tokens } from './profiles.ts'

const client: oauth.Client = { client_id: 'sallyport-cli', token_endpoint_auth_method: 'none' }
const scope = 'openid api'
const clientAuth = oauth.None()

export type Key = Profile['key']

/**
 * An issuer may be http://localhost, but nothing is sent there: `fetch` goes to the proxy, over TLS that was verified. So
 * what the library calls insecure is a name and no connection.
 */
const through = (fetch: Fetch) => ({
  [oauth.customFetch]: fetch as (url: string, options: oauth.CustomFetchOptions<string, unknown>) => Promise<Response>,
  [oauth.allowInsecureRequests]: true,
})

const p256 = { name: 'ECDSA', namedCurve: 'P-256' }

export async function makeKey(): Promise<Key> {
  const { privateKey } = await crypto.subtle.generateKey(p256, true, ['sign', 'verify'])
  const { x = '', y = '', d = '' } = await crypto.subtle.exportKey('jwk', privateKey)
  return { kty: 'EC', crv: 'P-256', x, y, d }
}

async function importKey({ kty, crv, x, y, d }: Key): Promise<oauth.CryptoKeyPair> {
  try {
    return {
      privateKey: await crypto.subtle.importKey('jwk', { kty, crv, x, y, d }, p256, false, ['sign']),
      publicKey: await crypto.subtle.importKey('jwk', { kty, crv, x, y }, p256, true, ['verify']),
    }
  } catch (cause) {
    throw new Problem('signIn', 'the key in the profile is damaged', 'sallyport login', { cause })
  }
}

export const dpopHandle = async (key: Key): Promise<oauth.DPoPHandle> => oauth.DPoP(client, await importKey(key))

const athOf = async (token: string): Promise<string> =>
  base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))))

/** RFC 8414. @throws Problem where it is not the metadata of an edge */
export async function discover(fetch: Fetch, issuer: string): Promise<oauth.AuthorizationServer> {
  const url = new URL(issuer)
  const server = await translated(async () => {
    const answer = await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...through(fetch) })
    return oauth.processDiscoveryResponse(url, answer)
  })
  // The library compares URLs; the redirect's `iss` is compared with this text.
  if (server.issuer !== issuer) throw notAnEdge('it names another issuer in its metadata')
  return server
}

export const notAnEdge = (why: string): Problem =>
  new Problem('unreachable', `what answers there is not the proxy of a Sallyport cluster (${why})`, 'check the address')

export interface SignedIn {
  readonly tokens: Tokens
  readonly server: oauth.AuthorizationServer
}

/** Asks in the browser, and turns the code into tokens that only `key` can use. */
export async function signIn(fetch: Fetch, issuer: string, key: Key, opensBrowser: boolean): Promise<SignedIn> {
  const server = await discover(fetch, issuer)
  const dpop = await dpopHandle(key)
  const [state, nonce, verifier] = [
    oauth.generateRandomState(),
    oauth.generateRandomNonce(),
    oauth.generateRandomCodeVerifier(),
  ]
  let redirectUri = ''
  const urlFor = async (uri: string) => {
    redirectUri = uri
    return authorizationUrl(server, {
      response_type: 'code',
      client_id: client.client_id,
      redirect_uri: uri,
      scope,
      state,
      nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      dpop_jkt: await dpop.calculateThumbprint(),
    })
  }
  const answer = await askInBrowser({ toDo: 'sign in', state, issuer, opensBrowser, urlFor })
  const tokens = await translated(async () => {
    const parameters = oauth.validateAuthResponse(server, client, answer, state)
    const options = { DPoP: dpop, ...through(fetch) }
    const redeem = () =>
      oauth.authorizationCodeGrantRequest(server, client, clientAuth, parameters, redirectUri, verifier, options)
    const process = (reply: Response) =>
      oauth.processAuthorizationCodeResponse(server, client, reply, { expectedNonce: nonce, requireIdToken: true })
    return tokensOf(await withNonce(async () => process(await redeem())))
  })
  return { tokens, server }
}

/** The codes of a device flow (RFC 8628 section 3.1), of use to this key alone. */
export function beginDeviceFlow(
  fetch: Fetch,
  server: oauth.AuthorizationServer,
  dpop: oauth.DPoPHandle,
): Promise<oauth.DeviceAuthorizationResponse> {
  if (server.device_authorization_endpoint === undefined)
    throw new Problem('failed', 'this cluster knows no headless logins', 'sallyport login')
  return translated(async () => {
    const parameters = { scope, dpop_jkt: await dpop.calculateThumbprint() }
    const reply = await oauth.deviceAuthorizationRequest(server, client, clientAuth, parameters, through(fetch))
    return oauth.processDeviceAuthorizationResponse(server, client, reply)
  })
}

/** What a program that polls is told as long as nobody has answered. */
const stillWaiting = ['authorization_pending', 'slow_down'] as const
export type DeviceAnswer = Tokens | (typeof stillWaiting)[number]

/** Asks once (RFC 8628 section 3.4). */
export function pollDeviceFlow(
  fetch: Fetch,
  server: oauth.AuthorizationServer,
  dpop: oauth.DPoPHandle,
  deviceCode: string,
  signal: AbortSignal,
): Promise<DeviceAnswer> {
  const ask = async () => {
    const options = { DPoP: dpop, signal, ...through(fetch) }
    const reply = await oauth.deviceCodeGrantRequest(server, client, clientAuth, deviceCode, options)
    return tokensOf(await oauth.processDeviceCodeResponse(server, client, reply))
  }
  return translated(() => withNonce(ask).catch(asWaiting))
}

function asWaiting(error: unknown): DeviceAnswer {
  const word = stillWaiting.find((one) => error instanceof oauth.ResponseBodyError && error.error === one)
  if (word === undefined) throw error
  return word
}

function authorizationUrl(server: oauth.AuthorizationServer, parameters: Readonly<Record<string, string>>): string {
  const url = URL.parse(server.authorization_endpoint ?? '')
  if (!url) throw notAnEdge('its metadata has no authorization endpoint')
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url.href
}

const serverOf = ({ issuer, token_endpoint, revocation_endpoint }: Profile): oauth.AuthorizationServer => ({
  issuer,
  token_endpoint,
  revocation_endpoint,
  // A refresh may bring an ID token too. Nobody reads it: who is signed in says /v1/me.
  id_token_signing_alg_values_supported: ['EdDSA', 'Ed25519', 'ES256'],
})

/** The edge answers a repeated refresh of the same key alike for a minute, so a lost reply costs nothing. */
export function refresh(fetch: Fetch, profile: Profile, dpop: oauth.DPoPHandle): Promise<Tokens> {
  const server = serverOf(profile)
  const ask = async () => {
    const options = { DPoP: dpop, ...through(fetch) }
    const reply = await oauth.refreshTokenGrantRequest(server, client, clientAuth, profile.tokens.refresh, options)
    return oauth.processRefreshTokenResponse(server, client, reply)
  }
  return translated(async () => tokensOf(await withNonce(ask)))
}

export function revoke(fetch: Fetch, profile: Profile): Promise<void> {
  return translated(async () => {
    const token = profile.tokens.refresh
    const reply = await oauth.revocationRequest(serverOf(profile), client, clientAuth, token, through(fetch))
    await oauth.processRevocationResponse(reply)
  })
}

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
const grantTokenType = 'urn:sallyport:oauth:token-type:grant'

export interface GrantWanted {
  readonly accessToken: string
  /** One URI that names the resource, as whom, and the proxy (RFC 8707). */
  readonly resource: string
  readonly tap: string | undefined
}

interface Grant {
  readonly grant: string
  readonly lifeMs: number
}

/** The access token for a grant on one session, or on a tapped set (RFC 8693). The proof names the token that it is exchanged for. */
export async function exchangeForGrant(fetch: Fetch, profile: Profile, wanted: GrantWanted): Promise<Grant> {
  const { accessToken, resource, tap } = wanted
  const [server, keys, ath] = [serverOf(profile), await importKey(profile.key), await athOf(accessToken)]
  const dpop = oauth.DPoP(client, keys, { [oauth.modifyAssertion]: (_, claims) => void Object.assign(claims, { ath }) })
  const parameters = {
    subject_token: accessToken,
    subject_token_type: accessTokenType,
    requested_token_type: grantTokenType,
    resource,
    ...(tap !== undefined && { tap }),
  }
  const options = { DPoP: dpop, ...through(fetch) }
  const ask = async () => {
    const reply = await oauth.genericTokenEndpointRequest(
      server,
      client,
      clientAuth,
      tokenExchange,
      parameters,
      options,
    )
    return oauth.processGenericTokenEndpointResponse(server, client, reply)
  }
  const answer = await translated(() => withNonce(ask))
  const { access_token: grant, expires_in: life = 0 } = answer
  if (answer['issued_token_type'] === grantTokenType) return { grant, lifeMs: life * 1000 }
  throw new Problem('failed', 'the edge answered no grant', 'use a sallyport of the version of the edge')
}

/** Once more with the nonce that the refusal brought (RFC 9449 section 8): the handle keeps it. */
export async function withNonce<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (oauth.isDPoPNonceError(error)) return ask()
    throw error
  }
}

export const now = (): number => Math.floor(Date.now() / 1000)

function tokensOf({ access_token, token_type, expires_in, refresh_token }: oauth.TokenEndpointResponse): Tokens {
  if (token_type !== 'dpop') throw notAnEdge('its tokens are not bound to a key')
  if (refresh_token === undefined) throw notAnEdge('it gives no refresh token')
  return { access: access_token, access_expires_at: now() + (expires_in ?? 0), refresh: refresh_token }
}

/** A request with the access token and a proof of its key. @throws WWWAuthenticateChallengeError */
export interface Asked {
  readonly method: string
  readonly url: URL
  readonly headers: Headers
  readonly body: string | undefined
}

export const askWithToken = (
  fetch: Fetch,
  dpop: oauth.DPoPHandle,
  token: string,
  { method, url, headers, body }: Asked,
) =>
  withNonce(() => oauth.protectedResourceRequest(token, method, url, headers, body, { DPoP: dpop, ...through(fetch) }))

export interface Challenge {
  readonly error: string | undefined
  readonly response: Response
}

/** What a 401 asks for, or undefined where `error` is something else. */
export function challengeOf(error: unknown): Challenge | undefined {
  if (!(error instanceof oauth.WWWAuthenticateChallengeError)) return undefined
  const found = error.cause.find(({ scheme }) => scheme === 'dpop')
  return { error: found?.parameters.error, response: error.response }
}

/** The library's errors as ours. What they carry (answers, tokens) stays behind. */
async function translated<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof oauth.ResponseBodyError) throw problemOf(error)
    if (error instanceof oauth.OperationProcessingError || error instanceof oauth.UnsupportedOperationError)
      throw notAnEdge(error.message)
    throw error
  }
}

function problemOf({ error, error_description: why, status }: oauth.ResponseBodyError): Problem {
  if (error === 'invalid_grant') return new Problem('signIn', why ?? 'this login has ended', 'sallyport login')
  if (error === 'expired_token') return new Problem('failed', 'nobody answered while the code was good', 'try again')
  const said = `the edge refused it: ${why ?? error}`
  if (error === 'invalid_dpop_proof') return new Problem('failed', said, 'check the clock of this machine')
  return status === 429
    ? new Problem('failed', said, 'wait a minute, then try again')
    : new Problem('refused', said, 'sallyport login; if it goes on, ask an administrator')
}

const joseBytes = (json: Json): string => base64url(new TextEncoder().encode(JSON.stringify(json)))

export interface ProofFor {
  readonly method: string
  /** `htu`: without query and fragment. */
  readonly target: string
  /** What it is sent with. */
  readonly accessToken: string
  readonly nonce: string | undefined
}

/** A DPoP proof for a program that makes its request itself (RFC 9449 section 4.2). */
export async function proofFor(key: Key, { method, target, accessToken, nonce }: ProofFor): Promise<string> {
  const { privateKey } = await importKey(key)
  const utf8 = new TextEncoder()
  const { kty, crv, x, y } = key
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } }
  const claims = {
    jti: base64url(crypto.getRandomValues(new Uint8Array(16))),
    htm: method,
    htu: target,
    iat: now(),
    ath: await athOf(accessToken),
    ...(nonce === undefined ? {} : { nonce }),
  }
  const signed = `${joseBytes(header)}.${joseBytes(claims)}`
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, utf8.encode(signed))
  return `${signed}.${base64url(new Uint8Array(signature))}`
}
