/**
 * DPoP proofs (RFC 9449): who sends a request holds a key, and made this proof for this very request. Stateless but for the
 * `jti`, which the batch of the request's effect spends.
 */
import { type Json, membersOf } from '../intent.ts'
import { type Bytes, base64url, concat, equalBytes, fromBase64url, textOf, utf8 } from '../lib/bytes.ts'
import { hmac, type MacKey, sha256 } from '../lib/hash.ts'
import {
  algorithmsOf,
  importPublicJwk,
  jwkThumbprint,
  jwsAlgorithms,
  type PublicJwk,
  parsePublicJwk,
} from '../lib/jwk.ts'
import { type Jws, parseJws } from '../lib/jws.ts'
import { type Holder, type Instant, minutes, seconds } from '../model.ts'
import type { Ports, Spend } from '../ports.ts'
import { Refusal } from '../refusal.ts'

export const dpopAlgorithms = jwsAlgorithms
const clockSkew = seconds(30)
/** A nonce is good for the window that it was made in and the next one. */
const nonceWindow = minutes(5)
const longestProof = 4096
const longestJti = 256

/** The request that the proof must be for. `url`: scheme, host and path, as the public address has them. */
export interface ProvenRequest {
  readonly method: string
  readonly url: string
  /** The header's value; undefined where there is none, or more than one. */
  readonly proof: string | undefined
  /** The access token that it is sent with, if any. */
  readonly accessToken?: string
}

export interface DpopProof {
  readonly jkt: Holder
  readonly spend: Spend
}

/**
 * RFC 9449 section 4.3, in its order. The nonce last: only for a proof that is right otherwise is a new one of use.
 * @throws Refusal dpop_invalid, dpop_clock, dpop_nonce
 */
export async function verifyDpop(
  ports: Pick<Ports, 'keys' | 'now' | 'proofKeys' | 'signatures'>,
  request: ProvenRequest,
): Promise<DpopProof> {
  const at = ports.now()
  const wanted = withoutQuery(request.url)
  const { jkt, jti, iat, nonce } = await verifyProof(ports, request, (htu) => withoutQuery(htu) === wanted, at)
  if (typeof nonce !== 'string' || !nonceIsGood(ports.keys.nonce, nonce, at))
    throw new Refusal('dpop_nonce', { key: jkt })
  return { jkt, spend: { id: spentAs(jkt, jti), expiresAt: seconds(iat) + 2 * clockSkew } }
}

/**
 * A proof for one connection and nothing else: its nonce is what the two ends of that TLS connection alone know, so there is no
 * `jti` to spend. `url` is compared letter by letter: URL parsers disagree about schemes that they do not know.
 * @throws Refusal dpop_invalid, dpop_clock
 */
export async function verifyConnectionProof(
  ports: Pick<Ports, 'now' | 'proofKeys' | 'signatures'>,
  request: ProvenRequest,
  exporter: string,
): Promise<Holder> {
  const { jkt, nonce } = await verifyProof(ports, request, (htu) => htu === request.url, ports.now())
  if (nonce !== exporter) throw invalid('another connection')
  return jkt
}

async function verifyProof(
  ports: Pick<Ports, 'proofKeys' | 'signatures'>,
  { method, proof, accessToken }: ProvenRequest,
  isUrl: (htu: string) => boolean,
  at: Instant,
) {
  if (proof === undefined || proof.length > longestProof) throw invalid('not one proof')
  const read = readProof(proof)
  const { jkt } = read
  const claims = await verifySignature(ports, read)
  const { jti, htm, htu, iat, nonce, ath } = claims
  if (typeof jti !== 'string' || jti.length < 1 || jti.length > longestJti) throw invalid('jti')
  if (htm !== method) throw invalid('htm')
  if (typeof htu !== 'string' || !isUrl(htu)) throw invalid('htu')
  if (accessToken !== undefined && ath !== base64url(sha256(utf8(accessToken)))) throw invalid('ath')
  if (typeof iat !== 'number') throw invalid('iat')
  if (Math.abs(at - seconds(iat)) > clockSkew) throw new Refusal('dpop_clock', { key: jkt, off: at - seconds(iat) })
  return { jkt, jti, iat, nonce }
}

const invalid = (why: string, cause?: unknown) => new Refusal('dpop_invalid', { why }, { cause })

/** A `jti` is spent for its key, whatever its target: nobody can spend another's, and a second request needs a second one. */
const spentAs = (jkt: string, jti: string): string => `dpop.${base64url(sha256(utf8(`${jkt}.${jti}`)))}`

function readProof(proof: string): { jws: Jws; jwk: PublicJwk; jkt: Holder } {
  const parsed = parseJws(proof)
  if (parsed.kind !== 'value') throw invalid(parsed.kind === 'invalid' ? parsed.why : 'no JWS')
  const { header } = parsed.value
  if (header['typ'] !== 'dpop+jwt') throw invalid('typ')
  const jwk = parsePublicJwk(header['jwk'])
  if (!jwk) throw invalid('jwk')
  // The algorithm follows from the key. What the header says must be that: `none` and HMAC never are.
  if (!algorithmsOf(jwk).includes(String(header['alg']))) throw invalid('alg')
  return { jws: parsed.value, jwk, jkt: jwkThumbprint(jwk) as Holder }
}

async function verifySignature(
  { proofKeys, signatures }: Pick<Ports, 'proofKeys' | 'signatures'>,
  { jws, jwk, jkt }: ReturnType<typeof readProof>,
) {
  const key = proofKeys.get(jkt) ?? (await importPublicJwk(jwk))
  if (!key) throw invalid('jwk')
  if (!(await signatures.verify(key, jws.signature, jws.signed))) throw invalid('signature')
  proofKeys.set(jkt, key)
  return claimsOf(jws.payload)
}

function claimsOf(payload: Bytes) {
  try {
    return membersOf(JSON.parse(textOf(payload) ?? '') as Json)
  } catch (cause) {
    throw invalid('claims', cause)
  }
}

/** Section 4.3, step 9: without query and fragment, after the normalization of RFC 3986 section 6.2. */
function withoutQuery(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const { origin, pathname } = new URL(text)
  return `${origin}${pathname}`
}

/** Section 8: says nothing but when it was made, under a seal. So no server has to remember it. */
export const nonceAt = (key: MacKey, at: Instant): string => base64url(nonceBytes(key, at))

function nonceBytes(key: MacKey, at: Instant): Bytes {
  const window = windowBytes(Math.floor(at / nonceWindow))
  return concat(window, hmac(key, window).subarray(0, 16))
}

function nonceIsGood(key: MacKey, nonce: string, at: Instant): boolean {
  const given = fromBase64url(nonce)
  if (given?.length !== 20) return false
  return [at, at - nonceWindow].some((when) => equalBytes(nonceBytes(key, when), given))
}

function windowBytes(count: number): Bytes {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, count)
  return bytes
}
