/** Makes certificates for tests, right ones and wrong ones, with @peculiar/x509: other code than the one that reads them. */
import 'reflect-metadata'
import { KeyObject, sign } from 'node:crypto'
import {
  BasicConstraintsExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { type Certificate, parseCertificate } from '../../core/lib/certificate.ts'
import { derOf, elementsOf, tags } from '../../core/lib/der.ts'

type Bytes = Uint8Array<ArrayBuffer>
type KeyPair = Awaited<ReturnType<typeof newKeys>>

/** When all of these are good, unless a test says otherwise. */
export const now = Date.UTC(2026, 0, 1)
const day = 86_400_000

export interface Made {
  readonly der: Bytes
  readonly keys: KeyPair
  readonly name: string
  /** As core reads it. */
  readonly certificate: Certificate
}

export interface Plan {
  readonly name?: string
  /** undefined: signs itself. */
  readonly issuer?: Pick<Made, 'keys' | 'name'>
  /** `none`: without the extension. */
  readonly ca?: boolean | 'none'
  readonly pathLength?: number
  readonly usages?: number | 'none'
  readonly from?: number
  readonly until?: number
  readonly extensions?: readonly Extension[]
  readonly keys?: KeyPair
  readonly hash?: string
}

export const p256 = { name: 'ECDSA', namedCurve: 'P-256' } as const
export const rsaOf = (modulusLength: number, hash = 'SHA-256') => ({
  name: 'RSASSA-PKCS1-v1_5',
  modulusLength,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash,
})

export async function newKeys(algorithm: object = p256) {
  const pair = await crypto.subtle.generateKey(algorithm as typeof p256, true, ['sign', 'verify'])
  return pair as { publicKey: CryptoKey; privateKey: CryptoKey }
}

/** A key usage that is no CA's. */
export const crlSign = KeyUsageFlags.cRLSign

/** Which a packed attestation's leaf must have (WebAuthn section 8.2.1). */
export const leafName = 'CN=Batch 1, O=Tests, OU=Authenticator Attestation, C=SE'

let made = 0

export async function makeCertificate(plan: Plan = {}): Promise<Made> {
  const { name = leafName, ca = false, usages = ca === true ? KeyUsageFlags.keyCertSign : 'none', pathLength } = plan
  const keys = plan.keys ?? (await newKeys())
  const signer = plan.issuer ?? { keys, name }
  made += 1
  const certificate = await X509CertificateGenerator.create({
    subject: name,
    issuer: signer.name,
    serialNumber: (0x1000 + made).toString(16),
    notBefore: new Date(plan.from ?? now - day),
    notAfter: new Date(plan.until ?? now + day),
    publicKey: keys.publicKey,
    signingKey: signer.keys.privateKey,
    signingAlgorithm: { ...signer.keys.privateKey.algorithm, hash: plan.hash ?? 'SHA-256' },
    extensions: [
      ...(ca === 'none' ? [] : [new BasicConstraintsExtension(ca, pathLength, true)]),
      ...(usages === 'none' ? [] : [new KeyUsagesExtension(usages, true)]),
      ...(plan.extensions ?? []),
    ],
  })
  const der = new Uint8Array(certificate.rawData)
  const parsed = parseCertificate(der)
  if (parsed.kind !== 'value') throw new Error(`our own certificate is not read: ${JSON.stringify(parsed)}`)
  return { der, keys, name, certificate: parsed.value }
}

export const makeRoot = (plan: Plan = {}) => makeCertificate({ name: 'CN=Root', ca: true, ...plan })

/** Root, intermediates as many as are planned, leaf; leaf first, as `x5c` has them. */
export async function makeChain(leaf: Plan = {}, ...between: readonly Plan[]): Promise<Made[]> {
  let issuer = await makeRoot()
  const chain = [issuer]
  for (const [at, plan] of [...between, leaf].entries()) {
    const isLeaf = at === between.length
    issuer = await makeCertificate({ issuer, ...(isLeaf ? {} : { name: `CN=Intermediate ${at}`, ca: true }), ...plan })
    chain.unshift(issuer)
  }
  return chain
}

/** Tag, length, content (X.690 section 8.1). */
export function der(tag: number, ...contents: readonly (Uint8Array | readonly number[])[]): Bytes {
  const content = Buffer.concat(contents.map((part) => Uint8Array.from(part)))
  const { length } = content
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return new Uint8Array([...(tag > 0xff ? [tag & 0xff, ...highTag(tag >> 8)] : [tag]), ...head, ...content])
}

const highTag = (number: number) => (number < 0x80 ? [number] : [0x80 | (number >> 7), number & 0x7f])

/** The same without a version and extensions, signed anew: of version 1. `keeping`: with its extensions, which is none. */
export function versionOne(made: Made, { keys }: Made, keeping = false): Bytes {
  const [, serial, algorithm, ...rest] = elementsOf(derOf(made.certificate.signed, tags.sequence), tags.sequence) ?? []
  if (!serial || !algorithm) throw new Error('no certificate of ours')
  const body = der(0x30, ...[serial, algorithm, ...(keeping ? rest : rest.slice(0, -1))].map(({ whole }) => whole))
  const signature = sign('sha256', body, KeyObject.from(keys.privateKey))
  return der(0x30, body, algorithm.whole, der(0x03, [0], signature))
}

export const extensionOf = (oid: string, value: Uint8Array, critical = false) =>
  new Extension(oid, critical, new Uint8Array(value))
/** id-fido-gen-ce-aaguid. */
export const modelExtension = (aaguid: Uint8Array, critical = false) =>
  extensionOf('1.3.6.1.4.1.45724.1.1.4', der(0x04, aaguid), critical)

export const pemOf = (bytes: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(bytes).toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`
