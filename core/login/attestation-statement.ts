/**
 * What an attestation statement proves about a new passkey (WebAuthn Level 3 section 7.1 steps 21 and 22, sections 8.2 to
 * 8.8), before anybody asks who issued its certificates: that is attestation.ts.
 */
import { type Bytes, concat, equalBytes } from '../lib/bytes.ts'
import type { Cbor } from '../lib/cbor.ts'
import {
  attributesOf,
  type Certificate,
  isSignedBy,
  keyOf,
  longestChain,
  parseCertificate,
} from '../lib/certificate.ts'
import { derOf, elementsOf, octetsOf, tags, within } from '../lib/der.ts'
import { sha256 } from '../lib/hash.ts'
import { signatureIsRight } from '../tap/public-key.ts'
import { whyNotAndroidKey } from './attestation-android.ts'
import {
  type Check,
  isKeyOf,
  type Made,
  pointOf,
  type Statement,
  whyNotSigned,
  whyOtherModel,
} from './attestation-key.ts'
import { whyNotTpm } from './attestation-tpm.ts'

const formats = ['none', 'packed', 'tpm', 'android-key', 'apple', 'fido-u2f'] as const
export type Format = (typeof formats)[number]

/** `chain`: leaf first. Empty: no attestation, or with `packed` the passkey's own. */
export type Read =
  | { readonly kind: 'value'; readonly format: Format; readonly chain: readonly Certificate[] }
  | { readonly kind: 'invalid'; readonly why: string }

const invalid = (why: string) => ({ kind: 'invalid', why: `statement: ${why}` }) as const

/** Never throws. An unknown format is invalid. */
export async function readStatement(made: Made): Promise<Read> {
  const format = formats.find((known) => known === made.object.format)
  if (format === undefined) return invalid('format')
  const { statement } = made.object
  const chain = chainOf(statement.get('x5c'))
  if (typeof chain === 'string') return invalid(chain)
  const sig = statement.get('sig')
  const why = await whyWrong(format, {
    ...made,
    alg: statement.get('alg'),
    sig: sig instanceof Uint8Array ? (sig as Bytes) : new Uint8Array(0),
    signed: concat(made.object.authenticatorData, made.clientDataHash),
    chain,
  })
  return why === undefined ? { kind: 'value', format, chain } : invalid(why)
}

/** `x5c`: absent, or certificates. A text says what is wrong. */
function chainOf(x5c: Cbor | undefined): readonly Certificate[] | string {
  if (x5c === undefined) return []
  if (!Array.isArray(x5c) || x5c.length === 0) return 'x5c'
  if (x5c.length > longestChain) return `more than ${longestChain} certificates`
  const chain: Certificate[] = []
  for (const [at, one] of (x5c as readonly Cbor[]).entries()) {
    const parsed = one instanceof Uint8Array ? parseCertificate(one) : undefined
    if (parsed?.kind !== 'value') return `certificate ${at}: ${parsed?.kind === 'invalid' ? parsed.why : 'no bytes'}`
    chain.push(parsed.value)
  }
  return chain
}

function whyWrong(format: Format, statement: Statement): ReturnType<Check> {
  const [leaf] = statement.chain
  if (format === 'none') return statement.object.statement.size === 0 ? undefined : 'none, with something in it'
  if (leaf) return certified[format](statement, leaf)
  return format === 'packed' ? whyNotSelf(statement) : 'no certificate'
}

const certified: Readonly<Record<Exclude<Format, 'none'>, Check>> = {
  packed: whyNotPacked,
  tpm: whyNotTpm,
  'android-key': whyNotAndroidKey,
  apple: whyNotApple,
  'fido-u2f': whyNotU2f,
}

/** Section 8.2, self attestation: the passkey signs for itself, which proves that it is there and nothing else. */
async function whyNotSelf({ alg, sig, signed, key }: Statement): Promise<string | undefined> {
  if (alg !== key.algorithm) return 'algorithm'
  return (await signatureIsRight(key, sig, signed)) ? undefined : 'signature'
}

const [commonName, country, organization, unit] = ['2.5.4.3', '2.5.4.6', '2.5.4.10', '2.5.4.11']

/** Sections 8.2 and 8.2.1. */
function whyNotPacked(statement: Statement, leaf: Certificate): ReturnType<Check> {
  const subject = attributesOf(leaf.subject) ?? []
  const the = (wanted: string) => {
    const [one, another] = subject.filter(([oid]) => oid === wanted)
    return another ? undefined : one?.[1]
  }
  if (leaf.version !== 3) return 'leaf: version'
  if (!/^[A-Z]{2}$/.test(the(country) ?? '')) return 'leaf: country'
  if (!the(organization) || !the(commonName)) return 'leaf: names'
  if (the(unit) !== 'Authenticator Attestation') return 'leaf: organizational unit'
  return whyOtherModel(statement, leaf) ?? whyNotSigned(statement, leaf)
}

const nonceExtension = '1.2.840.113635.100.8.2'

/** Section 8.8. Nothing is signed: Apple's CA put the hash of what would be into the certificate. */
function whyNotApple({ signed, key }: Statement, leaf: Certificate): string | undefined {
  const extension = derOf(leaf.extensions.get(nonceExtension)?.value, tags.sequence)
  const [first, ...rest] = elementsOf(extension, tags.sequence) ?? []
  const nonce = octetsOf(within(first, 1, tags.octets))
  if (!nonce || rest.length > 0 || !equalBytes(nonce, sha256(signed))) return 'leaf: nonce'
  return isKeyOf(leaf, key) ? undefined : 'leaf: another key'
}

/** Section 8.6. One certificate with a P-256 key, and an authenticator that knows no AAGUID. */
async function whyNotU2f({ data, attested, clientDataHash, key, sig, chain }: Statement, leaf: Certificate) {
  const point = pointOf(key)
  if (chain.length !== 1) return 'more than one certificate'
  if (keyOf(leaf.publicKey).curve?.[0] !== 'P-256' || !point) return 'not P-256'
  if (attested.aaguid.some((byte) => byte !== 0)) return 'AAGUID'
  const signed = concat(new Uint8Array(1), data.rpIdHash, clientDataHash, attested.credentialId, point)
  const right = await isSignedBy(leaf.publicKey, { kind: 'ECDSA', hash: 'SHA-256' }, sig, signed)
  return right ? undefined : 'signature'
}
