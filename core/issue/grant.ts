/**
 * Grants: a user may open one session on one resource, or a tapped set of them, through one process of one proxy, with one key, within a
 * minute. The tap, where there was one, is inside whole: the proxy checks it itself and takes nobody's word for it.
 */
import { jwtVerify } from 'jose'
import {
  canonicalJson,
  type Intent,
  isSessionSet,
  type Json,
  membersOf,
  type SessionSubject,
  type Subjects,
} from '../intent.ts'
import { equalBytes } from '../lib/bytes.ts'
import { type Signatures, signJws, webSignatures } from '../lib/jws.ts'
import {
  type ClientSessionId,
  type Duration,
  type FactorId,
  type Holder,
  type Instant,
  seconds,
  type TotpId,
  type UserId,
} from '../model.ts'
import { Refusal } from '../refusal.ts'
import type { Tap } from '../tap/verify.ts'
import type { SigningKey } from './keyring.ts'

export const grantTtl: Duration = seconds(60)
const type = 'grant+jwt'
const algorithm = 'EdDSA'

export interface Grant<Subject extends Subjects['session'] = SessionSubject> {
  /** Spent in the proxy's process, once or as often as the set says: the tapped intent's id, or a random one. */
  readonly id: string
  readonly user: UserId
  /** The program's login that asked, the passkey that let it in, and its end. */
  readonly login: { readonly id: ClientSessionId; readonly factor: FactorId; readonly expiresAt: Instant }
  readonly clientKey: Holder
  readonly subject: Subject
  readonly tap: Tap | undefined
  /** In the place of the tap: a code of this app, on the edge's word alone (core/access/session-code.ts). */
  readonly code?: { readonly app: TotpId } | undefined
}

/** What a grant is for, on the one resource that a connection asks for (core/access/session-set.ts). */
export interface SessionGrant extends Grant {
  /** What the tap must say, whole. */
  readonly approved: Subjects['session']
  /** It opens so often: counted under this key. */
  readonly uses: { readonly key: string; readonly most: number }
}

/** In seconds: not longer than the tap in it would be taken. */
export const grantLife = (tap: Tap | undefined, now: Instant): number => {
  const longest = grantTtl / 1000
  return tap ? Math.min(longest, tap.intent.exp - Math.floor(now / 1000)) : longest
}

export async function issueGrant(
  issuer: string,
  { kid, key }: SigningKey,
  grant: Grant<Subjects['session']>,
  now: Instant,
  signatures: Signatures = webSignatures,
): Promise<string> {
  const { id, user, login, clientKey, subject, tap, code } = grant
  const iat = Math.floor(now / 1000)
  const claims = {
    iss: issuer,
    aud: subject.proxy.id,
    sub: user,
    jti: id,
    iat,
    exp: iat + grantLife(tap, now),
    cnf: { jkt: clientKey },
    login: { id: login.id, factor: login.factor, expires_at: login.expiresAt },
    ...(!(tap && isSaidBy(tap, subject)) && { session: subject }),
    ...(tap && { tap }),
    ...(code && { code }),
  }
  return signJws(signatures, key, { alg: algorithm, typ: type, kid }, claims)
}

/** A set is long, and the tap has it whole: it does not stand in the grant twice. */
const isSaidBy = ({ intent }: Tap, subject: Subjects['session']): boolean =>
  isSessionSet(subject) && equalBytes(canonicalJson(intent.subject), canonicalJson(subject))

export interface GrantReader {
  readonly issuer: string
  readonly keys: ReadonlyMap<string, CryptoKey>
  readonly proxy: { readonly id: string; readonly boot: string }
  readonly now: Instant
}

/** Signature, issuer, proxy, process, life. Whether it may be used is decided elsewhere. @throws Refusal grant_invalid */
export async function readGrant(reader: GrantReader, jwt: string): Promise<Grant<Subjects['session']>> {
  const invalid = (why: string, cause?: unknown) => new Refusal('grant_invalid', { why }, { cause })
  const { payload } = await verify(reader, jwt).catch((cause: unknown) => {
    throw invalid(String((cause as { code?: string }).code ?? 'unreadable'), cause)
  })
  const claims = payload as unknown as { readonly [claim: string]: Json }
  const { jti, sub, cnf, login, session: said, tap: given, code } = claims
  const tap = readTap(given)
  const session = membersOf(said ?? tap?.intent.subject)
  const jkt = membersOf(cnf)['jkt']
  const proxy = membersOf(session['proxy'])
  const { id, factor, expires_at: expiresAt } = membersOf(login)
  if (typeof jti !== 'string' || typeof sub !== 'string' || typeof jkt !== 'string') throw invalid('claims')
  if (typeof id !== 'string' || typeof factor !== 'string' || typeof expiresAt !== 'number') throw invalid('login')
  if (proxy['id'] !== reader.proxy.id || proxy['boot'] !== reader.proxy.boot) throw invalid('another proxy')
  return {
    id: jti,
    user: sub as UserId,
    login: { id: id as ClientSessionId, factor: factor as FactorId, expiresAt },
    clientKey: jkt as Holder,
    subject: session as unknown as Subjects['session'],
    tap,
    code: readCode(code),
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

function readCode(json: Json | undefined): Grant['code'] {
  const { app } = membersOf(json)
  return typeof app === 'string' ? { app: app as TotpId } : undefined
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
