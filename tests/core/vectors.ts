/** Reads tests/vectors. Where each file comes from stands in tests/vectors/SOURCES.md. */
import { readFileSync } from 'node:fs'
import type { Intent } from '../../core/intent.ts'
import type { RemoteOffer } from '../../core/login/operator-offer.ts'
import type { ClientSessionId } from '../../core/model.ts'
import type { VouchKey } from '../../core/vouch.ts'

const read = <T>(path: string): T =>
  JSON.parse(readFileSync(new URL(`../vectors/${path}`, import.meta.url), 'utf8')) as T

export interface IntentVectors {
  readonly sallyport_key: string
  readonly key_check: string
  readonly intents: readonly {
    readonly name: string
    readonly intent: Intent
    readonly canonical: string
    readonly ticket: string
    readonly challenge: string
  }[]
  /** `tapped` and `intent` are places in `intents`. */
  readonly vouch: {
    readonly tapped: number
    readonly intent: number
    readonly key: VouchKey
    readonly thumbprint: string
    readonly signature: string
  }
  readonly refresh_token: { readonly id: ClientSessionId; readonly generation: number; readonly token: string }
  readonly offer: {
    readonly cluster: string
    readonly offer: RemoteOffer
    readonly canonical: string
    readonly proof: string
  }
}
export const intentVectors = () => read<IntentVectors>('intent.json')

/** Bytes as hex. */
export interface W3cVectors {
  readonly rpId: string
  readonly origin: string
  readonly topOrigin: string
  readonly attestation_ca_cert: string
  readonly vectors: readonly {
    readonly id: string
    readonly registration: {
      readonly challenge: string
      readonly credential_id: string
      readonly clientDataJSON: string
      readonly attestationObject: string
    }
    readonly authentication: {
      readonly challenge: string
      readonly authenticatorData: string
      readonly clientDataJSON: string
      readonly signature: string
    }
  }[]
}
export const w3cVectors = () => read<W3cVectors>('webauthn/w3c-level3.json')

/** Bytes as base64url, some of them padded. An authentication has a `signature`, a registration an `attestationObject`. */
export interface LibraryVector {
  readonly id: string
  readonly test?: string
  readonly const?: string
  readonly clientDataJSON: string
  readonly authenticatorData?: string
  readonly signature?: string
  readonly publicKey?: string
  readonly attestationObject?: string
  readonly expectedOrigin?: string
  readonly expectedRPID?: string
  readonly fakeTime?: string
}
export const libraryVectors = () => read<{ vectors: readonly LibraryVector[] }>('webauthn/simplewebauthn.json').vectors

export type KeyName = 'ES256' | 'EdDSA' | 'RS256'
export const signingKeys = () => read<Record<KeyName, JsonWebKey>>('webauthn/signing-keys.json')

export interface OauthVectors {
  readonly rfc9449: { readonly proofs: readonly { readonly proof: string }[]; readonly jkt: string }
}
export const oauthVectors = () => read<OauthVectors>('oauth/rfc9449-7636-7638.json')

/** `hex` is on the wire; the other members are somebody else's reading of it. A member that says nothing is absent or null. */
export interface HelloVector {
  readonly hex: string
  readonly wire: number
  readonly records: number
  readonly sni: string | null
  readonly alpn: readonly string[] | null
  readonly versions?: readonly string[]
  readonly keyShares?: readonly (readonly [group: string, bytes: number])[]
  readonly ech: boolean
  readonly psk: boolean
  readonly earlyData: boolean
}
export const helloVectors = (): HelloVector[] =>
  ['utls', 'read-tls-client-hello'].flatMap((name) =>
    readFileSync(new URL(`../vectors/hellos/${name}.jsonl`, import.meta.url), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as HelloVector),
  )
