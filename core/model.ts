import type { Bytes } from './lib/bytes.ts'

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

/** 16 random bytes, base64url. It is also the WebAuthn user handle, so it says nothing about the person. */
export type UserId = Branded<'UserId'>
/** As the authenticator made it, base64url. */
export type CredentialId = Branded<'CredentialId'>
export type SessionId = Branded<'SessionId'>
/** 16 random bytes, base64url: one login of a program, with all the tokens that came of it. */
export type ClientSessionId = Branded<'ClientSessionId'>
/** 16 random bytes, base64url: one authenticator app. */
export type TotpId = Branded<'TotpId'>
/** RFC 7638 thumbprint of the public key of a link (an invite's or a reset's), base64url. */
export type InviteId = Branded<'InviteId'>
/** SHA-256 of a COSE_Key, base64url: what names a key in a vouch and in a proxy's configuration. */
export type Fingerprint = Branded<'Fingerprint'>
/** SHA-256 of a browser's ceremony cookie, or the JWK thumbprint of a client's key, base64url. */
export type Holder = Branded<'Holder'>

/** Milliseconds since 1970, UTC. */
export type Instant = number
/** Milliseconds. */
export type Duration = number

export const seconds = (count: number): Duration => count * 1000
export const minutes = (count: number): Duration => count * 60_000
export const hours = (count: number): Duration => count * 3_600_000

/** This installation, as keys and browsers see it. `origin` is the one WebAuthn origin (scheme, host, port; no slash). */
export interface Site {
  readonly cluster: string
  readonly origin: string
  readonly rpId: string
  /** SHA-256 of `rpId`: what authenticators sign. */
  readonly rpIdHash: Bytes
  /** Those of before, whose passkeys still work. */
  readonly formerRps?: readonly RelyingParty[]
}

export interface RelyingParty {
  readonly id: string
  /** SHA-256 of `id`. */
  readonly hash: Bytes
}

export interface User {
  readonly id: UserId
  readonly name: string
}

export interface Credential {
  readonly id: CredentialId
  readonly userId: UserId
  readonly name: string
  readonly publicKey: Bytes
  readonly fingerprint: Fingerprint
  /** The relying party that it was made for. */
  readonly rpId: string
  readonly transports: readonly string[]
  /** 16 bytes in the form of a UUID: which make of authenticator it says it is. Not proven without attestation. */
  readonly aaguid: string
  readonly backupEligible: boolean
  readonly backedUp: boolean
  readonly mayVouch: boolean
  readonly isRoot: boolean
  readonly createdAt: Instant
  readonly lastUsedAt: Instant | undefined
}

/**
 * What was shown for a session. Only `passkey` and `password+passkey` rest on a tap; the others can be phished, and open nothing that
 * wants one: whatever does asks for a tap of its own.
 */
export type SessionVia = 'passkey' | 'password' | 'password+passkey' | 'password+otp' | 'password+recovery'

export interface Session {
  readonly id: SessionId
  readonly via: SessionVia
  /** undefined: no passkey was tapped for it. */
  readonly credentialId: CredentialId | undefined
  readonly openedAt: Instant
  /** Of its last request, to a minute. */
  readonly lastSeenAt: Instant
  readonly expiresAt: Instant
  readonly origin: Origin
}

/** Why a client session ended before its time. */
export type ClientSessionEnd =
  /** Its user signed out, or ended it on the account page. */
  | 'revoked'
  /** A refresh token was shown again after its successor had been in use: somebody has a copy. */
  | 'token_reused'
  /** A refresh token of it was shown with another key: somebody has a copy. */
  | 'another_key'
  /** Its authorization code was shown again. */
  | 'code_reused'
  /** The passkey that approved it was removed. */
  | 'passkey_removed'
  | 'user_removed'
  /** An administrator reset its user, or the operator recovered him. */
  | 'user_reset'
  /** An administrator ended it. */
  | 'administrator'
  /** It asked for a tap, and its user said that he did not. */
  | 'disowned'

/** How a program was let in: by a browser on its own machine, or by the device flow, which opens less (core/access/principal.ts). */
export type LoginVia = 'browser' | 'device_flow'

/** One login of a program. */
export interface ClientSession {
  readonly id: ClientSessionId
  readonly clientId: string
  readonly scope: string
  readonly via: LoginVia
  readonly authenticatedAt: Instant
  readonly expiresAt: Instant
  readonly endedAt: Instant | undefined
  readonly endReason: ClientSessionEnd | undefined
  readonly origin: Origin
}

/** Where a request comes from, as far as it can be told. Kept with sessions and audit rows for people to read. */
export interface Origin {
  readonly address: string
  /** City and country where the platform tells it, else empty. */
  readonly place: string
  /** Such as "Chrome on Linux". What a browser says of itself, so a hint and no proof. */
  readonly browser: string
}

/** One request: who asks, from where, and the id that its log lines and audit rows share. */
export interface Asking {
  readonly requestId: string
  readonly from: Origin
}
