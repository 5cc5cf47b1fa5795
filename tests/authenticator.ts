/**
 * A software WebAuthn authenticator, for tests: one passkey on WebCrypto alone, so that the same file runs on Node,
 * workerd, Deno and Bun. Whatever a hostile page or key could send can be set by an override (WebAuthn Level 3).
 */

type Bytes = Uint8Array<ArrayBuffer>
type Cbor = number | string | Bytes | Map<number | string, Cbor>
type SubtleKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

export type Algorithm = -7 | -8 | -257

/** Section 6.1: the bits of the flags byte. What follows the counter in the authenticator data follows AT and ED. */
export const flag = { UP: 0x01, UV: 0x04, BE: 0x08, BS: 0x10, AT: 0x40, ED: 0x80 } as const

export type CreationOptions = { challenge: string; rp: { id?: string }; user: { id: string } }
export type RequestOptions = { challenge: string; rpId?: string }

export type RegistrationResponseJSON = {
  id: string
  rawId: string
  type: 'public-key'
  authenticatorAttachment: 'platform'
  clientExtensionResults: Record<string, never>
  response: { clientDataJSON: string; attestationObject: string; transports: 'internal'[] }
}

export type AuthenticationResponseJSON = {
  id: string
  rawId: string
  type: 'public-key'
  authenticatorAttachment: 'platform'
  clientExtensionResults: Record<string, never>
  response: { clientDataJSON: string; authenticatorData: string; signature: string; userHandle?: string }
}

export type Overrides = {
  type?: string
  challenge?: string
  origin?: string
  crossOrigin?: boolean
  topOrigin?: string
  /** Merged last into the client data: members of a later specification, or hostile ones. */
  clientData?: Record<string, unknown>
  rpId?: string
  /** The whole flags byte, see {@link flag}. */
  flags?: number
  /** Sent as it is; the authenticator's own counter stays. */
  counter?: number
  /** Flips the last bit of the signature, which stays well formed. */
  badSignature?: boolean
}
export type CreateOverrides = Overrides & { attestation?: 'none' | 'packed' }
/** A `userHandle` of null leaves the member out, as a security key may. */
export type GetOverrides = Overrides & { userHandle?: string | null }

export type Authenticator = {
  readonly credentialId: string
  readonly alg: Algorithm
  /** The public key as COSE_Key bytes (RFC 9052 section 7). */
  readonly cosePublicKey: Bytes
  /** Counted up by `get`. */
  counter: number
  /** Learned from `create`. */
  userHandle: string | undefined
  create(options: CreationOptions, overrides?: CreateOverrides): Promise<RegistrationResponseJSON>
  get(options: RequestOptions, overrides?: GetOverrides): Promise<AuthenticationResponseJSON>
}

type Setup = { origin: string; rpId: string; alg?: Algorithm; aaguid?: string }

export async function newAuthenticator({ origin, rpId, alg = -7, aaguid }: Setup): Promise<Authenticator> {
  const { privateKey, cosePublicKey } = await newKey(alg)
  const id = crypto.getRandomValues(new Uint8Array(32))
  const attested = concat(aaguidBytes(aaguid), uint16(id.length), id, cosePublicKey)
  const device: Device = { origin, rpId, alg, privateKey, attested }
  const authenticator: Authenticator = {
    credentialId: toBase64url(id),
    alg,
    cosePublicKey,
    counter: 0,
    userHandle: undefined,
    create: (options, overrides = {}) => create(device, authenticator, options, overrides),
    get: (options, overrides = {}) => get(device, authenticator, options, overrides),
  }
  return authenticator
}

type Device = { origin: string; rpId: string; alg: Algorithm; privateKey: SubtleKey; attested: Bytes }

async function create(
  device: Device,
  authenticator: Authenticator,
  options: CreationOptions,
  overrides: CreateOverrides,
): Promise<RegistrationResponseJSON> {
  const { attestation = 'none' } = overrides
  const clientData = clientDataBytes('webauthn.create', options.challenge, device.origin, overrides)
  const {
    rpId = options.rp.id ?? device.rpId,
    flags = flag.UP | flag.UV | flag.AT,
    counter = authenticator.counter,
  } = overrides
  const data = await authenticatorData(rpId, flags, counter, device.attested)
  authenticator.userHandle = options.user.id
  const statement =
    attestation === 'packed' ? await packedSelf(device, data, clientData, overrides) : new Map<string, Cbor>()
  return {
    ...envelope(authenticator),
    response: {
      clientDataJSON: toBase64url(clientData),
      attestationObject: toBase64url(attestationObject(attestation, statement, data)),
      transports: ['internal'],
    },
  }
}

async function get(
  device: Device,
  authenticator: Authenticator,
  options: RequestOptions,
  overrides: GetOverrides,
): Promise<AuthenticationResponseJSON> {
  const clientData = clientDataBytes('webauthn.get', options.challenge, device.origin, overrides)
  if (overrides.counter === undefined) authenticator.counter += 1
  const { rpId = options.rpId ?? device.rpId, flags = flag.UP | flag.UV, counter = authenticator.counter } = overrides
  const data = await authenticatorData(rpId, flags, counter, device.attested)
  const { userHandle = authenticator.userHandle } = overrides
  return {
    ...envelope(authenticator),
    response: {
      clientDataJSON: toBase64url(clientData),
      authenticatorData: toBase64url(data),
      signature: toBase64url(await sign(device, data, clientData, overrides)),
      ...(userHandle == null ? {} : { userHandle }),
    },
  }
}

function envelope({ credentialId }: Authenticator) {
  return {
    id: credentialId,
    rawId: credentialId,
    type: 'public-key',
    authenticatorAttachment: 'platform',
    clientExtensionResults: {},
  } as const
}

