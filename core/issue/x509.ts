/** X.509 certificates (RFC 5280): an authority for one machine, and the server certificates that it issues. P-256 all of them. */
import 'reflect-metadata'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  GeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { type Bytes, concat, utf8 } from '../lib/bytes.ts'
import { type Duration, hours, type Instant, minutes } from '../model.ts'
import type { Ports } from '../ports.ts'
import { grantExtension, utf8String } from './grant-certificate.ts'

/** What a certificate speaks for. */
export interface Names {
  readonly dns: readonly string[]
  /** IPv4 and IPv6 in their text forms. */
  readonly addresses: readonly string[]
}

export interface Issued {
  /** DER. */
  readonly certificate: Bytes
  readonly keys: CryptoKeyPair
}

export interface Issuer {
  /** DER. */
  readonly certificate: Bytes
  readonly key: CryptoKey
}

type Needs = Pick<Ports, 'now' | 'random'>

export const p256 = { name: 'ECDSA', namedCurve: 'P-256' } as const
export const signing = { name: 'ECDSA', hash: 'SHA-256' } as const
const caTtl: Duration = hours(10 * 365 * 24)
/** Clocks differ: a client that is a little behind must not see a certificate of the future. */
const backDated = minutes(5)

/**
 * A new authority for `names` and what lies below them, for ten years. It can speak for nothing else (section 4.2.1.10), so
 * a stolen key of a machine's own authority is no key to other sites for whoever trusts it.
 */
export async function issueLocalCa(needs: Needs, names: Names): Promise<Issued> {
  const keys = await newKeys()
  const serialNumber = serial(needs)
  const certificate = await X509CertificateGenerator.createSelfSigned({
    // Two authorities of one machine need two names: verifiers look an issuer up by name.
    name: `CN=Sallyport local CA ${serialNumber.slice(0, 8)}`,
    serialNumber,
    ...life(needs, caTtl),
    keys,
    signingAlgorithm: signing,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      nameConstraints(names),
    ],
  })
  return { certificate: new Uint8Array(certificate.rawData), keys }
}

/** A server's certificate with a key of its own. `ttl` counts from now. */
export async function issueServerCertificate(
  needs: Needs,
  issuer: Issuer,
  names: Names,
  ttl: Duration,
): Promise<Issued> {
  const keys = await newKeys()
  const authority = new X509Certificate(issuer.certificate)
  const certificate = await X509CertificateGenerator.create({
    subject: 'CN=Sallyport proxy',
    issuer: authority.subject,
    serialNumber: serial(needs),
    ...life(needs, ttl),
    publicKey: keys.publicKey,
    signingKey: issuer.key,
    signingAlgorithm: signing,
    extensions: [
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(generalNames(names)),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(await authority.publicKey.export()),
    ],
  })
  return { certificate: new Uint8Array(certificate.rawData), keys }
}

/** A grant's certificate with a new key, signed by that key (grant-certificate.ts). `until`: the grant's end. */
export async function issueGrantCertificate(needs: Needs, keys: CryptoKeyPair, jwt: string, until: Instant) {
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=Sallyport grant',
    serialNumber: serial(needs),
    notBefore: new Date(needs.now() - backDated),
    notAfter: new Date(until),
    keys,
    signingAlgorithm: signing,
    extensions: [
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth]),
      new Extension(grantExtension, false, der(utf8String, utf8(jwt))),
    ],
  })
  return new Uint8Array(certificate.rawData)
}

/** Those of `names` that an authority of `issueLocalCa` must not speak for. */
export function notPermitted(authority: Bytes, names: Names): string[] {
  const value = new X509Certificate(authority).getExtension(nameConstraintsOid)?.value
  if (value === undefined) return []
  // A subtree holds a name's text or an address's bytes, each behind its tag and length: one cannot hide within another.
  const permitted = hex(new Uint8Array(value))
  return [
    ...names.dns.filter((name) => !withParents(name).some((one) => permitted.includes(hex(dnsSubtree(one))))),
    ...names.addresses.filter((address) => !permitted.includes(hex(addressSubtree(address)))),
  ]
}

export const newKeys = (): Promise<CryptoKeyPair> => crypto.subtle.generateKey(p256, true, ['sign', 'verify'])

/** 16 random octets, positive and never shorter (section 4.1.2.2 allows 20). */
export function serial({ random }: Needs): string {
  const bytes = random(16)
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40
  return hex(bytes)
}

export const life = ({ now }: Needs, ttl: Duration) => ({
  notBefore: new Date(now() - backDated),
  notAfter: new Date(now() + ttl),
})

const generalNames = ({ dns, addresses }: Names): GeneralName[] => [
  ...dns.map((name) => new GeneralName('dns', name)),
  ...addresses.map((address) => new GeneralName('ip', address)),
]

const nameConstraintsOid = '2.5.29.30'

/** The library has no class for it: NameConstraints ::= SEQUENCE { permittedSubtrees [0] SEQUENCE OF SEQUENCE { base } }. */
function nameConstraints({ dns, addresses }: Names): Extension {
  const subtrees = [...dns.map(dnsSubtree), ...addresses.map(addressSubtree)]
  return new Extension(nameConstraintsOid, true, der(0x30, der(0xa0, ...subtrees)))
}

const dnsSubtree = (name: string): Bytes => der(0x30, new Uint8Array(new GeneralName('dns', name).rawData))

/** Here an address stands with its mask: this very one. */
function addressSubtree(text: string): Bytes {
  const address = new Uint8Array(new GeneralName('ip', text).rawData).subarray(2)
  return der(0x30, der(0x87, address, new Uint8Array(address.length).fill(0xff)))
}

/** `a.b.c`, `b.c` and `c`: what is permitted for a name is permitted for what lies below it. */
function withParents(name: string): string[] {
  const labels = name.split('.')
  return labels.map((_, i) => labels.slice(i).join('.'))
}

/** Tag, length, content (X.690 section 8.1). */
function der(tag: number, ...contents: Uint8Array[]): Bytes {
  const content = concat(...contents)
  const { length } = content
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return concat(new Uint8Array([tag, ...head]), content)
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
