/** What the formats of attestation share: the statement as it was read, and checks of its key and its leaf. */
import type { AttestationObject } from '../lib/attestation-object.ts'
import type { AttestedCredential, AuthenticatorData } from '../lib/authenticator-data.ts'
import { type Bytes, concat, equalBytes } from '../lib/bytes.ts'
import { type Cbor, type CborMap, parseCbor } from '../lib/cbor.ts'
import { type Certificate, isSignedBy, keyOf, type Scheme } from '../lib/certificate.ts'
import { derOf, octetsOf, tags } from '../lib/der.ts'
import type { PublicKey } from '../tap/public-key.ts'

/** A passkey that was just made. */
export interface Made {
  readonly object: AttestationObject
  readonly data: AuthenticatorData
  readonly attested: AttestedCredential
  readonly key: PublicKey
  readonly clientDataHash: Bytes
}

export interface Statement extends Made {
  readonly alg: Cbor | undefined
  readonly sig: Bytes
  /** What most formats sign: authenticator data and hash of the client data. */
  readonly signed: Bytes
  /** Leaf first: the certificate of the attestation key. */
  readonly chain: readonly Certificate[]
}

/** Why a statement is wrong, or undefined. */
export type Check = (statement: Statement, leaf: Certificate) => string | undefined | Promise<string | undefined>

const schemes: ReadonlyMap<Cbor | undefined, Scheme> = new Map([
  [-7, { kind: 'ECDSA', hash: 'SHA-256' }],
  [-35, { kind: 'ECDSA', hash: 'SHA-384' }],
  [-36, { kind: 'ECDSA', hash: 'SHA-512' }],
  [-8, { kind: 'Ed25519', hash: 'SHA-512' }],
  [-257, { kind: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }],
  [-258, { kind: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384' }],
  [-259, { kind: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512' }],
])

/** A COSE algorithm of a statement; no SHA-1. */
export const schemeOf = (alg: Cbor | undefined): Scheme | undefined => schemes.get(alg)

/** By the attestation key. */
export async function whyNotSigned({ alg, sig, signed }: Statement, leaf: Certificate): Promise<string | undefined> {
  const scheme = schemeOf(alg)
  if (!scheme) return 'algorithm'
  return (await isSignedBy(leaf.publicKey, scheme, sig, signed)) ? undefined : 'signature'
}

const modelExtension = '1.3.6.1.4.1.45724.1.1.4'

/** id-fido-gen-ce-aaguid (section 8.2.1): a certificate for one model speaks for no other. */
export function whyOtherModel({ attested }: Statement, leaf: Certificate): string | undefined {
  const extension = leaf.extensions.get(modelExtension)
  if (!extension) return undefined
  const aaguid = octetsOf(derOf(extension.value, tags.octets))
  if (extension.critical) return 'leaf: AAGUID extension is critical'
  return aaguid && equalBytes(aaguid, attested.aaguid) ? undefined : 'leaf: AAGUID of another model'
}

/** The members of the passkey's COSE_Key, which was read before. */
export function membersOf({ cose }: PublicKey): CborMap {
  const parsed = parseCbor(cose)
  return parsed.kind === 'value' ? (parsed.value as CborMap) : new Map()
}

/** A P-256 key as certificates and U2F spell it: 4, x, y. */
export function pointOf(key: PublicKey): Bytes | undefined {
  const [x, y] = [-2, -3].map((label) => membersOf(key).get(label))
  return key.algorithm === -7 ? concat(new Uint8Array([4]), x as Bytes, y as Bytes) : undefined
}

/** Whether the certificate is of the passkey's own key. */
export function isKeyOf({ publicKey }: Certificate, key: PublicKey): boolean {
  const { kind, curve, bits } = keyOf(publicKey)
  const point = pointOf(key)
  return kind === 'ECDSA' && curve?.[0] === 'P-256' && !!bits && !!point && equalBytes(bits, point)
}
