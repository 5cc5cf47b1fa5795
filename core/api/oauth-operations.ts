/** OAuth 2.0 endpoints: their shapes on the wire. */
import type { AnyOperation } from './operation.ts'
import { anything, list, object, oneOf, optional, text, whole } from './shape.ts'

/** What a client asks for at /oauth/authorize (RFC 6749 section 4.1.1, RFC 7636, RFC 9449 section 10), as it came. */
export const authorizeRequest = object({
  response_type: optional(text(64)),
  client_id: optional(text(256)),
  redirect_uri: optional(text(2048)),
  scope: optional(text(1024)),
  state: optional(text(1024)),
  nonce: optional(text(1024)),
  code_challenge: optional(text(256)),
  code_challenge_method: optional(text(64)),
  dpop_jkt: optional(text(256)),
  acr_values: optional(text(256)),
  max_age: optional(text(16)),
  prompt: optional(text(64)),
  response_mode: optional(text(64)),
  request: optional(text(16_384)),
  request_uri: optional(text(2048)),
})

const oauthBody = object({
  grant_type: optional(text(256)),
  client_id: optional(text(256)),
  code: optional(text(256)),
  device_code: optional(text(256)),
  redirect_uri: optional(text(2048)),
  code_verifier: optional(text(256)),
  refresh_token: optional(text(512)),
  scope: optional(text(1024)),
  /** Token exchange (RFC 8693): an access token, for a grant on this resource (RFC 8707). */
  subject_token: optional(text(8192)),
  subject_token_type: optional(text(128)),
  requested_token_type: optional(text(128)),
  resource: optional(text(2048)),
  /** What Sallyport-Tap holds elsewhere: the tap for exactly this session. */
  tap: optional(text(16_384)),
})
const tokens = object({
  access_token: text(32_768),
  token_type: oneOf(['DPoP']),
  expires_in: whole,
  refresh_token: optional(text(512)),
  scope: optional(text(1024)),
  id_token: optional(text(8192)),
  issued_token_type: optional(text(128)),
})

export const oauthOperations = {
  authorize: {
    method: 'GET',
    path: '/oauth/authorize',
    summary: 'Where a client sends its user’s browser (RFC 6749, PKCE and dpop_jkt required)',
    auth: 'none',
    query: authorizeRequest,
  },
  deviceAuthorization: {
    method: 'POST',
    path: '/oauth/device_authorization',
    summary: 'Codes for a program without a browser (RFC 8628): bound to its key by dpop_jkt, a DPoP proof, or both',
    auth: 'none',
    body: object({ client_id: optional(text(256)), scope: optional(text(1024)), dpop_jkt: optional(text(256)) }),
    form: true,
    answer: object({
      device_code: text(256),
      user_code: text(64),
      verification_uri: text(2048),
      verification_uri_complete: text(2048),
      expires_in: whole,
      interval: whole,
    }),
  },
  token: {
    method: 'POST',
    path: '/oauth/token',
    summary: 'Code, device code or refresh token to DPoP-bound tokens (RFC 6749, RFC 8628, RFC 9449)',
    auth: 'none',
    body: oauthBody,
    form: true,
    answer: tokens,
  },
  revoke: {
    method: 'POST',
    path: '/oauth/revoke',
    summary: 'End a login by its refresh token (RFC 7009)',
    auth: 'none',
    body: object({ token: optional(text(8192)), token_type_hint: optional(text(64)), client_id: optional(text(256)) }),
    form: true,
    answer: object({}),
  },
  jwks: {
    method: 'GET',
    path: '/oauth/jwks',
    summary: 'The public signing keys (RFC 7517)',
    auth: 'none',
    answer: object({ keys: list(anything, 64) }),
  },
  oauthMetadata: {
    method: 'GET',
    path: '/.well-known/oauth-authorization-server',
    summary: 'Authorization server metadata (RFC 8414)',
    auth: 'none',
    answer: anything,
  },
  openidMetadata: {
    method: 'GET',
    path: '/.well-known/openid-configuration',
    summary: 'The same for OpenID clients (OpenID Connect Discovery 1.0)',
    auth: 'none',
    answer: anything,
  },
} as const satisfies Record<string, AnyOperation>
