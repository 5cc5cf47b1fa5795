/**
 * Programs at a token endpoint: each with a P-256 key, proofs of it (RFC 9449) signed synchronously as in passkey.ts, and every
 * answer checked. tests/program.ts is the complete one.
 */
import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import { base64url, utf8 } from '../../core/lib/bytes.ts'
import { sha256 } from '../../core/lib/hash.ts'
import { jwkThumbprint } from '../../core/lib/jwk.ts'
import { type Answer, type Connection, headerOf, json } from './http.ts'

export const redirectUri = 'http://127.0.0.1:49152/callback'

type Tokens = { access_token: string; token_type: string; refresh_token: string; id_token?: string }

export class Program {
  readonly jkt: string
  readonly verifier = randomUUID() + randomUUID()
  readonly challenge = base64url(sha256(utf8(this.verifier)))
  readonly #key: KeyObject
  readonly #header: string

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
    const jwk = { kty: 'EC', crv: 'P-256', x, y } as const
    this.jkt = jwkThumbprint(jwk)
    this.#key = privateKey
    this.#header = encoded({ typ: 'dpop+jwt', alg: 'ES256', jwk })
  }

  proof(url: string, nonce: string): string {
    const claims = { jti: randomUUID(), htm: 'POST', htu: url, iat: Math.floor(Date.now() / 1000), nonce }
    return signed(this.#key, this.#header, claims)
  }
}

/** A JWT of ES256, at once. `header` is encoded already. */
export function signed(key: KeyObject, header: string, claims: object): string {
  const content = `${header}.${encoded(claims)}`
  const signature = sign('sha256', Buffer.from(content), { key, dsaEncoding: 'ieee-p1363' })
  return `${content}.${signature.toString('base64url')}`
}

export class TokenEndpoint {
  readonly #path: string
  readonly #url: string
  readonly #client: string
  #nonce = ''

  constructor(port: number, path: string, client: string) {
    this.#path = path
    this.#url = `http://localhost:${port}${path}`
    this.#client = client
  }

  /** Answers the refresh token. An ID token comes with the code. */
  async redeem(connection: Connection, program: Program, code: string): Promise<string> {
    const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: program.verifier }
    const { id_token: idToken, refresh_token } = checked(await this.#submit(connection, program, form), program)
    if (headerIn(idToken).alg !== 'EdDSA') throw new Error('no ID token')
    return refresh_token
  }

  /** Answers the next refresh token. Without openid, so that nobody makes an ID token: Sallyport makes none here. */
  async refresh(connection: Connection, program: Program, token: string): Promise<string> {
    const form = { grant_type: 'refresh_token', refresh_token: token, scope: 'api' }
    const { id_token: idToken, refresh_token } = checked(await this.#submit(connection, program, form), program)
    if (idToken !== undefined || refresh_token === token) throw new Error('the refresh token was not rotated')
    return refresh_token
  }

  /** Asks in vain, for the nonce that comes with the refusal. */
  async learnNonce(connection: Connection): Promise<void> {
    this.#nonce = ''
    await this.#submit(connection, new Program(), { grant_type: 'refresh_token', refresh_token: 'none' })
    if (this.#nonce === '') throw new Error('no nonce')
  }

  async #submit(connection: Connection, program: Program, form: Record<string, string>): Promise<Answer> {
    const proof = { DPoP: program.proof(this.#url, this.#nonce) }
    const answer = await connection.submit(this.#path, { ...form, client_id: this.#client }, proof)
    this.#nonce = headerOf(answer.head, 'dpop-nonce') ?? this.#nonce
    return answer
  }
}

/** An access token of the kind that was agreed on, for the key that asked. */
function checked(answer: Answer, { jkt }: Program): Tokens {
  const tokens = json<Tokens>(answer)
  const { alg, typ } = headerIn(tokens.access_token)
  const [, payload = ''] = tokens.access_token.split('.')
  const { cnf } = decoded<{ cnf?: { jkt?: string } }>(payload)
  if (tokens.token_type !== 'DPoP' || alg !== 'EdDSA' || typ !== 'at+jwt' || cnf?.jkt !== jkt)
    throw new Error(`not the access token that was asked for: ${answer.body.slice(0, 300)}`)
  return tokens
}

const headerIn = (jwt = ''): { alg?: string; typ?: string } => decoded(jwt.split('.')[0] ?? '')
export const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const decoded = <T>(text: string): T => JSON.parse(Buffer.from(text || 'e30', 'base64url').toString()) as T
