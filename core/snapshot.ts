/**
 * What proxies know of the cluster. The edge states, under its signing key, which snapshot is the newest: for one proxy, for one
 * nonce of that proxy's, "unchanged" included. So nobody between them can hold back what has changed, or show what was.
 */
import { compactVerify, decodeProtectedHeader, SignJWT } from 'jose'
import type { PolicyDocument } from './access/document.ts'
import type { Traits } from './access/pattern.ts'
import { canonicalJson, type Json, membersOf } from './intent.ts'
import type { SigningKey } from './issue/keyring.ts'
import { base64url, textOf } from './lib/bytes.ts'
import { sha256 } from './lib/hash.ts'
import type { ClientSessionId, CredentialId, CredentialKind, Fingerprint, Instant, UserId } from './model.ts'

export interface Snapshot {
  readonly v: 1
  readonly cluster: string
  /** The one WebAuthn origin, and what grants are issued by. */
  readonly issuer: string
  readonly rp_id: string
  readonly users: readonly {
    readonly id: UserId
    readonly name: string
    readonly roles: readonly string[]
    /** Left out where there are none. */
    readonly traits?: Traits
  }[]
  /** Public keys as COSE_Key, base64url. */
  readonly credentials: readonly {
    readonly id: CredentialId
    readonly user: UserId
    readonly key: string
    readonly fingerprint: Fingerprint
    /** Left out by an edge of before, which knew passkeys only. */
    readonly kind?: CredentialKind
  }[]
  readonly documents: readonly PolicyDocument[]
  /** Ed25519, those that may have signed what is still in use, and the next one. */
  readonly keys: readonly { readonly kid: string; readonly x: string }[]
}

export const snapshotHash = (snapshot: Snapshot): string =>
  base64url(sha256(canonicalJson(snapshot as unknown as Json)))

/** What the edge signs. `sequence` counts the changes that proxies must know, and never goes back. */
export interface Statement {
  readonly proxy: string
  readonly nonce: string
  readonly sequence: number
  readonly hash: string
  /** How many audit rows there were: a log that was cut shows (log_head). */
  readonly log_head: number
  readonly at: Instant
  /** Of the logins that were asked about, those that were ended. Left out where none was asked about. */
  readonly ended_logins?: readonly ClientSessionId[]
  /** Sessions that are open at this proxy and that somebody has ended. Left out where there are none. */
  readonly ended_sessions?: readonly string[]
}

const type = 'snapshot+jwt'

export const signStatement = (issuer: string, { kid, key }: SigningKey, statement: Statement): Promise<string> =>
  new SignJWT({ iss: issuer, ...statement }).setProtectedHeader({ alg: 'EdDSA', typ: type, kid }).sign(key)

export interface Trusted {
  readonly issuer: string
  readonly keys: ReadonlyMap<string, CryptoKey>
}

/** undefined: not signed by a key that is trusted, or not a statement. Whether it answers this question is for the caller. */
export async function readStatement({ issuer, keys }: Trusted, jws: string): Promise<Statement | undefined> {
  try {
    const { kid = '', typ } = decodeProtectedHeader(jws)
    const key = keys.get(kid)
    if (!key || typ !== type) return undefined
    const { payload } = await compactVerify(jws, key, { algorithms: ['EdDSA'] })
    const { iss, proxy, nonce, sequence, hash, log_head, at, ended_logins, ended_sessions } = membersOf(
      JSON.parse(textOf(payload) ?? '') as Json,
    )
    if (iss !== issuer || typeof proxy !== 'string' || typeof nonce !== 'string' || typeof hash !== 'string')
      return undefined
    if (!isCount(sequence) || !isCount(log_head) || !isCount(at)) return undefined
    if (![ended_logins, ended_sessions].every((one) => one === undefined || Array.isArray(one))) return undefined
    return {
      ...{ proxy, nonce, sequence, hash, log_head, at },
      ...(ended_logins !== undefined && { ended_logins: ended_logins as unknown as ClientSessionId[] }),
      ...(ended_sessions !== undefined && { ended_sessions: ended_sessions as unknown as string[] }),
    }
  } catch {
    return undefined
  }
}

const isCount = (json: Json | undefined): json is number =>
  typeof json === 'number' && Number.isSafeInteger(json) && json >= 0
