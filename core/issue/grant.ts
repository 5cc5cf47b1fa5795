/**
 * Grants: a user may open one session on one resource, through one process of one proxy, with one key, within a minute. The tap, where
 * there was one, is inside whole: the proxy checks it itself and takes nobody's word for it.
 */
import { jwtVerify, SignJWT } from 'jose'
import { type Intent, type Json, membersOf, type SessionSubject } from '../intent.ts'
import {
  type ClientSessionId,
  type Duration,
  type FactorId,
  type Holder,
  type Instant,
  seconds,
  type UserId,
} from '../model.ts'
import { Refusal } from '../refusal.ts'
import type { Tap } from '../tap/verify.ts'
import type { SigningKey } from './keyring.ts'

export const grantTtl: Duration = seconds(60)
const type = 'grant+jwt'
const algorithm = 'EdDSA'

export interface Grant {
  /** Spent once in the proxy's process: the tapped intent's id, or a random one. */
  readonly id: string
  readonly user: UserId
  /** The program's login that asked, the passkey that let it in, and its end. */
  readonly login: { readonly id: ClientSessionId; readonly factor: FactorId; readonly expiresAt: Instant }
  readonly clientKey: Holder
  readonly subject: SessionSubject
  readonly tap: Tap | undefined
}

export async function issueGrant(
  issuer: string,
  { kid, key }: SigningKey,
  grant: Grant,
  now: Instant,
): Promise<string> {
  const { id, user, login, clientKey, subject, tap } = grant
  const iat = Math.floor(now / 1000)
  const claims = {
    iss: issuer,
    aud: subject.proxy.id,
    sub: user,
    jti: id,
    iat,
    exp: iat + grantTtl / 1000,
    cnf: { jkt: clientKey },
    login: { id: login.id, factor: login.factor, expires_at: login.expiresAt },
    session: subject,
    ...(tap && { tap }),
  }
  return new SignJWT(claims as unknown as Record<string, unknown>)
    .setProtectedHeader({ alg: algorithm, typ: type, kid })
    .sign(key)
}

export interface GrantReader {
  readonly issuer: string
  readonly keys: ReadonlyMap<string, CryptoKey>
  readonly proxy: { readonly id: string; readonly boot: string }
  readonly now: Instant
}

/** Signature, issuer, proxy, process, life. Whether it may be used is decided elsewhere. @throws Refusal grant_invalid */
export async function readGrant(reader: GrantReader, jwt: string): Promise<Grant> {
  const invalid = (why: string, cause?: unknown) => new Refusal('grant_invalid', { why }, { cause })
  const { payload } = await verify(reader, jwt).catch((cause: unknown) => {
    throw invalid(String((cause as { code?: string }).code ?? 'unreadable'), cause)
  })
  const { jti, sub, cnf, login, session, tap } = payload as unknown as { readonly [claim: string]: Json }
  const jkt = membersOf(cnf)['jkt']
  const proxy = membersOf(membersOf(session)['proxy'])
  const { id, factor, expires_at: expiresAt } = membersOf(login)
  if (typeof jti !== 'string' || typeof sub !== 'string' || typeof jkt !== 'string') throw invalid('claims')
  if (typeof id !== 'string' || typeof factor !== 'string' || typeof expiresAt !== 'number') throw invalid('login')
  if (proxy['id'] !== reader.proxy.id || proxy['boot'] !== reader.proxy.boot) throw invalid('another proxy')
  return {
    id: jti,
    user: sub as UserId,
    login: { id: id as ClientSessionId, factor: factor as FactorId, expiresAt },
    clientKey: jkt as Holder,
    subject: session as unknown as SessionSubject,
    tap: readTap(tap),
  }
}

async function verify({ issuer, keys, proxy, now }: GrantReader, jwt: string) {
  const keyOf = ({ kid = '' }: { kid?: string }): CryptoKey => {
    const key = keys.get(kid)
    if (!key) throw new TypeError('kid')
    return key
  }
  return jwtVerify(jwt, keyOf, {
    algorithms: [algorithm],
    typ: type,
    issuer,
    audience: proxy.id,
    currentDate: new Date(now),
    requiredClaims: ['exp', 'iat', 'sub', 'jti'],
    clockTolerance: 30,
  })
}

/** As far as its form goes: what is inside is checked by verifyTap, which takes hostile JSON. */
function readTap(json: Json | undefined): Tap | undefined {
  if (json === undefined || json === null) return undefined
  const { intent, assertion } = membersOf(json)
  const { id, response } = membersOf(assertion)
  const { clientDataJSON, authenticatorData, signature } = membersOf(response)
  const texts = [id, clientDataJSON, authenticatorData, signature]
  if (intent === undefined || !texts.every((text) => typeof text === 'string'))
    throw new Refusal('grant_invalid', { why: 'tap' })
  return {
    intent: membersOf(intent) as unknown as Intent,
    assertion: {
      id: id as string,
      response: {
        clientDataJSON: clientDataJSON as string,
        authenticatorData: authenticatorData as string,
        signature: signature as string,
      },
    },
  }
}
