/** X.509 certificates (RFC 5280) of strangers, read strictly, and the signatures that their keys check. */
import { type Bytes, concat, equalBytes, textOf } from './bytes.ts'
import {
  bitsOf,
  booleanOf,
  type Der,
  derOf,
  elementsOf,
  explicit,
  magnitudeOf,
  numberOf,
  octetsOf,
  oidOf,
  tags,
  timeOf,
  within,
} from './der.ts'
import { invalid, type Parsed, value } from './parsed.ts'

export interface Extension {
  readonly critical: boolean
  readonly value: Bytes
}

export interface Certificate {
  readonly der: Bytes
  /** What the issuer signed. */
  readonly signed: Bytes
  readonly version: number
  /** Names as DER: two spellings of a name are two names. */
  readonly issuer: Bytes
  readonly subject: Bytes
  readonly notBefore: number
  readonly notAfter: number
  /** SubjectPublicKeyInfo as DER. */
  readonly publicKey: Bytes
  /** undefined: one that is not taken, SHA-1 among them. */
  readonly scheme: Scheme | undefined
  readonly signature: Bytes
  readonly extensions: ReadonlyMap<string, Extension>
}

/** How a signature was made: by which kind of key, over which hash. */
export interface Scheme {
  readonly kind: 'ECDSA' | 'RSASSA-PKCS1-v1_5' | 'Ed25519'
  readonly hash: 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512'
}

const longest = 8192
/** Certificates from leaf to top: Android's own have five. */
export const longestChain = 6

