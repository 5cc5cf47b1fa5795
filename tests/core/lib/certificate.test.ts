/** What is read of the published vectors' certificates, against what Node's own X509Certificate reads. */
import { X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { attestationObjectIn } from '../../../core/lib/attestation-object.ts'
import {
  attributesOf,
  type Certificate,
  isSignedBy,
  parseCertificate,
  subjectText,
} from '../../../core/lib/certificate.ts'
import { der, extensionOf, makeCertificate, makeRoot, newKeys, p256, rsaOf, versionOne } from '../certificates.ts'
import { bytes64, text64 } from '../signer.ts'
import { libraryVectors, w3cVectors } from '../vectors.ts'

const published = [
  ...w3cVectors().vectors.map(({ registration }) => text64(Buffer.from(registration.attestationObject, 'hex'))),
  ...libraryVectors().map(({ attestationObject }) => text64(bytes64(attestationObject))),
].flatMap((object) => (attestationObjectIn(object)?.statement.get('x5c') ?? []) as Uint8Array<ArrayBuffer>[])

const read = (bytes: Uint8Array): Certificate => {
  const parsed = parseCertificate(bytes)
  if (parsed.kind !== 'value') throw new Error('not read')
  return parsed.value
}

test('parseCertificate reads all 41 published ones as Node does', () => {
  expect(published).toHaveLength(41)
  for (const bytes of published) {
    const [ours, nodes] = [read(bytes), new X509Certificate(bytes)]
    expect(ours.notBefore).toBe(Date.parse(nodes.validFrom))
    expect(ours.notAfter).toBe(Date.parse(nodes.validTo))
    expect(text64(ours.publicKey)).toBe(text64(nodes.publicKey.export({ type: 'spki', format: 'der' })))
    const said = (name: string | undefined) =>
      (name ?? '').split(/\n|(?<!\\)\+/).map((line) => line.replace(/^.*?=/, ''))
    const texts = (attributesOf(ours.subject) ?? []).map(([, content]) => content)
    expect(texts.length === 0 ? [''] : texts).toEqual(said(nodes.subject))
    expect(ours.version).toBe(3)
  }
})

describe('parseCertificate refuses', () => {
  test('what is longer than 8 KiB, cut, or followed by something', async () => {
    const large = (size: number) => makeCertificate({ extensions: [extensionOf('1.2.3', new Uint8Array(size))] })
    expect((await large(7000)).certificate.der.length).toBeGreaterThan(7000)
    await expect(large(8192)).rejects.toThrow('longer than 8 KiB')
    const { der: bytes } = await makeCertificate()
    expect(parseCertificate(bytes.slice(0, -1)).kind).toBe('invalid')
    expect(parseCertificate(new Uint8Array([...bytes, 0])).kind).toBe('invalid')
  })

  test('an extension that comes twice', async () => {
    const twice = [extensionOf('1.2.3', der(5)), extensionOf('1.2.3', der(5))]
    await expect(makeCertificate({ extensions: twice })).rejects.toThrow('not read')
  })

  test('extensions in a certificate of version 1', async () => {
    const root = await makeRoot()
    expect(parseCertificate(versionOne(root, root)).kind).toBe('value')
    expect(parseCertificate(versionOne(root, root, true)).kind).toBe('invalid')
  })

  test('another algorithm outside than the one that is signed', async () => {
    const { der: bytes } = await makeCertificate()
    const at = Buffer.from(bytes).lastIndexOf(Buffer.from('2a8648ce3d040302', 'hex'))
    const other = bytes.slice()
    other[at + 7] = 3
    expect(parseCertificate(other).kind).toBe('invalid')
  })

  test('bits turned or cut, without ever throwing', () => {
    const change = fc.record({
      base: fc.nat(published.length - 1),
      at: fc.nat(8000),
      bit: fc.nat(7),
      cut: fc.boolean(),
    })
    fc.assert(
      fc.property(change, ({ base, at, bit, cut }) => {
        const bytes = published[base]!.slice()
        bytes[at % bytes.length]! ^= 1 << bit
        const parsed = parseCertificate(cut ? bytes.slice(0, at % bytes.length) : bytes)
        if (cut) expect(parsed.kind).toBe('invalid')
        if (parsed.kind === 'value') subjectText(parsed.value)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('isSignedBy', () => {
  const judge = (certificate: Certificate, by: Certificate) =>
    certificate.scheme === undefined
      ? 'no scheme'
      : isSignedBy(by.publicKey, certificate.scheme, certificate.signature, certificate.signed)

  test.each([
    ['P-256', p256, 'SHA-256'],
    ['P-384', { name: 'ECDSA', namedCurve: 'P-384' }, 'SHA-384'],
    ['P-521', { name: 'ECDSA', namedCurve: 'P-521' }, 'SHA-512'],
    ['RSA of 2048 bits', rsaOf(2048), 'SHA-256'],
    ['RSA with SHA-384', rsaOf(2048, 'SHA-384'), 'SHA-384'],
    ['RSA with SHA-512', rsaOf(3072, 'SHA-512'), 'SHA-512'],
    ['Ed25519', { name: 'Ed25519' }, 'SHA-512'],
  ])('knows a signature of %s from another key’s', async (_what, algorithm, hash) => {
    const [root, other] = [
      await makeRoot({ keys: await newKeys(algorithm), hash }),
      await makeRoot({ keys: await newKeys(algorithm), hash }),
    ]
    const leaf = await makeCertificate({ issuer: root, hash })
    expect(await judge(leaf.certificate, root.certificate)).toBe(true)
    expect(await judge(leaf.certificate, other.certificate)).toBe(false)
    const altered = { ...leaf.certificate, signed: leaf.certificate.signed.slice(1) }
    expect(await judge(altered, root.certificate)).toBe(false)
  })

  test('takes no SHA-1, no RSA below 2048 bits, and no key of another kind', async () => {
    const [sha1, weak] = [await newKeys(rsaOf(2048, 'SHA-1')), await newKeys(rsaOf(1024))]
    const old = await makeRoot({ keys: sha1, hash: 'SHA-1' })
    expect(await judge(old.certificate, old.certificate)).toBe('no scheme')
    const short = await makeRoot({ keys: weak })
    expect(await judge(short.certificate, short.certificate)).toBe(false)
    const [ec, rsa] = [await makeRoot(), await makeRoot({ keys: await newKeys(rsaOf(2048)) })]
    expect(await judge(ec.certificate, rsa.certificate)).toBe(false)
    expect(await judge(rsa.certificate, ec.certificate)).toBe(false)
  })
})

test('subjectText says the names, and no more than 200 characters of them', async () => {
  const { certificate } = await makeCertificate({ name: 'CN=Batch 1, O=Tests, 1.2.3=x' })
  expect(subjectText(certificate)).toBe('CN=Batch 1, O=Tests, 1.2.3=x')
  const long = await makeCertificate({ name: `CN=${'x'.repeat(300)}` })
  expect(subjectText(long.certificate)).toHaveLength(200)
})
