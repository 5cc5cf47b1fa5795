import { expect, test } from 'vitest'
import { lastRefusal, newAdministrator, newLogin } from '../edge.ts'
import type { ProofParts } from '../program.ts'

const site = { origin: 'https://access.example.com' }

async function loggedIn() {
  const { edge, passkey, visitor } = await newAdministrator(site)
  return { edge, ...(await newLogin(edge, visitor, passkey)) }
}

const wrong: Record<string, Partial<ProofParts>> = {
  'another method': { method: 'POST' },
  'the method in lower case': { method: 'get' },
  'no method': { claims: { htm: undefined } },
  'another path': { url: `${site.origin}/v1/users` },
  'the token endpoint': { url: `${site.origin}/oauth/token` },
  'a path below': { url: `${site.origin}/v1/me/` },
  'a path in capitals': { url: `${site.origin}/V1/me` },
  'another host': { url: 'https://evil.example/v1/me' },
  'a host below ours': { url: 'https://evil.access.example.com/v1/me' },
  'our host as a user': { url: 'https://access.example.com@evil.example/v1/me' },
  'another port': { url: 'https://access.example.com:8443/v1/me' },
  'plain http': { url: 'http://access.example.com/v1/me' },
  'a path alone': { url: '/v1/me' },
  'no URL': { claims: { htu: undefined } },
  'a list of URLs': { claims: { htu: [`${site.origin}/v1/me`] } },
  'no access token': { accessToken: undefined },
  'another access token': { accessToken: 'another' },
  'the access token itself instead of its hash': { claims: { ath: 'x' } },
  'no jti': { claims: { jti: undefined } },
  'an empty jti': { jti: '' },
  'a jti that is long': { jti: 'j'.repeat(257) },
  'a jti that is a number': { claims: { jti: 1 } },
  'no time': { claims: { iat: undefined } },
  'a time that is a text': { claims: { iat: '1800000000' } },
}

test.each(Object.entries(wrong))('a proof for %s is refused', async (_, parts) => {
  const { edge, program, tokens } = await loggedIn()
  const reply = await program.call('GET', '/v1/me', tokens.access_token, { parts })
  expect(reply).toMatchObject({ status: 401, json: { error: 'invalid_dpop_proof' } })
  expect(reply.headers.get('www-authenticate')).toContain('error="invalid_dpop_proof"')
  expect(lastRefusal(edge)).toBe('dpop_invalid')
})

/** RFC 9449 section 4.3 step 9, RFC 3986 section 6.2. */
const right: Record<string, string> = {
  'with a query': `${site.origin}/v1/me?a=1`,
  'with a fragment': `${site.origin}/v1/me#b`,
  'with the host in capitals': 'https://ACCESS.example.COM/v1/me',
  'with the scheme in capitals': 'HTTPS://access.example.com/v1/me',
  'with the default port': 'https://access.example.com:443/v1/me',
  'with dots in its path': `${site.origin}/v1/x/../me`,
}

test.each(Object.entries(right))('a proof for the same URL %s is accepted', async (_, url) => {
  const { program, tokens } = await loggedIn()
  expect((await program.call('GET', '/v1/me', tokens.access_token, { parts: { url } })).status).toBe(200)
})

test('a query of the request does not matter to its proof', async () => {
  const { program, tokens } = await loggedIn()
  expect((await program.call('GET', '/v1/documents?kind=role', tokens.access_token)).status).toBe(200)
})

test('a proof for the token endpoint is for its method and URL too', async () => {
  const { edge, program, tokens } = await loggedIn()
  for (const parts of [{ method: 'GET' }, { url: `${site.origin}/oauth/revoke` }]) {
    const reply = await program.token(program.refreshForm(tokens.refresh_token), parts)
    expect(reply).toMatchObject({ status: 400, json: { error: 'invalid_dpop_proof' } })
    expect(lastRefusal(edge)).toBe('dpop_invalid')
  }
  expect((await program.refresh(tokens.refresh_token)).status).toBe(200)
})

test('a token without a proof, or as a bearer token, opens nothing', async () => {
  const { edge, program, tokens } = await loggedIn()
  for (const [headers, code] of [
    [{ authorization: `DPoP ${tokens.access_token}` }, 'dpop_invalid'],
    [{ authorization: `Bearer ${tokens.access_token}` }, 'token_missing'],
    [{ authorization: tokens.access_token }, 'token_missing'],
    [{}, 'token_missing'],
  ] as const) {
    const reply = await program.visitor.request('GET', '/v1/me', undefined, headers)
    expect(reply.status).toBe(401)
    expect(reply.headers.get('www-authenticate')).toMatch(/^DPoP algs="ES256 EdDSA Ed25519", error="/)
    expect(lastRefusal(edge)).toBe(code)
  }
})

test('a stolen token is of no use with a key of the thief’s own', async () => {
  const { edge, tokens } = await loggedIn()
  const thief = await edge.program()
  expect((await thief.call('GET', '/v1/me', tokens.access_token)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('token_invalid')
})
