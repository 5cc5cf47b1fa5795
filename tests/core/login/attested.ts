/** A passkey and its attestation in each format, every byte of it up to the test (WebAuthn Level 3 section 8). */
import { KeyObject, sign } from 'node:crypto'
import { attestationObjectIn } from '../../../core/lib/attestation-object.ts'
import { parseAuthenticatorData } from '../../../core/lib/authenticator-data.ts'
import type { Cbor } from '../../../core/lib/cbor.ts'
import { readStatement } from '../../../core/login/attestation-statement.ts'
import type { RegistrationJson } from '../../../core/login/passkey-register.ts'
import { importPublicKey } from '../../../core/tap/public-key.ts'
import { flag } from '../../authenticator.ts'
import { cborMap } from '../cbor-writer.ts'
import { der, extensionOf, type Made, makeCertificate, makeRoot, modelExtension, type Plan } from '../certificates.ts'
import { authenticatorDataOf, bytes64, hashOf, join, newSigner, text64 } from '../signer.ts'
import { signingKeys } from '../vectors.ts'

type Bytes = Uint8Array<ArrayBuffer>
export type Entries = readonly (readonly [string, Cbor])[]

export const origin = 'https://access.example.com'
export const rpId = 'example.com'
export const challenge = text64(hashOf('a challenge'))
export const model = new Uint8Array(16).fill(0xa7)
export const modelText = 'a7a7a7a7-a7a7-a7a7-a7a7-a7a7a7a7a7a7'

const bytes = (...parts: readonly (string | Uint8Array | number)[]): Bytes =>
  join(
    ...parts.map(
      (part) =>
        new Uint8Array(
          typeof part === 'string'
            ? Buffer.from(part.replaceAll(' ', ''), 'hex')
            : typeof part === 'number'
              ? [part >> 8, part]
              : part,
        ),
    ),
  )

export interface Passkey {
  readonly authenticatorData: Bytes
  readonly clientData: Bytes
  readonly clientDataHash: Bytes
  readonly id: Bytes
  /** x, y. */
  readonly point: readonly [Bytes, Bytes]
  readonly keys: Made['keys']
  /** Authenticator data and hash of the client data. */
  readonly signed: Bytes
}

const p256 = { name: 'ECDSA', namedCurve: 'P-256' } as const

export async function newPasskey({
  aaguid = model as Uint8Array,
  flags = flag.UP | flag.UV | flag.AT,
} = {}): Promise<Passkey> {
  const { cose } = newSigner('ES256')
  const { x, y, d, kty, crv } = signingKeys().ES256 as Record<'x' | 'y' | 'd' | 'kty' | 'crv', string>
  const id = hashOf('a credential')
  const authenticatorData = authenticatorDataOf(rpId, flags, 0, aaguid, bytes(id.length), id, cose)
  const clientData = new Uint8Array(
    Buffer.from(JSON.stringify({ type: 'webauthn.create', challenge, origin, crossOrigin: false })),
  )
  const clientDataHash = hashOf(clientData)
  const keys = {
    publicKey: await crypto.subtle.importKey('jwk', { kty, crv, x, y }, p256, true, ['verify']),
    privateKey: await crypto.subtle.importKey('jwk', { kty, crv, x, y, d }, p256, true, ['sign']),
  }
  const signed = join(authenticatorData, clientDataHash)
  return { authenticatorData, clientData, clientDataHash, id, point: [bytes64(x), bytes64(y)], keys, signed }
}

export const registrationOf = (passkey: Passkey, format: Cbor, entries: Entries): RegistrationJson => ({
  id: text64(passkey.id),
  response: {
    clientDataJSON: text64(passkey.clientData),
    attestationObject: text64(
      cborMap([
        ['fmt', format],
        ['attStmt', new Map(entries) as Cbor],
        ['authData', passkey.authenticatorData],
      ]),
    ),
  },
})

/** What readStatement says of a registration whose passkey can be read. */
export async function readOf({ response }: RegistrationJson) {
  const object = attestationObjectIn(response.attestationObject)
  const data = object && parseAuthenticatorData(object.authenticatorData)
  const attested = data?.kind === 'value' ? data.value.attested : undefined
  const key = attested && (await importPublicKey(attested.publicKey))
  if (!object || data?.kind !== 'value' || !attested || !key) return { kind: 'invalid', why: 'no passkey' } as const
  return readStatement({
    object,
    data: data.value,
    attested,
    key,
    clientDataHash: hashOf(bytes64(response.clientDataJSON)),
  })
}

export const signedBy = ({ keys }: Pick<Made, 'keys'>, content: Uint8Array, hash: string | null = 'sha256'): Bytes =>
  new Uint8Array(sign(hash, content, KeyObject.from(keys.privateKey)))

/** The statement, and its leaf under a root of its own. */
export interface Attested {
  readonly entries: Entries
  readonly leaf: Made
  readonly root: Made
}

async function issued(plan: Plan): Promise<{ leaf: Made; root: Made }> {
  const root = await makeRoot()
  return { root, leaf: await makeCertificate({ issuer: root, ...plan }) }
}

export async function packed({ signed }: Passkey, plan: Plan = {}): Promise<Attested> {
  const made = await issued({ extensions: [modelExtension(model)], ...plan })
  const entries: Entries = [
    ['alg', -7],
    ['sig', signedBy(made.leaf, signed)],
    ['x5c', [made.leaf.der]],
  ]
  return { ...made, entries }
}