/** Section 5.8.1.1: the order of the members is that of the specification's serialization. */
function clientDataBytes(type: string, challenge: string, origin: string, overrides: Overrides): Bytes {
  return utf8(
    JSON.stringify({
      type: overrides.type ?? type,
      challenge: overrides.challenge ?? challenge,
      origin: overrides.origin ?? origin,
      crossOrigin: overrides.crossOrigin ?? false,
      ...(overrides.topOrigin === undefined ? {} : { topOrigin: overrides.topOrigin }),
      ...overrides.clientData,
    }),
  )
}

/** Section 6.1. */
async function authenticatorData(rpId: string, flags: number, counter: number, attested: Bytes): Promise<Bytes> {
  return concat(
    await sha256(utf8(rpId)),
    new Uint8Array([flags]),
    uint32(counter),
    flags & flag.AT ? attested : new Uint8Array(0),
    flags & flag.ED ? cbor(new Map([['credProtect', 2]])) : new Uint8Array(0),
  )
}

/** Section 8.2, self attestation: signed with the credential's own key, no certificate. */
async function packedSelf(device: Device, data: Bytes, clientData: Bytes, overrides: Overrides) {
  return new Map<string, Cbor>([
    ['alg', device.alg],
    ['sig', await sign(device, data, clientData, overrides)],
  ])
}

function attestationObject(fmt: string, attStmt: Map<string, Cbor>, authData: Bytes): Bytes {
  return cbor(
    new Map<string, Cbor>([
      ['fmt', fmt],
      ['attStmt', attStmt],
      ['authData', authData],
    ]),
  )
}

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const rsa = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
} as const
const algorithms = { [-7]: ecdsa, [-8]: { name: 'Ed25519' }, [-257]: rsa } as const

async function newKey(alg: Algorithm): Promise<{ privateKey: SubtleKey; cosePublicKey: Bytes }> {
  const pair = await crypto.subtle.generateKey(algorithms[alg], true, ['sign', 'verify'])
  if (!('privateKey' in pair)) throw new Error('a key pair was asked for')
  const jwk = await crypto.subtle.exportKey('jwk', pair.publicKey)
  const part = (member: 'x' | 'y' | 'n' | 'e') => fromBase64url(jwk[member] ?? '')
  const members: Record<Algorithm, () => [number, Cbor][]> = {
    [-7]: () => [
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, part('x')],
      [-3, part('y')],
    ],
    [-8]: () => [
      [1, 1],
      [3, -8],
      [-1, 6],
      [-2, part('x')],
    ],
    [-257]: () => [
      [1, 3],
      [3, -257],
      [-1, part('n')],
      [-2, part('e')],
    ],
  }
  return { privateKey: pair.privateKey, cosePublicKey: cbor(new Map(members[alg]())) }
}

async function sign(device: Device, data: Bytes, clientData: Bytes, { badSignature = false }: Overrides) {
  const signed = concat(data, await sha256(clientData))
  const raw = new Uint8Array(await crypto.subtle.sign(algorithms[device.alg], device.privateKey, signed))
  const last = raw.length - 1
  if (badSignature) raw[last] = (raw[last] ?? 0) ^ 1
  return device.alg === -7 ? derSignature(raw) : raw
}

/** Section 6.5.5: ES256 travels as an ASN.1 Ecdsa-Sig-Value, WebCrypto makes r and s side by side. */
function derSignature(raw: Bytes): Bytes {
  const r = derInteger(raw.slice(0, raw.length / 2))
  const s = derInteger(raw.slice(raw.length / 2))
  return concat(new Uint8Array([0x30, r.length + s.length]), r, s)
}

function derInteger(magnitude: Bytes): Bytes {
  const first = magnitude.findIndex((byte) => byte !== 0)
  const short = magnitude.slice(first < 0 ? magnitude.length - 1 : first)
  const positive = (short[0] ?? 0) & 0x80 ? concat(new Uint8Array(1), short) : short
  return concat(new Uint8Array([0x02, positive.length]), positive)
}

/** The part of RFC 8949 that an authenticator writes. */
function cbor(value: Cbor): Bytes {
  if (typeof value === 'number') return value >= 0 ? cborHead(0, value) : cborHead(1, -1 - value)
  if (typeof value === 'string') return concat(cborHead(3, utf8(value).length), utf8(value))
  if (value instanceof Uint8Array) return concat(cborHead(2, value.length), value)
  return concat(cborHead(5, value.size), ...[...value].flatMap(([key, member]) => [cbor(key), cbor(member)]))
}

function cborHead(major: number, argument: number): Bytes {
  const type = major << 5
  if (argument < 24) return new Uint8Array([type | argument])
  if (argument < 0x100) return new Uint8Array([type | 24, argument])
  return concat(new Uint8Array([type | 25]), uint16(argument))
}

function aaguidBytes(aaguid = '00000000-0000-0000-0000-000000000000'): Bytes {
  const hex = aaguid.replaceAll('-', '')
  if (!/^[0-9a-f]{32}$/i.test(hex)) throw new Error(`not an AAGUID: ${aaguid}`)
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

async function sha256(data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', data))
}

function uint16(value: number): Bytes {
  return new Uint8Array([value >>> 8, value])
}

function uint32(value: number): Bytes {
  return new Uint8Array([value >>> 24, value >>> 16, value >>> 8, value])
}

function utf8(text: string): Bytes {
  return new TextEncoder().encode(text)
}

function concat(...parts: Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function toBase64url(bytes: Bytes): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

function fromBase64url(text: string): Bytes {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0))
}
