/** Access tokens: JWTs (RFC 9068) bound to the client's key (RFC 9449 section 6), and the ID token beside the first one. */
import { errors, type JWTPayload, jwtVerify } from 'jose'
import { base64url } from '../lib/bytes.ts'
import { signJws } from '../lib/jws.ts'

import { type ClientSessionId, type Duration, type Holder, minutes, type Site, type UserId } from '../model.ts'
import type { Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import type { Login } from '../token-ports.ts'
import { acrOf } from './authentication-context.ts'

export const accessTokenTtl: Duration = minutes(10)
const algorithm = 'EdDSA'
const accessTokenType = 'at+jwt'

type SignNeeds = Pick<Ports, 'keyring' | 'signatures'>

const inSeconds = (ms: number): number => Math.floor(ms / 1000)

/** RFC 9068 section 2.2. `sid`: the client session, which a call must find running. `via`: where that was not opened in a browser beside it. */
export async function issueAccessToken(
  site: Site,
  ports: SignNeeds & Pick<Ports, 'random' | 'now'>,
  { user, session }: Login,
  jkt: Holder,
): Promise<{ token: string; ttl: Duration }> {
  const at = ports.now()
  const ttl = Math.min(accessTokenTtl, session.expiresAt - at)
  const claims = {
    iss: site.origin,
    aud: site.origin,
    sub: user.id,
    client_id: session.clientId,
    scope: session.scope,
    sid: session.id,
    ...(session.via === 'device_flow' && { via: session.via }),
    ...authenticationOf(session),
    iat: inSeconds(at),
    exp: inSeconds(at + ttl),
    jti: base64url(ports.random(16)),
    cnf: { jkt },
  }
  return { token: await sign(ports, accessTokenType, claims), ttl }
}

/** RFC 9470 section 6.1. */
function authenticationOf(session: Login['session']): JWTPayload {
  const acr = acrOf(session)
  return { auth_time: inSeconds(session.authenticatedAt), ...(acr !== undefined && { acr }) }
}

/** OpenID Connect Core 1.0 section 2. */
export function issueIdToken(
  site: Site,
  ports: SignNeeds & Pick<Ports, 'now'>,
  { user, session }: Login,
  nonce: string,
): Promise<string> {
  const at = ports.now()
  return sign(ports, 'JWT', {
    iss: site.origin,
    aud: session.clientId,
    sub: user.id,
    name: user.name,
    sid: session.id,
    ...authenticationOf(session),
    iat: inSeconds(at),
    exp: inSeconds(at + accessTokenTtl),
    ...(nonce !== '' && { nonce }),
  })
}

async function sign({ keyring, signatures }: SignNeeds, typ: string, claims: JWTPayload): Promise<string> {
  const { kid, key } = await keyring.current()
  return signJws(signatures, key, { alg: algorithm, typ, kid }, claims)
}

type VerifyNeeds = Pick<Ports, 'now'> & { readonly keyring: Pick<Ports['keyring'], 'verifier'> }

export interface AccessClaims {
  readonly userId: UserId
  readonly sessionId: ClientSessionId
  readonly jkt: Holder
  readonly scope: string
}

/**
 * RFC 9068 section 4. That the session still runs is for the database to say.
 * @throws Refusal token_invalid
 */
export async function verifyAccessToken(
  site: Site,
  { keyring, now }: VerifyNeeds,
  token: string,
): Promise<AccessClaims> {
  const payload = await verify(site, { keyring, now }, token).catch((cause: unknown) => {
    // A database that does not answer says nothing about the token.
    if (!(cause instanceof errors.JOSEError)) throw cause
    throw new Refusal('token_invalid', { why: cause.code }, { cause })
  })
  const { sub, sid, scope, cnf } = payload as { [claim: string]: unknown }
  const jkt = (cnf as { jkt?: unknown } | undefined)?.jkt
  if (typeof sub !== 'string' || typeof sid !== 'string' || typeof scope !== 'string' || typeof jkt !== 'string')
    throw new Refusal('token_invalid', { why: 'claims' })
  return { userId: sub as UserId, sessionId: sid as ClientSessionId, jkt: jkt as Holder, scope }
}

/** The key is chosen by `kid` among ours alone, and the algorithm is not the token's to choose. */
async function verify(site: Site, { keyring, now }: VerifyNeeds, token: string): Promise<JWTPayload> {
  const keyOf = async ({ kid }: { kid?: string }): Promise<CryptoKey> => {
    const key = kid === undefined ? undefined : await keyring.verifier(kid)
    if (!key) throw new errors.JWKSNoMatchingKey()
    return key
  }
  const { payload } = await jwtVerify(token, keyOf, {
    algorithms: [algorithm],
    typ: accessTokenType,
    issuer: site.origin,
    audience: site.origin,
    currentDate: new Date(now()),
    requiredClaims: ['exp', 'iat', 'sub'],
  })
  return payload
}
