import { parseAuthenticatorData } from './authenticator-data.ts'
import { type Bytes, fromBase64url } from './bytes.ts'
import { type CborMap, parseCbor } from './cbor.ts'

/** The authenticator data in an attestation object (WebAuthn Level 3 section 6.5.4), or undefined where there is none. */
export function authenticatorDataIn(attestationObject: string): Bytes | undefined {
  const bytes = fromBase64url(attestationObject)
  const parsed = bytes && parseCbor(bytes)
  if (parsed?.kind !== 'value' || parsed.used !== bytes?.length || !(parsed.value instanceof Map)) return undefined
  const data = (parsed.value as CborMap).get('authData')
  return data instanceof Uint8Array ? data : undefined
}

/** The COSE_Key of the credential that was just made: a browser hashes it to name it in a vouch. */
export function publicKeyIn(attestationObject: string): Bytes | undefined {
  const bytes = authenticatorDataIn(attestationObject)
  const parsed = bytes && parseAuthenticatorData(bytes)
  return parsed?.kind === 'value' ? parsed.value.attested?.publicKey : undefined
}
