// The peer of the token benchmark: oidc-provider as its documentation says, set up to issue what Sallyport issues.
// node oidc-provider-server.mjs <port> <client id> <redirect uri>
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { Provider } from 'oidc-provider'

const [port, clientId, redirectUri] = process.argv.slice(2)
const origin = `http://localhost:${port}`
const accountId = 'bench'

/** What is kept, by model; without the bound of the default adapter, which forgets all but the 1,000 entries last used. */
const byGrant = new Map()

class Adapter {
  #kept = new Map()

  async upsert(id, payload) {
    this.#kept.set(id, payload)
    if (payload.grantId === undefined) return
    const members = byGrant.get(payload.grantId) ?? []
    members.push([this, id])
    byGrant.set(payload.grantId, members)
  }

  async find(id) {
    return this.#kept.get(id)
  }

  async consume(id) {
    this.#kept.get(id).consumed = Math.floor(Date.now() / 1000)
  }

  async destroy(id) {
    this.#kept.delete(id)
  }

  async revokeByGrantId(grantId) {
    for (const [adapter, id] of byGrant.get(grantId) ?? []) await adapter.destroy(id)
    byGrant.delete(grantId)
  }
}

const signingKey = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })

const provider = new Provider(origin, {
  adapter: Adapter,
  jwks: { keys: [{ ...signingKey, alg: 'EdDSA', use: 'sig' }] },
  clients: [
    {
      client_id: clientId,
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [redirectUri],
      id_token_signed_response_alg: 'EdDSA',
      dpop_bound_access_tokens: true,
    },
  ],
  scopes: ['openid', 'api'],
  claims: { openid: ['sub', 'name'] },
  conformIdTokenClaims: false,
  findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id, name: 'bench' }) }),
  // As in Sallyport: every refresh token is rotated, those of a key too, and lives as long as its session.
  issueRefreshToken: async () => true,
  rotateRefreshToken: true,
  expiresWithSession: async () => false,
  ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, RefreshToken: 43_200, Grant: 43_200 },
  cookies: { keys: [randomBytes(32).toString('base64url')] },
  features: {
    devInteractions: { enabled: false },
    dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: async () => true,
      getResourceServerInfo: async () => ({
        scope: 'api',
        audience: origin,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'EdDSA' } },
      }),
    },
  },
})

/** What its authorization endpoint makes once a user has approved. A grant each: every program is approved by itself. */
async function mint({ jkt, challenge }, client) {
  const grant = new provider.Grant({ accountId, clientId })
  grant.addOIDCScope('openid api')
  grant.addResourceScope(origin, 'api')
  const code = new provider.AuthorizationCode({
    accountId,
    client,
    grantId: await grant.save(),
    redirectUri,
    scope: 'openid api',
    resource: origin,
    codeChallenge: challenge,
    codeChallengeMethod: 'S256',
    dpopJkt: jkt,
    authTime: Math.floor(Date.now() / 1000),
    expiresWithSession: false,
  })
  return code.save()
}

async function mintAll(request, response) {
  const client = await provider.Client.find(clientId)
  const codes = []
  for (const asked of JSON.parse(await text(request))) codes.push(await mint(asked, client))
  const body = JSON.stringify({ codes })
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }).end(body)
}

const handle = provider.callback()
const server = createServer((request, response) => {
  if (request.url === '/bench/codes') void mintAll(request, response)
  else handle(request, response)
})
server.listen(Number(port), '127.0.0.1', () => console.log(`ready ${origin}`))
