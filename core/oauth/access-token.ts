/** Access tokens: JWTs (RFC 9068) bound to the client's key (RFC 9449 section 6), and the ID token beside the first one. */
import { errors, type JWTPayload, jwtVerify } from 'jose'
import { base64url } from '../lib/bytes.ts'
import { signJws } from '../lib/jws.ts'
import type { Lru } from '../lib/lru.ts'

import {
  type ClientSessionId,
  type Duration,
  type Holder,
  type Instant,
  minutes,
  type Site,
  seconds,
  type UserId,
} from '../model.ts'
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

type VerifyNeeds = Pick<Ports, 'now' | 'accessTokens'> & { readonly keyring: Pick<Ports['keyring'], 'verifier'> }

export interface AccessClaims {
  readonly userId: UserId
  readonly sessionId: ClientSessionId
  readonly jkt: Holder
  readonly scope: string
}

/** A token that was right a moment ago, by its text: of a few calls one after the other, the first alone pays for the signature. */
interface KnownToken {
  readonly origin: string
  readonly kid: string
  readonly expiresAt: Instant
  readonly claims: AccessClaims
}
export type AccessTokens = Lru<string, KnownToken>

/** Ours are below a thousand; what is longer takes no memory. */
const longestKept = 2048

/**
 * RFC 9068 section 4. That the session still runs is for the database to say.
 * @throws Refusal token_invalid
 */
export async function verifyAccessToken(site: Site, ports: VerifyNeeds, token: string): Promise<AccessClaims> {
  const known = ports.accessTokens.get(token)
  if (known && (await stillHolds(site, ports, known))) return known.claims
  const { payload, protectedHeader } = await verify(site, ports, token).catch((cause: unknown) => {
    // A database that does not answer says nothing about the token.
    if (!(cause instanceof errors.JOSEError)) throw cause
    throw new Refusal('token_invalid', { why: cause.code }, { cause })
  })
  const claims = claimsOf(payload)
  const { kid = '' } = protectedHeader
  const entry = { origin: site.origin, kid, expiresAt: seconds(payload.exp ?? 0), claims }
  if (token.length <= longestKept) ports.accessTokens.set(token, entry)
  return claims
}

/** All that time can change about it: its end, and whether its key is still one of ours. */
const stillHolds = async ({ origin }: Site, { keyring, now }: VerifyNeeds, known: KnownToken): Promise<boolean> =>
  known.origin === origin && now() < known.expiresAt && (await keyring.verifier(known.kid)) !== undefined

function claimsOf(payload: JWTPayload): AccessClaims {
  const { sub, sid, scope, cnf } = payload as { [claim: string]: unknown }
  const jkt = (cnf as { jkt?: unknown } | undefined)?.jkt
  if (typeof sub !== 'string' || typeof sid !== 'string' || typeof scope !== 'string' || typeof jkt !== 'string')
    throw new Refusal('token_invalid', { why: 'claims' })
  return { userId: sub as UserId, sessionId: sid as ClientSessionId, jkt: jkt as Holder, scope }
}

/** The key is chosen by `kid` among ours alone, and the algorithm is not the token's to choose. */
async function verify(site: Site, { keyring, now }: VerifyNeeds, token: string) {
  const keyOf = async ({ kid }: { kid?: string }): Promise<CryptoKey> => {
    const key = kid === undefined ? undefined : await keyring.verifier(kid)
    if (!key) throw new errors.JWKSNoMatchingKey()
    return key
  }
  return jwtVerify(token, keyOf, {
    algorithms: [algorithm],
    typ: accessTokenType,
    issuer: site.origin,
    audience: site.origin,
    currentDate: new Date(now()),
    requiredClaims: ['exp', 'iat', 'sub'],
  })
}