/** By the OID of a certificate's signature. No SHA-1: whoever can make two certificates with one hash owns the issuer's name. */
const schemes: Readonly<Record<string, Scheme>> = {
  '1.2.840.10045.4.3.2': { kind: 'ECDSA', hash: 'SHA-256' },
  '1.2.840.10045.4.3.3': { kind: 'ECDSA', hash: 'SHA-384' },
  '1.2.840.10045.4.3.4': { kind: 'ECDSA', hash: 'SHA-512' },
  '1.2.840.113549.1.1.11': { kind: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  '1.2.840.113549.1.1.12': { kind: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384' },
  '1.2.840.113549.1.1.13': { kind: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512' },
  '1.3.101.112': { kind: 'Ed25519', hash: 'SHA-512' },
}

/** At most 8 KiB, and nothing after it. */
export function parseCertificate(bytes: Uint8Array): Parsed<Certificate> {
  if (bytes.length > longest) return invalid('longer than 8 KiB')
  const [tbs, algorithm, bits, ...rest] = elementsOf(derOf(bytes, tags.sequence), tags.sequence) ?? []
  const signature = bitsOf(bits)
  if (!tbs || !algorithm || !signature || rest.length > 0) return invalid('no certificate')
  const body = parseBody(tbs, algorithm)
  if (body === undefined) return invalid('no certificate')
  const scheme = Object.hasOwn(schemes, body.algorithm) ? schemes[body.algorithm] : undefined
  return value({ ...body, der: new Uint8Array(bytes), signed: tbs.whole, scheme, signature }, bytes.length)
}

/** TBSCertificate (section 4.1). Unique identifiers are obsolete: a certificate that has one is none to us. */
function parseBody(tbs: Der, outer: Der) {
  const fields = elementsOf(tbs, tags.sequence) ?? []
  const hasVersion = fields[0]?.tag === explicit(0)
  const version = hasVersion ? numberOf(within(fields[0], 0, tags.integer)) : 0
  const [serial, algorithm, issuer, validity, subject, publicKey, ...rest] = hasVersion ? fields.slice(1) : fields
  const [notBefore, notAfter] = (elementsOf(validity, tags.sequence) ?? []).map(timeOf)
  const extensions = parseExtensions(rest)
  const oid = oidOf(elementsOf(algorithm, tags.sequence)?.[0])
  if (version === undefined || serial?.tag !== tags.integer || !extensions || oid === undefined) return undefined
  // Extensions came with version 3.
  if (rest.length > 0 && version !== 2) return undefined
  // The one outside is not signed.
  if (!algorithm || !equalBytes(algorithm.whole, outer.whole)) return undefined
  if (notBefore === undefined || notAfter === undefined) return undefined
  if (!attributesOf(issuer?.whole) || !attributesOf(subject?.whole) || publicKey?.tag !== tags.sequence)
    return undefined
  if (!issuer || !subject) return undefined
  const names = { issuer: issuer.whole, subject: subject.whole }
  return {
    ...names,
    version: version + 1,
    notBefore,
    notAfter,
    publicKey: publicKey.whole,
    algorithm: oid,
    extensions,
  }
}

/** Each once (section 4.2). */
function parseExtensions(rest: readonly Der[]): Map<string, Extension> | undefined {
  const extensions = new Map<string, Extension>()
  if (rest.length === 0) return extensions
  const list = elementsOf(within(rest[0], 3, tags.sequence), tags.sequence)
  if (rest.length > 1 || !list) return undefined
  for (const one of list) {
    const parts = elementsOf(one, tags.sequence) ?? []
    const oid = oidOf(parts[0])
    const critical = parts.length === 3 ? booleanOf(parts[1]) : false
    const content = parts.length === 2 || parts.length === 3 ? octetsOf(parts.at(-1)) : undefined
    if (oid === undefined || critical === undefined || !content || extensions.has(oid)) return undefined
    extensions.set(oid, { critical, value: content })
  }
  return extensions
}

export type Attributes = readonly (readonly [oid: string, text: string])[]

const texts: ReadonlySet<number> = new Set([0x0c, 0x13, 0x16])

/** What a Name says, in its order. A text of another kind than UTF8, Printable or IA5String stands as none. */
export function attributesOf(name: Bytes | undefined): Attributes | undefined {
  const found: [string, string][] = []
  for (const set of elementsOf(derOf(name, tags.sequence), tags.sequence) ?? [undefined]) {
    for (const one of elementsOf(set, tags.set) ?? [undefined]) {
      const [type, text] = elementsOf(one, tags.sequence) ?? []
      const oid = oidOf(type)
      if (oid === undefined || text === undefined) return undefined
      found.push([oid, texts.has(text.tag) ? (textOf(text.content) ?? '') : ''])
    }
  }
  return found
}

const shortNames: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
}

/** For people, at most 200 characters. */
export const subjectText = ({ subject }: Certificate): string =>
  (attributesOf(subject) ?? [])
    .map(([oid, text]) => `${Object.hasOwn(shortNames, oid) ? shortNames[oid] : oid}=${text}`)
    .join(', ')
    .slice(0, 200)

const curves: Readonly<Record<string, readonly [name: string, size: number]>> = {
  '1.2.840.10045.3.1.7': ['P-256', 32],
  '1.3.132.0.34': ['P-384', 48],
  '1.3.132.0.35': ['P-521', 66],
}
const kinds: Readonly<Record<string, Scheme['kind']>> = {
  '1.2.840.10045.2.1': 'ECDSA',
  '1.2.840.113549.1.1.1': 'RSASSA-PKCS1-v1_5',
  '1.3.101.112': 'Ed25519',
}
const fewestBits = 2048

/** The kind of key, its curve if it has one, and its bits as they stand in a certificate. */
export function keyOf(publicKey: Bytes) {
  const [algorithm, bits] = elementsOf(derOf(publicKey, tags.sequence), tags.sequence) ?? []
  const [type, parameter] = elementsOf(algorithm, tags.sequence) ?? []
  const [oid, curve] = [oidOf(type) ?? '', oidOf(parameter) ?? '']
  return {
    kind: Object.hasOwn(kinds, oid) ? kinds[oid] : undefined,
    curve: Object.hasOwn(curves, curve) ? curves[curve] : undefined,
    bits: bitsOf(bits),
  }
}

/** Whether the key of this SubjectPublicKeyInfo made this signature. A key that nothing is known of, or a weak one: no. */
export async function isSignedBy(publicKey: Bytes, scheme: Scheme, signature: Bytes, signed: Bytes): Promise<boolean> {
  const { kind, curve: [namedCurve, size] = [] } = keyOf(publicKey)
  if (kind !== scheme.kind || (kind === 'ECDSA' && !namedCurve)) return false
  const raw = kind === 'ECDSA' ? rawSignature(signature, size as number) : signature
  if (!raw) return false
  const algorithm = { name: kind, hash: scheme.hash, ...(namedCurve && { namedCurve }) }
  try {
    const key = await crypto.subtle.importKey('spki', publicKey, algorithm, false, ['verify'])
    const { modulusLength = fewestBits } = key.algorithm as { modulusLength?: number }
    return modulusLength >= fewestBits && (await crypto.subtle.verify(algorithm, key, raw, signed))
  } catch {
    return false
  }
}

/** Ecdsa-Sig-Value (RFC 3279 section 2.2.3) to what Web Cryptography takes. */
function rawSignature(signature: Bytes, size: number): Bytes | undefined {
  const [r, s, ...rest] = elementsOf(derOf(signature, tags.sequence), tags.sequence) ?? []
  const [left, right] = [magnitudeOf(r, size), magnitudeOf(s, size)]
  return left && right && rest.length === 0 ? concat(left, right) : undefined
}
