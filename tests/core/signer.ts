/**
 * Signs whatever bytes a test makes up, with published keys (tests/vectors/SOURCES.md), where tests/authenticator.ts
 * signs only what an authenticator would.
 */
import { createHash, createPrivateKey, type KeyObject, sign } from 'node:crypto'
import type { AssertionJson } from '../../core/tap/verify.ts'
import { cborMap } from './cbor-writer.ts'
import { type KeyName, signingKeys } from './vectors.ts'

type Bytes = Uint8Array<ArrayBuffer>

export interface Signer {
  readonly name: KeyName
  readonly cose: Bytes
  /** As an assertion carries it: DER for ES256. */
  sign(data: Uint8Array): Bytes
}

export const text64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')
export const bytes64 = (text: string | undefined): Bytes => new Uint8Array(Buffer.from(text ?? '', 'base64url'))
export const join = (...parts: readonly Uint8Array[]): Bytes => new Uint8Array(Buffer.concat(parts))
export const hashOf = (bytes: Uint8Array | string): Bytes => new Uint8Array(createHash('sha256').update(bytes).digest())

const coseEntries = ({ x, y, n, e }: JsonWebKey) => ({
  ES256: [
    [1, 2],
    [3, -7],
    [-1, 1],
    [-2, bytes64(x)],
    [-3, bytes64(y)],
  ] as const,
  EdDSA: [
    [1, 1],
    [3, -8],
    [-1, 6],
    [-2, bytes64(x)],
  ] as const,
  RS256: [
    [1, 3],
    [3, -257],
    [-1, bytes64(n)],
    [-2, bytes64(e)],
  ] as const,
})

export function newSigner(name: KeyName): Signer {
  const jwk = signingKeys()[name]
  const key: KeyObject = createPrivateKey({ key: jwk as Record<string, string>, format: 'jwk' })
  const hash = name === 'EdDSA' ? null : 'sha256'
  return { name, cose: cborMap(coseEntries(jwk)[name]), sign: (data) => new Uint8Array(sign(hash, data, key)) }
}

export const signers: readonly Signer[] = (['ES256', 'EdDSA', 'RS256'] as const).map(newSigner)

/** What `signer` answers for these bytes, right or wrong. */
export function assertionOf(signer: Signer, clientData: Uint8Array, authenticatorData: Uint8Array): AssertionJson {
  return {
    id: text64(hashOf(signer.cose)),
    response: {
      clientDataJSON: text64(clientData),
      authenticatorData: text64(authenticatorData),
      signature: text64(signer.sign(join(authenticatorData, hashOf(clientData)))),
    },
  }
}

/** WebAuthn section 6.1, up to the counter; `rest` is whatever should follow. */
export function authenticatorDataOf(rpId: string, flags: number, counter = 1, ...rest: readonly Uint8Array[]): Bytes {
  const fixed = Buffer.alloc(5)
  fixed[0] = flags
  fixed.writeUInt32BE(counter, 1)
  return join(hashOf(rpId), fixed, ...rest)
}