export const packedSelf = (passkey: Passkey): Entries => [
  ['alg', -7],
  ['sig', signedBy(passkey, passkey.signed)],
]

export async function u2f(passkey: Passkey, plan: Plan = {}): Promise<Attested> {
  const made = await issued(plan)
  const { id, point, clientDataHash } = passkey
  const signed = bytes('00', hashOf(rpId), clientDataHash, id, '04', ...point)
  const entries: Entries = [
    ['sig', signedBy(made.leaf, signed)],
    ['x5c', [made.leaf.der]],
  ]
  return { ...made, entries }
}

export const appleNonce = (nonce: Uint8Array, ...more: readonly Uint8Array[]) =>
  extensionOf('1.2.840.113635.100.8.2', der(0x30, der(0xa1, der(0x04, nonce)), ...more))

export async function apple(passkey: Passkey, plan: Plan = {}, nonce = hashOf(passkey.signed)): Promise<Attested> {
  const made = await issued({ keys: passkey.keys, extensions: [appleNonce(nonce)], ...plan })
  return { ...made, entries: [['x5c', [made.leaf.der]]] }
}

export interface Description {
  readonly challenge?: Uint8Array
  readonly software?: readonly Uint8Array[]
  readonly trusted?: readonly Uint8Array[]
}

const explicit = (number: number, content: Uint8Array) =>
  der(number < 31 ? 0xa0 | number : 0xbf | (number << 8), content)
export const purposes = (...numbers: readonly number[]) =>
  explicit(1, der(0x31, ...numbers.map((one) => der(2, [one]))))
export const origins = (number: number) => explicit(702, der(2, [number]))
export const allApplications = explicit(600, der(5))

export function keyDescription({ clientDataHash }: Passkey, description: Description = {}) {
  const { challenge: given = clientDataHash, software = [], trusted = [purposes(2), origins(0)] } = description
  const levels = [der(2, [3]), der(10, [1]), der(2, [4]), der(10, [1])]
  const lists = [der(0x30, ...software), der(0x30, ...trusted)]
  return extensionOf('1.3.6.1.4.1.11129.2.1.17', der(0x30, ...levels, der(4, given), der(4), ...lists))
}

export async function android(passkey: Passkey, plan: Plan = {}, description?: Description): Promise<Attested> {
  const extensions = [keyDescription(passkey, description)]
  const made = await issued({ name: 'CN=Android Keystore Key', keys: passkey.keys, extensions, ...plan })
  const entries: Entries = [
    ['alg', -7],
    ['sig', signedBy(passkey, passkey.signed)],
    ['x5c', [made.leaf.der]],
  ]
  return { ...made, entries }
}

const sized = (content: Uint8Array) => bytes(content.length, content)

export interface Structures {
  readonly attributes?: string
  readonly point?: readonly [Uint8Array, Uint8Array]
  readonly curve?: string
  readonly extraData?: Uint8Array
  readonly magic?: string
  readonly type?: string
  readonly name?: Uint8Array
  /** After the public area and after what is certified. */
  readonly rest?: string
}

const attribute = (oid: string, text: string) =>
  der(0x31, der(0x30, bytes('06', oidBytes(oid)), der(0x0c, Buffer.from(text))))
const oidBytes = (oid: string) => bytes(oid.length / 2 < 16 ? `0${(oid.length / 2).toString(16)}` : '', oid)
/** tcg-at-tpmManufacturer, Model and Version. */
const tpmNames = [
  attribute('6781050201', 'id:4E544300'),
  attribute('6781050202', 'NPCT75x'),
  attribute('6781050203', 'id:00070002'),
]
export const alternativeName = (names = tpmNames) =>
  extensionOf('2.5.29.17', der(0x30, der(0xa4, der(0x30, ...names))), true)
/** tcg-kp-AIKCertificate. */
export const attestationPurpose = extensionOf('2.5.29.37', der(0x30, bytes('0605 6781050803')))

export async function tpm(passkey: Passkey, plan: Plan = {}, edits: Structures = {}): Promise<Attested> {
  const made = await issued({ name: '', extensions: [alternativeName(), attestationPurpose], ...plan })
  const { attributes = '00040072', point = passkey.point, curve = '0003', rest = '' } = edits
  const publicArea = bytes('0023 000b', attributes, '0000 0010 0010', curve, '0010', ...point.map(sized), rest)
  const { magic = 'ff544347', type = '8017', extraData = hashOf(passkey.signed) } = edits
  const { name = bytes('000b', hashOf(publicArea)) } = edits
  const clock = '00'.repeat(25)
  const certified = bytes(magic, type, '0000', sized(extraData), clock, sized(name), '0000', rest)
  const entries: Entries = [
    ['ver', '2.0'],
    ['alg', -7],
    ['sig', signedBy(made.leaf, certified)],
    ['x5c', [made.leaf.der]],
    ['pubArea', publicArea],
    ['certInfo', certified],
  ]
  return { ...made, entries }
}

/** With other entries in the place of those of the same name; undefined takes one away. */
export function edited(entries: Entries, edits: Readonly<Record<string, Cbor | undefined>>): Entries {
  const kept = entries.filter(([name]) => !Object.hasOwn(edits, name))
  return [
    ...kept,
    ...Object.entries(edits).flatMap(([name, entry]) => (entry === undefined ? [] : [[name, entry] as const])),
  ]
}
