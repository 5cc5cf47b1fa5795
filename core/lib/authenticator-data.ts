import type { Bytes } from './bytes.ts'
import { parseCbor } from './cbor.ts'
import { invalid, type Parsed, value } from './parsed.ts'

/** WebAuthn Level 3 section 6.1, read whole: a byte left over, or one missing, is invalid. */
export interface AuthenticatorData {
  readonly rpIdHash: Bytes
  readonly userPresent: boolean
  readonly userVerified: boolean
  readonly backupEligible: boolean
  readonly backedUp: boolean
  readonly counter: number
  readonly attested?: AttestedCredential
}

/** Section 6.5.1. `publicKey` is the COSE_Key as the authenticator wrote it. */
export interface AttestedCredential {
  readonly aaguid: Bytes
  readonly credentialId: Bytes
  readonly publicKey: Bytes
}

const flag = {
  userPresent: 0x01,
  userVerified: 0x04,
  backupEligible: 0x08,
  backedUp: 0x10,
  attested: 0x40,
  extensions: 0x80,
}
const fixedPart = 37
const longestCredentialId = 1023

export function parseAuthenticatorData(bytes: Uint8Array): Parsed<AuthenticatorData> {
  if (bytes.length < fixedPart) return invalid('authenticator data: too short')
  const flags = bytes[32] as number
  const has = (bit: number) => (flags & bit) !== 0
  if (has(flag.backedUp) && !has(flag.backupEligible)) return invalid('authenticator data: backed up, but not eligible')

  let at = fixedPart
  let attested: AttestedCredential | undefined
  if (has(flag.attested)) {
    const parsed = parseAttested(bytes, at)
    if (parsed.kind !== 'value') return parsed
    attested = parsed.value
    at += parsed.used
  }
  if (has(flag.extensions)) {
    const extensions = parseCbor(bytes, at)
    if (extensions.kind !== 'value') return invalid('authenticator data: extensions')
    if (!(extensions.value instanceof Map)) return invalid('authenticator data: extensions are no map')
    at += extensions.used
  }
  if (at !== bytes.length) return invalid('authenticator data: bytes left over')
  return value(
    {
      rpIdHash: new Uint8Array(bytes.subarray(0, 32)),
      userPresent: has(flag.userPresent),
      userVerified: has(flag.userVerified),
      backupEligible: has(flag.backupEligible),
      backedUp: has(flag.backedUp),
      counter: new DataView(bytes.buffer, bytes.byteOffset + 33, 4).getUint32(0),
      ...(attested && { attested }),
    },
    at,
  )
}

function parseAttested(bytes: Uint8Array, from: number): Parsed<AttestedCredential> {
  if (bytes.length < from + 18) return invalid('attested credential: too short')
  const length = ((bytes[from + 16] as number) << 8) | (bytes[from + 17] as number)
  const idAt = from + 18
  if (length === 0 || length > longestCredentialId) return invalid('attested credential: length of its id')
  if (bytes.length < idAt + length) return invalid('attested credential: too short')
  const keyAt = idAt + length
  const key = parseCbor(bytes, keyAt)
  if (key.kind !== 'value') return invalid('attested credential: its key')
  const attested = {
    aaguid: new Uint8Array(bytes.subarray(from, from + 16)),
    credentialId: new Uint8Array(bytes.subarray(idAt, keyAt)),
    publicKey: new Uint8Array(bytes.subarray(keyAt, keyAt + key.used)),
  }
  return value(attested, 18 + length + key.used)
}
