/**
 * What is being approved. Whatever a key signs in Sallyport, it signs the hash of an intent.
 *
 *   ticket    = base64url(JCS(intent)) "." base64url(HMAC-SHA-256(ticket key, "sallyport ticket v1\0" || JCS(intent)))
 *   challenge = SHA-256("sallyport intent v1\0" || JCS(intent))                                JCS: RFC 8785
 *
 * tests/vectors/intent.json holds these forms fast: evidence must verify years from now.
 */
import canonicalize from 'canonicalize'
import type { ResourceKind, ResourcePrincipal } from './access/resource.ts'
import { type Bytes, base64url, concat, fromBase64url, textOf, utf8 } from './lib/bytes.ts'
import { hmac, hmacIsRight, type MacKey, sha256 } from './lib/hash.ts'
import { invalid, type Parsed, value } from './lib/parsed.ts'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [member: string]: Json }

/** JSON of somebody else's making as an object; empty where it is none. */
export const membersOf = (json: Json | undefined): { readonly [member: string]: Json } =>
  typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as { readonly [member: string]: Json }) : {}

/** What a tap is for. An answer for one purpose is refused for any other. */
export interface Subjects {
  login: Record<string, never> | PasswordLoginSubject
  cli: CliSubject
  register:
    | FirstAdministratorSubject
    | AddPasskeySubject
    | InviteSubject
    | SetPasswordSubject
    | AddTotpSubject
    | RecoveryCodesSubject
  vouch: VouchSubject
  session: SessionSubject | SessionSetSubject
  admin: AdminSubject
  recovery: RecoverySubject
  'device-enroll': { readonly [member: string]: Json }
  device: { readonly [member: string]: Json }
  'device-web': { readonly [member: string]: Json }
  presence: { readonly [member: string]: Json }
}
export type Purpose = keyof Subjects

/** A passkey beside a password. `name`: HMAC of the name's key, base64url: evidence names nobody who is not there. */
export type PasswordLoginSubject = {
  readonly kind: 'password'
  readonly name: string
}
/** A new password. What it is stands nowhere: a hash that a tap names could be guessed at by whoever reads the audit log. */
export type SetPasswordSubject = {
  readonly kind: 'password'
}
/** One more authenticator app. `secret`: SHA-256 of its key as it is sealed, base64url. `address`: as for `AdminSubject`. */
export type AddTotpSubject = {
  readonly kind: 'totp'
  readonly id: string
  readonly name: string
  readonly secret: string
  readonly address?: string
}
/** New recovery codes, in the place of all that are there. */
export type RecoveryCodesSubject = {
  readonly kind: 'recovery-codes'
}
/** The root credential of a new cluster. `link` is the SHA-256 of the one-time secret, base64url. */
export type FirstAdministratorSubject = {
  readonly kind: 'first-administrator'
  readonly name: string
  readonly link: string
}
/** A new root credential for somebody who is there, or for somebody new. `link`: as above. */
export type RecoverySubject = {
  readonly name: string
  readonly link: string
  readonly is_new: boolean
}
/**
 * One more passkey or security key for a user. `vouch_key`: RFC 7638 thumbprint of the one-time key that will name the new one's key.
 * A security key never may vouch: chains of vouches are two factors by themselves.
 */
export type AddPasskeySubject = {
  readonly kind: 'passkey' | 'security_key'
  readonly name: string
  readonly may_vouch: boolean
  readonly vouch_key: string
}
/** The first passkey of somebody invited, or the next one of somebody reset. `invite`: RFC 7638 thumbprint of the link's key. */
export type InviteSubject = {
  readonly kind: 'invite' | 'reset'
  readonly name: string
  readonly invite: string
}
/**
 * A program that is to act for the user. `flow`: SHA-256 of the canonical {client_id, redirect_uri, code_challenge, state}
 * (state: '' where it sent none), base64url; in the device flow of {client_id, user_code, device_code_hash}; `client_key`: RFC 7638 thumbprint of its DPoP key; `address`: where the browser
 * asked from; in the device flow, where the program did.
 */
export type CliSubject = {
  readonly flow: string
  readonly client_key: string
  readonly scope: string
  readonly address: string
}
/**
 * One session on one resource: what the person reads, whose key opens it (RFC 7638 thumbprint), through which process of which
 * proxy. `address`: where the program asked from. `impersonated`: with whose rights, where it is another user than the one who taps.
 * A host that is no resource has the kind `host`, and `HOST:PORT` as its name (core/access/host-target.ts).
 * `uses`: of a certificate with a key of its own, how often it opens the session; 'any' where no tap is wanted, and then in no intent.
 */
