/**
 * DPoP proofs (RFC 9449): who sends a request holds a key, and made this proof for this very request. Stateless but for the
 * `jti`, which the batch of the request's effect spends.
 */
import { type Json, membersOf } from '../intent.ts'
import { type Bytes, base64url, textOf, utf8 } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'
import { algorithmsOf, jwkThumbprint, jwsAlgorithms, parsePublicJwk } from '../lib/jwk.ts'
import { type Jws, parseJws, parseJwsHeader, type Verifier } from '../lib/jws.ts'
import type { Lru } from '../lib/lru.ts'
import { type Holder, type Instant, seconds } from '../model.ts'
import type { Ports, Spend } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { nonceIsGood } from './nonce.ts'

export const dpopAlgorithms = jwsAlgorithms
const clockSkew = seconds(30)
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
  const isUrl = (htu: string) => htu === request.url || withoutQuery(htu) === withoutQuery(request.url)
  const { jkt, jti, iat, nonce } = await verifyProof(ports, request, isUrl, at)
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
  const { jkt, payload } = await verifySignature(ports, proof)
  const claims = claimsOf(payload)
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

/** A key that has signed a proof, under the header that named it: clients send the same one every time. */
export interface ProofKey {
  readonly jkt: Holder
  readonly verify: Verifier
}
export type ProofKeys = Lru<string, ProofKey>

/** That of an ES256 key is about 250. What a stranger spells longer is read each time and takes no memory. */
const longestHeadKept = 512

/** Only what has signed is remembered. */
async function verifySignature(
  { proofKeys, signatures }: Pick<Ports, 'proofKeys' | 'signatures'>,
  proof: string,
): Promise<Pick<Jws, 'payload'> & Pick<ProofKey, 'jkt'>> {
  const parsed = parseJws(proof)
  if (parsed.kind !== 'value') throw invalid(parsed.kind === 'invalid' ? parsed.why : 'no JWS')
  const { head, payload, signed, signature } = parsed.value
  const known = proofKeys.get(head)
  const key = known ?? (await readHead(signatures, head))
  if (!(await key.verify(signature, signed))) throw invalid('signature')
  if (!known && head.length <= longestHeadKept) proofKeys.set(head, key)
  return { jkt: key.jkt, payload }
}

async function readHead(signatures: Ports['signatures'], head: string): Promise<ProofKey> {
  const parsed = parseJwsHeader(head)
  if (parsed.kind !== 'value') throw invalid(parsed.kind === 'invalid' ? parsed.why : 'no JWS')
  const { typ, alg, jwk: given } = parsed.value
  if (typ !== 'dpop+jwt') throw invalid('typ')
  const jwk = parsePublicJwk(given)
  if (!jwk) throw invalid('jwk')
  // The algorithm follows from the key. What the header says must be that: `none` and HMAC never are.
  if (!algorithmsOf(jwk).includes(String(alg))) throw invalid('alg')
  const verify = await signatures.verifier(jwk)
  if (!verify) throw invalid('jwk')
  return { jkt: jwkThumbprint(jwk) as Holder, verify }
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
