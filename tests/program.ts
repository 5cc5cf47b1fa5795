/** A program's side of the edge (the CLI's, or a thief's): its key, its proofs, its tokens; every part can be made wrong. */
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { Json } from '../core/intent.ts'
import { base64url, utf8 } from '../core/lib/bytes.ts'
import { sha256 } from '../core/lib/hash.ts'
import { jwkThumbprint, type PublicJwk, parsePublicJwk } from '../core/lib/jwk.ts'
import type { Authenticator, GetOverrides, RequestOptions } from './authenticator.ts'
import type { Reply, Visitor } from './client.ts'

const random = (length: number) => base64url(crypto.getRandomValues(new Uint8Array(length)))

export interface ProofKey {
  readonly privateKey: CryptoKey
  readonly jwk: PublicJwk
  readonly jkt: string
  readonly alg: 'ES256' | 'EdDSA'
}

export async function newProofKey(alg: 'ES256' | 'EdDSA' = 'ES256'): Promise<ProofKey> {
  const pair = await generateKeyPair(alg, { extractable: true })
  const jwk = parsePublicJwk((await exportJWK(pair.publicKey)) as Json)
  if (!jwk) throw new Error('no public key')
  return { privateKey: pair.privateKey, jwk, jkt: jwkThumbprint(jwk), alg }
}

export interface ProofParts {
  readonly method: string
  readonly url: string
  readonly nonce?: string | undefined
  readonly accessToken?: string | undefined
  readonly jti?: string
  /** Seconds. */
  readonly iat?: number
  readonly claims?: Record<string, unknown>
  readonly header?: Record<string, unknown>
}

/** RFC 9449 section 4.2. */
export function proofOf(key: ProofKey, parts: ProofParts): Promise<string> {
  const { method, url, nonce, accessToken, jti = random(12), iat = Math.floor(Date.now() / 1000) } = parts
  const ath = accessToken === undefined ? undefined : base64url(sha256(utf8(accessToken)))
  const claims = { jti, htm: method, htu: url, iat, nonce, ath, ...parts.claims }
  const header = { typ: 'dpop+jwt', alg: key.alg, jwk: key.jwk, ...parts.header }
  return new SignJWT(claims).setProtectedHeader(header as { alg: string }).sign(key.privateKey)
}

export const redirectUri = 'http://127.0.0.1:49152/callback'

export interface Asked {
  readonly verifier: string
  readonly state: string
  readonly parameters: Record<string, string>
}

/** What a program sends its user's browser to /oauth/authorize with. */
export function askOf(key: ProofKey, more: Record<string, string | undefined> = {}): Asked {
  const [verifier, state] = [random(32), random(16)]
  const parameters = {
    response_type: 'code',
    client_id: 'sallyport-cli',
    redirect_uri: redirectUri,
    scope: 'openid api',
    state,
    code_challenge: base64url(sha256(utf8(verifier))),
    code_challenge_method: 'S256',
    dpop_jkt: key.jkt,
    ...more,
  }
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return { verifier, state, parameters: Object.fromEntries(given) }
}

/** The page's side of an approval: the code, or why there is none. */
export async function approve(
  visitor: Visitor,
  passkey: Authenticator,
  { parameters }: Asked,
  overrides?: GetOverrides,
) {
  const body = await approvalBody(visitor, passkey, parameters, overrides)
  return visitor.post('/v1/authorize/finish', body)
}

export async function approvalBody(
  visitor: Visitor,
  passkey: Authenticator,
  request: Record<string, string>,
  overrides?: GetOverrides,
) {
  const begun = await visitor.post('/v1/authorize/begin', { request })
  if (begun.status !== 200) throw new Error(`begin answered ${begun.status}: ${begun.text}`)
  const { ticket, options } = begun.json as { ticket: string; options: RequestOptions }
  return { request, ticket, assertion: await passkey.get(options, overrides) }
}

export const parametersAt = (location: string): URLSearchParams => new URL(location).searchParams

export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly id_token?: string
}

/** One program with one key. It keeps the nonce that it was given, as clients do. */
export class Program {
  readonly key: ProofKey
  readonly visitor: Visitor
  readonly #now: () => number
  nonce: string | undefined

  constructor(key: ProofKey, visitor: Visitor, now: () => number = Date.now) {
    this.key = key
    this.visitor = visitor
    this.#now = now
  }

  get iat(): number {
    return Math.floor(this.#now() / 1000)
  }

  proof(method: string, path: string, more: Partial<ProofParts> = {}): Promise<string> {
    const url = this.visitor.origin + path
    return proofOf(this.key, { method, url, nonce: this.nonce, iat: this.iat, ...more })
  }

  /** Repeats the request with the nonce that it is told, as clients do. */
  async token(form: Record<string, string>, more: Partial<ProofParts> = {}): Promise<Reply> {
    await this.needNonce()
    const reply = await this.sendToken(form, await this.proof('POST', '/oauth/token', more))
    if (reply.json.error !== 'use_dpop_nonce' || 'nonce' in more) return reply
    return this.sendToken(form, await this.proof('POST', '/oauth/token', more))
  }

  async needNonce(): Promise<string> {
    if (this.nonce === undefined) await this.sendToken(this.refreshForm('none yet'), undefined)
    return this.nonce ?? ''
  }

  async sendToken(form: Record<string, string>, dpop: string | undefined): Promise<Reply> {
    return this.#keepNonce(
      await this.visitor.request('POST', '/oauth/token', String(new URLSearchParams(form)), {
        'content-type': 'application/x-www-form-urlencoded',
        ...(dpop !== undefined && { dpop }),
      }),
    )
  }

  codeForm(code: string, { verifier, parameters }: Asked): Record<string, string> {
    const { client_id = '', redirect_uri = '' } = parameters
    return { grant_type: 'authorization_code', client_id, redirect_uri, code, code_verifier: verifier }
  }

  refreshForm(refresh_token: string): Record<string, string> {
    return { grant_type: 'refresh_token', client_id: 'sallyport-cli', refresh_token }
  }

  refresh(token: string): Promise<Reply> {
    return this.token(this.refreshForm(token))
  }

  async call(
    method: string,
    path: string,
    token: string,
    {
      body,
      headers = {},
      parts = {},
    }: { body?: Json; headers?: Record<string, string>; parts?: Partial<ProofParts> } = {},
  ): Promise<Reply> {
    await this.needNonce()
    const content = body === undefined ? undefined : JSON.stringify(body)
    const send = async () => {
      const sent = {
        authorization: `DPoP ${token}`,
        dpop: await this.proof(method, path.split('?')[0] ?? '', { accessToken: token, ...parts }),
        ...(content !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      }
      return this.#keepNonce(await this.visitor.request(method, path, content, sent))
    }
    const reply = await send()
    return reply.json.error === 'use_dpop_nonce' && !('nonce' in parts) ? send() : reply
  }

  #keepNonce(reply: Reply): Reply {
    this.nonce = reply.headers.get('dpop-nonce') ?? this.nonce
    return reply
  }
}
