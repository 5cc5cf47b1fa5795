/**
 * The token endpoint (RFC 6749 sections 4.1.3 and 6, RFC 7636, RFC 9449 section 5): a code or a refresh token, with a proof of
 * the key that it is bound to, becomes an access token and the next refresh token. One batch each.
 */

import { withCaller } from '../access/known-caller.ts'
import { verifyCall } from '../access/principal.ts'
import { grantSession } from '../access/request-session.ts'
import { grantSessionSet } from '../access/request-session-set.ts'
import { parseTargetUri } from '../access/resource-uri.ts'
import { recordingRefusals } from '../audit.ts'
import { base64url, utf8 } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'
import { type Asking, type ClientSessionEnd, type Holder, type Site, seconds } from '../model.ts'
import type { Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { parseSentApproval } from '../tap/sent.ts'
import type { CodeClaim, Login } from '../token-ports.ts'
import { issueAccessToken, issueIdToken } from './access-token.ts'
import { type Clients, hasScope } from './clients.ts'
import { deviceGrantType, redeemDeviceCode } from './device-flow.ts'
import { verifyDpop } from './dpop.ts'
import { parseRefreshToken, refreshTokenOf } from './refresh-token.ts'

/** A reply that was lost may be asked for again for so long, by the same key. */
const repeatFor = seconds(60)

export interface TokenRequest {
  readonly grant_type: string | undefined
  readonly client_id: string | undefined
  readonly code: string | undefined
  readonly device_code: string | undefined
  readonly redirect_uri: string | undefined
  readonly code_verifier: string | undefined
  readonly refresh_token: string | undefined
  readonly scope: string | undefined
  readonly subject_token: string | undefined
  readonly subject_token_type: string | undefined
  readonly requested_token_type: string | undefined
  readonly resource: string | undefined
  readonly tap: string | undefined
}

export interface Tokens {
  readonly access_token: string
  readonly token_type: 'DPoP'
  readonly expires_in: number
  readonly refresh_token?: string
  readonly scope?: string
  readonly id_token?: string
  readonly issued_token_type?: string
}

type Needs = Pick<
  Ports,
  | 'keys'
  | 'random'
  | 'now'
  | 'keyring'
  | 'signatures'
  | 'proofKeys'
  | 'accessTokens'
  | 'callers'
  | 'codes'
  | 'policies'
  | 'deviceCodes'
  | 'clientSessions'
  | 'proxies'
  | 'users'
  | 'publicKeys'
  | 'credentials'
  | 'grants'
  | 'audit'
>
/** The site's clients, and the proof that came with the request. */
export interface TokenContext {
  readonly site: Site
  readonly clients: Clients
  readonly asking: Asking
  readonly method: string
  /** The endpoint's own address, as clients know it. */
  readonly url: string
  readonly proof: string | undefined
}

/** @throws Refusal */
export async function exchange(ports: Needs, context: TokenContext, request: TokenRequest): Promise<Tokens> {
  const grant = grants[request.grant_type ?? '']
  if (!grant) throw new Refusal('grant_unsupported')
  return recordingRefusals(ports, context.asking, grant.kind, async () => {
    if (!context.clients.has(request.client_id ?? '')) throw new Refusal('client_unknown')
    return grant.exchange(ports, context, request)
  })
}

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
export const grantTokenType = 'urn:sallyport:oauth:token-type:grant'

type Grant = {
  readonly kind: 'client.login' | 'client.refresh' | 'session.grant'
  readonly exchange: (ports: Needs, context: TokenContext, request: TokenRequest) => Promise<Tokens>
}
const grants: Readonly<Record<string, Grant>> = Object.assign(Object.create(null), {
  authorization_code: { kind: 'client.login', exchange: exchangeCode },
  refresh_token: { kind: 'client.refresh', exchange: exchangeRefreshToken },
  [deviceGrantType]: { kind: 'client.login', exchange: exchangeDeviceCode },
  [tokenExchange]: { kind: 'session.grant', exchange: exchangeForGrant },
} satisfies Record<string, Grant>)

/** RFC 7636 section 4.1. */
const verifierForm = /^[A-Za-z0-9._~-]{43,128}$/

async function exchangeCode(ports: Needs, context: TokenContext, request: TokenRequest): Promise<Tokens> {
  const { code = '', redirect_uri: redirectUri = '', code_verifier: verifier = '', client_id: clientId = '' } = request
  if (code === '' || redirectUri === '' || !verifierForm.test(verifier)) throw new Refusal('token_request_invalid')
  const { jkt, spend } = await verifyDpop(ports, context)
  const claim: CodeClaim = {
    hash: base64url(sha256(utf8(code))),
    clientId,
    redirectUri,
    codeChallenge: base64url(sha256(utf8(verifier))),
    jkt,
  }
  const { asking } = context
  const event = { at: ports.now(), kind: 'client.login', outcome: 'done', asking } as const
  const login = await ports.codes.redeem({ ...claim, spend, event }).catch(async (error: unknown) => {
    if (!(error instanceof Refusal && error.code === 'code_invalid')) throw error
    throw new Refusal('code_invalid', { client: clientId, why: await ports.codes.examine(claim, event) })
  })
  return firstTokensOf(context.site, ports, login, jkt, login.nonce)
}

async function exchangeDeviceCode(ports: Needs, context: TokenContext, request: TokenRequest): Promise<Tokens> {
  const { login, jkt } = await redeemDeviceCode(ports, context, request)
  return firstTokensOf(context.site, ports, login, jkt, '')
}

async function exchangeRefreshToken(ports: Needs, context: TokenContext, request: TokenRequest): Promise<Tokens> {
  const { refresh_token: token = '', client_id: clientId = '' } = request
  if (token === '') throw new Refusal('token_request_invalid')
  const { jkt, spend } = await verifyDpop(ports, context)
  const parsed = parseRefreshToken(ports.keys.refresh, token)
  if (!parsed) throw new Refusal('refresh_invalid', { client: clientId })
  const event = { at: ports.now(), kind: 'client.refresh', outcome: 'refused', asking: context.asking } as const
  const login = await ports.clientSessions.refresh({ ...parsed, clientId, jkt, spend, repeatFor, event })
  // Narrower or equal (section 6): whoever asks for more is refused, who asks for less still gets what was approved.
  const wanted = (request.scope ?? '').split(' ').filter((word) => word !== '')
  if (wanted.some((word) => !hasScope(login.session.scope, word))) throw new Refusal('scope_invalid')
  return tokensOf(context.site, ports, login, jkt)
}

/** RFC 8693: the access token for a grant on one resource, or on a tapped set. Its answer is bound to the same key. */
async function exchangeForGrant(ports: Needs, context: TokenContext, request: TokenRequest): Promise<Tokens> {
  const { subject_token: token = '', resource = '', requested_token_type: wanted = grantTokenType } = request
  if (request.subject_token_type !== accessTokenType || wanted !== grantTokenType) {
    throw new Refusal('token_request_invalid')
  }
  const target = parseTargetUri(resource)
  const { site, asking, method, url, proof } = context
  const call = await verifyCall(site, ports, { method, url, proof, asking, accessToken: token, isBearer: false })
  const sent = parseSentApproval(request.tap)
  const { grant, life } = await withCaller(ports, call, (caller) =>
    target.kind === 'set'
      ? grantSessionSet(site, ports, caller, target, sent)
      : grantSession(site, ports, caller, target.ask, sent),
  )
  return { access_token: grant, issued_token_type: grantTokenType, token_type: 'DPoP', expires_in: life }
}

/** With an ID token, where one was asked for. `nonce`: empty where there is none. */
async function firstTokensOf(site: Site, ports: Needs, login: Login, jkt: Holder, nonce: string): Promise<Tokens> {
  const tokens = await tokensOf(site, ports, login, jkt)
  if (!hasScope(login.session.scope, 'openid')) return tokens
  return { ...tokens, id_token: await issueIdToken(site, ports, login, nonce) }
}

async function tokensOf(site: Site, ports: Needs, login: Login, jkt: Holder): Promise<Tokens> {
  const { session, generation } = login
  const { token, ttl } = await issueAccessToken(site, ports, login, jkt)
  return {
    access_token: token,
    token_type: 'DPoP',
    expires_in: Math.floor(ttl / 1000),
    refresh_token: refreshTokenOf(ports.keys.refresh, session.id, generation),
    scope: session.scope,
  }
}

/** Told to the key that the session is bound to, and to nobody else. */
export const endedBecause: Readonly<Record<ClientSessionEnd, string>> = {
  revoked: 'It was ended by you or on the account page.',
  token_reused:
    'A refresh token of this login was used a second time, so somebody may have a copy of it: the login was ended. Look for other logins on your account page.',
  another_key:
    'A refresh token of this login was used with another key, so somebody has a copy of it: the login was ended. Look for other logins on your account page.',
  code_reused: 'The code of this login was used a second time, so somebody may have a copy of it: the login was ended.',
  passkey_removed: 'The passkey that approved this login was removed.',
  app_removed: 'The authenticator app whose code approved this login was removed.',
  password_changed: 'The password that approved this login, with a code, was changed or removed.',
  user_removed: 'The user was removed.',
  user_reset: 'All passkeys, passwords, codes and logins of this user were removed: the user was reset.',
  administrator: 'An administrator ended it.',
  disowned: 'It asked for an approval, and you said that it was not you who asked.',
}
