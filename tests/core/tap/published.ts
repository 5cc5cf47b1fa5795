/** The authentications of the published vectors. */
import { publicKeyIn } from '../../../core/lib/attestation-object.ts'
import { bytes64, text64 } from '../signer.ts'
import { libraryVectors, w3cVectors } from '../vectors.ts'
import type { Assertion, Expected } from './judges.ts'

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))
const clientDataOf = (assertion: Assertion) =>
  JSON.parse(Buffer.from(assertion.clientData).toString()) as { challenge: string; origin: string }

/** An authentication of tests/vectors/webauthn, and what it is shown for. */
export interface Case extends Assertion {
  readonly name: string
  readonly expected: Expected
}

function w3cCases(): Case[] {
  const { vectors, origin: site, rpId: id } = w3cVectors()
  return vectors.map(({ id: name, registration, authentication }) => ({
    name: `W3C ${name}`,
    cose: publicKeyIn(text64(hex(registration.attestationObject)))!,
    clientData: hex(authentication.clientDataJSON),
    authenticatorData: hex(authentication.authenticatorData),
    signature: hex(authentication.signature),
    expected: { challenge: text64(hex(authentication.challenge)), origin: site, rpId: id, purpose: 'presence' },
  }))
}

const libraryCases = (): Case[] =>
  libraryVectors().flatMap((vector, i) => {
    if (vector.publicKey === undefined) return []
    const assertion = {
      cose: bytes64(vector.publicKey),
      clientData: bytes64(vector.clientDataJSON),
      authenticatorData: bytes64(vector.authenticatorData),
      signature: bytes64(vector.signature),
    }
    const { challenge, origin: site } = clientDataOf(assertion)
    const expected = { challenge, origin: site, rpId: vector.expectedRPID ?? 'dev.dontneeda.pw', purpose: 'presence' }
    return [{ name: `SimpleWebAuthn ${i}`, ...assertion, expected: expected as Expected }]
  })

/** Those with a public key. For presence, as user verification is not in all of them. */
export const publishedCases = (): Case[] => [...w3cCases(), ...libraryCases()]
