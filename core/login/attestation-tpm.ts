/**
 * Attestation by a TPM 2.0 (WebAuthn Level 3 section 8.3): an attestation key certifies the passkey's key by its name.
 * Structures: TPM 2.0 Library, part 2.
 */
import { type Bytes, concat, equalBytes } from '../lib/bytes.ts'
import type { Cbor } from '../lib/cbor.ts'
import { attributesOf, type Certificate, isSignedBy, type Scheme } from '../lib/certificate.ts'
import { derOf, elementsOf, oidOf, tags } from '../lib/der.ts'
import type { PublicKey } from '../tap/public-key.ts'
import { membersOf, type Statement, schemeOf, whyOtherModel } from './attestation-key.ts'

/**
 * RS1 (RFC 8812), which Windows asks of TPMs to this day. It signs SHA-1 of a structure that the TPM itself writes; of its 161
 * bytes a stranger chooses 20 and the hash of a key, where a collision wants hundreds that he chooses. Here alone, and no
 * certificate with it.
 */
const rs1: Scheme = { kind: 'RSASSA-PKCS1-v1_5', hash: 'SHA-1' }
const rs1Algorithm = -65_535

export async function whyNotTpm(statement: Statement, leaf: Certificate): Promise<string | undefined> {
  const [version, publicArea, certified] = ['ver', 'pubArea', 'certInfo'].map((at) =>
    statement.object.statement.get(at),
  )
  if (version !== '2.0') return 'version'
  if (!(publicArea instanceof Uint8Array) || !(certified instanceof Uint8Array)) return 'structures'
  const scheme = statement.alg === rs1Algorithm ? rs1 : schemeOf(statement.alg)
  if (!scheme) return 'algorithm'
  return (
    whyOtherKey(publicArea as Bytes, statement.key) ??
    whyNoAttestationKey(leaf) ??
    whyOtherModel(statement, leaf) ??
    (await whyOtherCertified(certified as Bytes, publicArea as Bytes, await digest(scheme.hash, statement.signed))) ??
    ((await isSignedBy(leaf.publicKey, scheme, statement.sig, certified as Bytes)) ? undefined : 'signature')
  )
}

const digest = async (hash: Scheme['hash'], bytes: Bytes): Promise<Bytes> =>
  new Uint8Array(await crypto.subtle.digest(hash, bytes))

/** Big-endian, as TPMs write. What is not there is read as undefined, and stays so. */
function reader(bytes: Bytes) {
  let at = 0
  const take = (size: number): Bytes | undefined => {
    const taken = bytes.length >= at + size ? bytes.slice(at, at + size) : undefined
    at = taken ? at + size : Number.POSITIVE_INFINITY
    return taken
  }
  const number = (size: number) => take(size)?.reduce((sum, byte) => sum * 256 + byte, 0)
  return {
    take,
    number,
    /** TPM2B: its size, then so many bytes. */
    sized: () => take(number(2) ?? Number.POSITIVE_INFINITY),
    atEnd: () => at === bytes.length,
  }
}

const [rsa, ecc, none, p256] = [0x0001, 0x0023, 0x0010, 0x0003]
/** fixedTPM, fixedParent, sensitiveDataOrigin: made in this TPM, and cannot leave it. A key from elsewhere can be certified too. */
const bornHere = 0x32

/** TPMT_PUBLIC (12.2.4): the very key that the authenticator data has. */
function whyOtherKey(publicArea: Bytes, key: PublicKey): string | undefined {
  const { take, number, sized, atEnd } = reader(publicArea)
  const [type, , attributes] = [number(2), number(2), number(4)]
  sized()
  // Both may be "none", which has no details.
  if (number(2) !== none) take(4)
  if (number(2) !== none) take(2)
  const unique = type === rsa ? rsaOf(number, sized) : type === ecc ? eccOf(number, take, sized) : undefined
  if (!unique || !atEnd()) return 'public area'
  if (((attributes ?? 0) & bornHere) !== bornHere) return 'public area: a key that can leave the TPM'
  const members = membersOf(key)
  const own = type === rsa ? [members.get(-1)] : [members.get(-2), members.get(-3)]
  const fits = key.algorithm === (type === rsa ? -257 : -7) && own.every((one, at) => same(one, unique[at]))
  return fits ? undefined : 'public area: another key'
}

type Reader = ReturnType<typeof reader>

/** An exponent of 0 is the usual one, and the passkey's key has no other. */
function rsaOf(number: Reader['number'], sized: Reader['sized']): (Bytes | undefined)[] | undefined {
  const [, exponent] = [number(2), number(4)]
  return exponent === 0 || exponent === 65_537 ? [sized()] : undefined
}

function eccOf(number: Reader['number'], take: Reader['take'], sized: Reader['sized']) {
  const curve = number(2)
  if (number(2) !== none) take(2)
  return curve === p256 ? [sized(), sized()] : undefined
}

/** A coordinate may stand without the zeros before it. */
function same(member: Cbor | undefined, found: Bytes | undefined): boolean {
  if (!(member instanceof Uint8Array) || !found || found.length > member.length) return false
  return equalBytes(concat(new Uint8Array(member.length - found.length), found), member as Bytes)
}

const [magic, attestCertify] = [0xff544347, 0x8017]
const nameHashes: Readonly<Record<number, Scheme['hash']>> = { 11: 'SHA-256', 12: 'SHA-384', 13: 'SHA-512' }

/** TPMS_ATTEST (10.12.8): it certifies the key of this public area, for this ceremony. */
async function whyOtherCertified(certified: Bytes, publicArea: Bytes, nonce: Bytes): Promise<string | undefined> {
  const { take, number, sized, atEnd } = reader(certified)
  if (number(4) !== magic || number(2) !== attestCertify) return 'certified: not by a TPM'
  sized()
  const extraData = sized()
  // Clock, resets, restarts, safe; firmware.
  take(25)
  const [name] = [sized(), sized()]
  if (!name || !extraData || !atEnd()) return 'certified'
  if (!equalBytes(extraData, nonce)) return 'certified: another ceremony'
  const algorithm = publicArea.subarray(2, 4)
  const hash = nameHashes[((algorithm[0] ?? 0) << 8) | (algorithm[1] ?? 0)]
  if (!hash) return 'certified: hash of the name'
  return equalBytes(name, concat(algorithm, await digest(hash, publicArea))) ? undefined : 'certified: another name'
}

const [alternativeName, keyPurposes, attestationKey] = ['2.5.29.17', '2.5.29.37', '2.23.133.8.3']
const manufacturerModelVersion = ['2.23.133.2.1', '2.23.133.2.2', '2.23.133.2.3']
const directoryName = 0xa4

/** Section 8.3.1. */
function whyNoAttestationKey({ version, subject, extensions }: Certificate): string | undefined {
  if (version !== 3) return 'leaf: version'
  if (attributesOf(subject)?.length !== 0) return 'leaf: subject'
  const names = elementsOf(derOf(extensions.get(alternativeName)?.value, tags.sequence), tags.sequence) ?? []
  const directory = names.find(({ tag }) => tag === directoryName)
  const said = attributesOf(directory?.content)?.map(([oid]) => oid) ?? []
  if (!manufacturerModelVersion.every((oid) => said.includes(oid))) return 'leaf: alternative name'
  const purposes = elementsOf(derOf(extensions.get(keyPurposes)?.value, tags.sequence), tags.sequence) ?? []
  return purposes.some((one) => oidOf(one) === attestationKey) ? undefined : 'leaf: key purpose'
}
