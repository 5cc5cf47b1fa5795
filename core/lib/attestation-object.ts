import { parseAuthenticatorData } from './authenticator-data.ts'
import { type Bytes, fromBase64url } from './bytes.ts'
import { type CborMap, parseCbor } from './cbor.ts'

/** WebAuthn Level 3 section 6.5.4. */
export interface AttestationObject {
  readonly format: string
  readonly statement: CborMap
  readonly authenticatorData: Bytes
}

/** undefined where a member is missing, or anything follows. */
export function attestationObjectIn(attestationObject: string): AttestationObject | undefined {
  const bytes = fromBase64url(attestationObject)
  const parsed = bytes && parseCbor(bytes)
  if (parsed?.kind !== 'value' || parsed.used !== bytes?.length || !(parsed.value instanceof Map)) return undefined
  const [format, statement, data] = ['fmt', 'attStmt', 'authData'].map((name) => (parsed.value as CborMap).get(name))
  if (typeof format !== 'string' || !(statement instanceof Map) || !(data instanceof Uint8Array)) return undefined
  return { format, statement: statement as CborMap, authenticatorData: data }
}

/** The COSE_Key of the credential that was just made: a browser hashes it to name it in a vouch. */
export function publicKeyIn(attestationObject: string): Bytes | undefined {
  const bytes = attestationObjectIn(attestationObject)?.authenticatorData
  const parsed = bytes && parseAuthenticatorData(bytes)
  return parsed?.kind === 'value' ? parsed.value.attested?.publicKey : undefined
}
