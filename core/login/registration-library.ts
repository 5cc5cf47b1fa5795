/**
 * SimpleWebAuthn's opinion of a registration. A file of its own, to be loaded late: so a bundler sees which function is called, and
 * leaves out the rest of the library.
 */
import { verifyRegistrationResponse } from '@simplewebauthn/server'
import { type Bytes, base64url } from '../lib/bytes.ts'
import type { Site } from '../model.ts'
import { algorithms } from '../tap/public-key.ts'
import type { RegistrationJson } from './passkey-register.ts'

/** The credential's public key, if the library finds the registration right. @throws what it finds wrong */
export async function verifyWithLibrary(
  site: Site,
  challenge: Bytes,
  { id, response }: RegistrationJson,
): Promise<Bytes | undefined> {
  const { clientDataJSON, attestationObject } = response
  const { verified, registrationInfo } = await verifyRegistrationResponse({
    response: {
      id,
      rawId: id,
      type: 'public-key',
      clientExtensionResults: {},
      response: { clientDataJSON, attestationObject },
    },
    expectedChallenge: base64url(challenge),
    expectedOrigin: site.origin,
    expectedRPID: site.rpId,
    requireUserVerification: true,
    supportedAlgorithmIDs: [...algorithms],
  })
  return verified ? registrationInfo.credential.publicKey : undefined
}
