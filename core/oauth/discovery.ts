/** Metadata of the authorization server (RFC 8414), in the form that OpenID clients want too (OpenID Connect Discovery 1.0). */
import type { Site } from '../model.ts'
import { phishingResistant } from './authentication-context.ts'
import { deviceGrantType } from './device-flow.ts'
import { dpopAlgorithms } from './dpop.ts'

export const endpoints = {
  authorize: '/oauth/authorize',
  deviceAuthorization: '/oauth/device_authorization',
  token: '/oauth/token',
  revoke: '/oauth/revoke',
  jwks: '/oauth/jwks',
} as const

export const metadataOf = ({ origin }: Site) => ({
  issuer: origin,
  authorization_endpoint: origin + endpoints.authorize,
  device_authorization_endpoint: origin + endpoints.deviceAuthorization,
  token_endpoint: origin + endpoints.token,
  revocation_endpoint: origin + endpoints.revoke,
  jwks_uri: origin + endpoints.jwks,
  scopes_supported: ['openid', 'api'],
  response_types_supported: ['code'],
  response_modes_supported: ['query'],
  grant_types_supported: ['authorization_code', 'refresh_token', deviceGrantType],
  code_challenge_methods_supported: ['S256'],
  token_endpoint_auth_methods_supported: ['none'],
  revocation_endpoint_auth_methods_supported: ['none'],
  dpop_signing_alg_values_supported: dpopAlgorithms,
  authorization_response_iss_parameter_supported: true,
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['EdDSA'],
  acr_values_supported: [phishingResistant],
  claims_supported: ['sub', 'name', 'auth_time', 'acr', 'sid'],
  request_parameter_supported: false,
  request_uri_parameter_supported: false,
  service_documentation: `${origin}/openapi.json`,
})