export type SessionSubject = {
  readonly resource: { readonly kind: ResourceKind; readonly name: string }
  readonly principal: ResourcePrincipal
  readonly client_key: string
  readonly proxy: { readonly id: string; readonly boot: string }
  readonly address: string
  readonly impersonated?: Impersonated
  readonly uses?: number | 'any'
}
/**
 * Sessions on several resources, or several on one, by one tap: each as often as it says, and nothing else. The members beside
 * `sessions` are those of one session. A resource stands in it once, so that its name finds its count.
 */
export type SessionSetSubject = {
  readonly sessions: readonly SessionInSet[]
  readonly client_key: string
  readonly proxy: { readonly id: string; readonly boot: string }
  readonly address: string
  readonly impersonated?: Impersonated
}
export type Impersonated = { readonly user: string; readonly name: string }
export type SessionInSet = {
  readonly resource: SessionSubject['resource']
  readonly principal: ResourcePrincipal
  readonly count: number
}
export const isSessionSet = (subject: Subjects['session']): subject is SessionSetSubject => 'sessions' in subject
/** `public_key_hash`: SHA-256 of the COSE_Key, base64url. */
export type VouchSubject = {
  readonly user: string
  readonly credential_id: string
  readonly public_key_hash: string
  readonly may_vouch: boolean
}
/**
 * One request. `path`: as it is sent, with what of its query has an effect. `body_hash`: SHA-256 of the canonical JSON body, base64url.
 * `revision`: of what is there when the tap is asked for. `summary` is what the person read.
 */
export type AdminSubject = {
  readonly method: string
  readonly path: string
  readonly body_hash: string
  readonly revision: string
  readonly summary: string
  /** Where a program asked from that is not the page itself. The members below are a program's too. */
  readonly address?: string
  /** SHA-256 of the difference that it makes, in lines (core/access/difference.ts), base64url; empty where there is none. */
  readonly changes?: string
  /** How many lines that are, where they are too many for the page's link. */
  readonly unshown_lines?: number
  /** Which passkeys of the user may tap it. */
  readonly key?: TapKey
}
/** `vouching`: one that may admit others; `another`: any but the one that is removed, and no weaker one. */
export type TapKey = 'any' | 'vouching' | 'another'

export interface Intent<P extends Purpose = Purpose> {
  readonly v: 1
  readonly cluster: string
  readonly purpose: P
  /** 128 random bits, base64url. Spent once. */
  readonly id: string
  readonly user?: string
  /** Where the ceremony began: a ticket works only there. */
  readonly holder?: string
  readonly subject: Subjects[P]
  /** Seconds since 1970, as on every wire. */
  readonly iat: number
  readonly exp: number
}

const ticketDomain = utf8('sallyport ticket v1\0')
const challengeDomain = utf8('sallyport intent v1\0')
const longestTicket = 8192

/** RFC 8785. Throws on what JSON cannot say (NaN, a lone surrogate): our own mistake, never a stranger's. */
export function canonicalJson(json: Json | Intent): Bytes {
  const text = canonicalize(json)
  if (text === undefined) throw new TypeError('Cannot make canonical JSON of undefined')
  return utf8(text)
}

/** The 32 bytes that a key signs. */
export const challengeOf = (intent: Intent): Bytes => sha256(concat(challengeDomain, canonicalJson(intent)))

/** The whole state of a ceremony, given to whoever began it. */
export function sealTicket(key: MacKey, intent: Intent): string {
  const content = canonicalJson(intent)
  const mac = hmac(key, concat(ticketDomain, content))
  return `${base64url(content)}.${base64url(mac)}`
}

/** Reads a ticket that this cluster sealed. Says nothing about whether it fits: see tap/verify.ts for that. */
export function openTicket(key: MacKey, ticket: string): Parsed<Intent> {
  if (ticket.length > longestTicket) return invalid('ticket: too long')
  const dot = ticket.indexOf('.')
  const content = fromBase64url(ticket.slice(0, Math.max(dot, 0)))
  const mac = fromBase64url(ticket.slice(dot + 1))
  if (dot < 1 || content === undefined || mac === undefined) return invalid('ticket: form')
  if (!hmacIsRight(key, mac, concat(ticketDomain, content))) return invalid('ticket: seal')
  const intent = JSON.parse(textOf(content) ?? '') as Intent
  return intent.v === 1 ? value(intent, ticket.length) : invalid('ticket: version')
}
